/** `capstan set serviceaccount|selector|subject`: who a workload runs as, whom a Service finds, whom a role is bound to. */
import { isDeepStrictEqual } from "node:util";
import type { UnknownObject } from "#api/object.ts";
import { type Command, UsageError } from "#cli/command.ts";
import { isEquality, operatorNames, readSelector } from "#cli/label-selector.ts";
import { nothingNamed, namesFiles } from "#cli/resource-arguments.ts";
import { namedSubjects } from "#cli/subjects.ts";
import { changeFlags } from "./all-targets.ts";
import { podSpecOf, podSpecPatch } from "./pod-specs.ts";
import { setField } from "./set-field.ts";

export const setServiceAccountCommand: Command = {
  name: "set serviceaccount",
  aliases: ["set sa"],
  group: "Objects",
  summary: "Change the service account of a workload's pods",
  usage: "capstan set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [flags]",
  examples: ["capstan set serviceaccount deployment/web robot"],
  flags: changeFlags,
  async run(invocation) {
    const name = invocation.args.at(-1);
    const targets = invocation.args.slice(0, -1);
    if (name === undefined) throw new UsageError("serviceaccount is required");
    if (targets.length === 0 && !namesFiles(invocation.flags)) throw new UsageError(nothingNamed);
    return await setField(invocation, targets, "serviceaccount", (live, target) => {
      podSpecOf(live, target);
      return podSpecPatch(live, { serviceAccountName: name });
    });
  },
};

export const setSelectorCommand: Command = {
  name: "set selector",
  group: "Objects",
  summary: "Change which pods a Service finds",
  usage: "capstan set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=VERSION] [flags]",
  examples: ["capstan set selector service web app=web,tier=front"],
  flags: [
    ...changeFlags,
    { name: "resource-version", type: "string", placeholder: "VERSION", help: "Only if the object is at this version" },
  ],
  async run(invocation) {
    const { args, flags } = invocation;
    const text = args.at(-1);
    if (text === undefined) throw new UsageError("one selector is required");
    return await setField(
      invocation,
      args.slice(0, -1),
      "selector",
      (live, { resource }) => {
        if (resource.kind !== "Service" || resource.group !== "")
          throw new UsageError("setting a selector is only supported for Services");
        const version = flags.given("resource-version") ? { resourceVersion: flags.string("resource-version") } : {};
        const selector = equalities(text);
        const gone = Object.keys((live["spec"] as { selector?: object })?.selector ?? {}).filter(
          (key) => !(key in selector),
        );
        const removed = Object.fromEntries(gone.map((key) => [key, null]));
        return { metadata: version, spec: { selector: { ...removed, ...selector } } };
      },
      "merge",
    );
  },
};

/** "a=b,c==d" as labels. Throws UsageError for anything else that a selector may say. */
function equalities(text: string): Record<string, string> {
  const requirements = readSelector(text);
  const odd = requirements.find((one) => !isEquality(one));
  if (odd !== undefined)
    throw new UsageError(
      `match expression [{${odd.key} ${operatorNames[odd.operator] ?? odd.operator} [${odd.values.join(" ")}]}] not supported on this object`,
    );
  return Object.fromEntries(requirements.map(({ key, values }) => [key, values[0] ?? ""]));
}

export const setSubjectCommand: Command = {
  name: "set subject",
  group: "Objects",
  summary: "Add users, groups or service accounts to a role binding",
  usage:
    "capstan set subject (-f FILENAME | TYPE NAME) [--user=NAME] [--group=NAME] [--serviceaccount=NAMESPACE:NAME] [flags]",
  examples: ["capstan set subject rolebinding admins --user=anna --serviceaccount=demo:robot"],
  flags: [
    ...changeFlags.filter(({ name }) => name !== "user"),
    { name: "user", type: "strings", placeholder: "NAME", help: "A user; may be repeated" },
    { name: "group", type: "strings", placeholder: "NAME", help: "A group; may be repeated" },
    { name: "serviceaccount", type: "strings", placeholder: "NAMESPACE:NAME", help: "A service account" },
  ],
  async run(invocation) {
    const { args, flags } = invocation;
    if (args.length === 0 && !namesFiles(flags)) throw new UsageError(nothingNamed);
    const wished = namedSubjects((flag) => flags.strings(flag));
    return await setField(
      invocation,
      args,
      "subjects",
      (live: UnknownObject, { resource, key }) => {
        if (resource.kind !== "RoleBinding" && resource.kind !== "ClusterRoleBinding")
          throw new UsageError(
            `${resource.plural}/${key.name} setting subjects is only supported for RoleBinding/ClusterRoleBinding`,
          );
        if (wished.length === 0)
          throw new UsageError("you must specify at least one value of user, group or serviceaccount");
        const now = (live["subjects"] as object[] | undefined) ?? [];
        const added = wished.filter((one) => !now.some((other) => isDeepStrictEqual(one, other)));
        return added.length === 0 ? undefined : { subjects: [...now, ...added] };
      },
      "merge",
    );
  },
};
