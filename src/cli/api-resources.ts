/** `capstan api-resources` and `api-versions`: what the server serves. */
import { apiVersionOf } from "#api/object.ts";
import type { DiscoveredResource } from "#client/discovery.ts";
import { type Command, type Invocation, UsageError, hinted } from "./command.ts";
import { createPrinter } from "./output.ts";
import { type Session, sessionFlags, withSession } from "./session.ts";
import { tableText } from "./table-text.ts";

const outputs = ["json", "kyaml", "name", "wide", "yaml"];

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
    { name: "output", short: "o", type: "string", placeholder: outputs.join("|"), help: "Another form" },
    { name: "api-group", type: "string", help: "Only this group" },
    { name: "namespaced", type: "boolean", default: true, help: "Only kinds with, or without, a namespace" },
    { name: "verbs", type: "strings", placeholder: "VERB,...", help: "Only kinds with these verbs" },
    { name: "categories", type: "strings", placeholder: "NAME,...", help: "Only kinds of these categories" },
    { name: "sort-by", type: "string", placeholder: "name|kind", help: "Order of the rows" },
    { name: "no-headers", type: "boolean", help: "Leave out the headers" },
  ],
  async run(invocation) {
    if (invocation.args.length > 0)
      throw hinted(`unexpected arguments: [${invocation.args.join(" ")}]`, "api-resources");
    const by = invocation.flags.string("sort-by");
    if (by !== "" && by !== "name" && by !== "kind") throw new UsageError("--sort-by accepts only name or kind");
    return await withSession(invocation, async (session) => await listResources(session, invocation));
  },
};

async function listResources({ discovery }: Session, { flags, io }: Invocation): Promise<number> {
  const printer = createPrinter(flags.string("output") === "name" ? "wide" : flags.string("output"), {
    allowed: outputs,
    keepsOrder: true,
  });
  const listed = (name: string) => flags.strings(name).flatMap((one) => one.split(","));
  const [verbs, categories] = [listed("verbs"), listed("categories")];
  const shown = (await discovery.resources())
    .filter(
      (one) =>
        one.preferred &&
        (!flags.given("api-group") || one.group === flags.string("api-group")) &&
        (!flags.given("namespaced") || (one.scope === "Namespaced") === flags.boolean("namespaced")) &&
        verbs.every((verb) => one.verbs.includes(verb)) &&
        categories.every((category) => one.categories.includes(category)),
    )
    .sort(orderOf(flags.string("sort-by")));
  if (printer !== undefined) io.stdout(printer(resourceList(shown) as never));
  else if (flags.string("output") === "name")
    io.stdout(shown.map(({ plural, group }) => `${plural}${group === "" ? "" : `.${group}`}\n`).join(""));
  else io.stdout(resourceTable(shown, flags.string("output") === "wide", flags.boolean("no-headers")));
  return 0;
}

type Order = (a: DiscoveredResource, b: DiscoveredResource) => number;
const byText =
  (text: (one: DiscoveredResource) => string): Order =>
  (a, b) =>
    text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0;

function orderOf(by: string): Order {
  if (by === "name") return byText(({ plural }) => plural);
  if (by === "kind") return byText(({ kind }) => kind);
  return (a, b) => byText(({ group }) => group)(a, b) || byText(({ plural }) => plural)(a, b);
}

function resourceTable(shown: readonly DiscoveredResource[], isWide: boolean, hasNoHead: boolean): string {
  const head = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", ...(isWide ? ["VERBS", "CATEGORIES"] : [])];
  const rows = shown.map((one) => [
    one.plural,
    one.shortNames.join(","),
    apiVersionOf(one),
    String(one.scope === "Namespaced"),
    one.kind,
    ...(isWide ? [one.verbs.join(","), one.categories.join(",")] : []),
  ]);
  return tableText(hasNoHead ? rows : [head, ...rows]);
}

/** All groups in one list, as discovery says it of one. */
const resourceList = (shown: readonly DiscoveredResource[]) => ({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: "",
  resources: shown.map(({ plural, singular, scope, group, version, kind, verbs, shortNames, categories }) => ({
    name: plural,
    singularName: singular,
    namespaced: scope === "Namespaced",
    ...(group === "" ? {} : { group }),
    version,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  })),
});

export const apiVersionsCommand: Command = {
  name: "api-versions",
  group: "Other",
  summary: "List the group versions that the server serves",
  usage: "capstan api-versions [flags]",
  examples: ["capstan api-versions"],
  flags: sessionFlags,
  async run(invocation) {
    if (invocation.args.length > 0)
      throw hinted(`unexpected arguments: [${invocation.args.join(" ")}]`, "api-versions");
    return await withSession(invocation, async ({ discovery }) => {
      const versions = new Set((await discovery.resources()).map((one) => apiVersionOf(one)));
      const lines = [...versions].sort().map((version) => `${version}\n`);
      invocation.io.stdout(lines.join(""));
      return 0;
    });
  },
};
