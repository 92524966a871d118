/** `capstan api-resources` and `api-versions`: what the server serves. */
import { apiVersionOf } from "#api/object.ts";
import type { Command } from "./command.ts";
import { openSession, sessionFlags } from "./session.ts";
import { tableText } from "./table-text.ts";

export const apiResourcesCommand: Command = {
  name: "api-resources",
  group: "Other",
  summary: "List the kinds that the server serves",
  usage: "capstan api-resources [flags]",
  examples: [
    "capstan api-resources",
    "capstan api-resources --namespaced=false -o wide",
    "capstan api-resources --api-group=apps",
  ],
  flags: [
    ...sessionFlags,
    { name: "output", short: "o", type: "string", placeholder: "wide|name", help: "More columns, or names only" },
    { name: "api-group", type: "string", help: "Only this group" },
    { name: "namespaced", type: "boolean", default: true, help: "Only kinds with, or without, a namespace" },
    { name: "verbs", type: "strings", help: "Only kinds with these verbs" },
    { name: "no-headers", type: "boolean", help: "Leave out the headers" },
  ],
  async run(invocation) {
    const { flags, io } = invocation;
    const session = openSession(invocation);
    try {
      const verbs = flags.strings("verbs").flatMap((one) => one.split(","));
      const shown = (await session.discovery.resources()).filter(
        (one) =>
          one.preferred &&
          (!flags.given("api-group") || one.group === flags.string("api-group")) &&
          (!flags.given("namespaced") || (one.scope === "Namespaced") === flags.boolean("namespaced")) &&
          verbs.every((verb) => one.verbs.includes(verb)),
      );
      const sorted = [...shown].sort((a, b) =>
        a.group === b.group ? (a.plural < b.plural ? -1 : 1) : a.group < b.group ? -1 : 1,
      );
      if (flags.string("output") === "name") {
        io.stdout(sorted.map(({ plural, group }) => `${plural}${group === "" ? "" : `.${group}`}\n`).join(""));
        return 0;
      }
      const wide = flags.string("output") === "wide";
      const head = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", ...(wide ? ["VERBS", "CATEGORIES"] : [])];
      const rows = sorted.map((one) => [
        one.plural,
        one.shortNames.join(","),
        apiVersionOf(one),
        String(one.scope === "Namespaced"),
        one.kind,
        ...(wide ? [one.verbs.join(","), one.categories.join(",")] : []),
      ]);
      io.stdout(tableText(flags.boolean("no-headers") ? rows : [head, ...rows]));
      return 0;
    } finally {
      session.close();
    }
  },
};

export const apiVersionsCommand: Command = {
  name: "api-versions",
  group: "Other",
  summary: "List the group versions that the server serves",
  usage: "capstan api-versions [flags]",
  examples: ["capstan api-versions"],
  flags: sessionFlags,
  async run(invocation) {
    const session = openSession(invocation);
    try {
      const versions = new Set((await session.discovery.resources()).map((one) => apiVersionOf(one)));
      invocation.io.stdout(
        [...versions]
          .sort()
          .map((version) => `${version}\n`)
          .join(""),
      );
      return 0;
    } finally {
      session.close();
    }
  },
};
