/** `capstan create role|clusterrole|rolebinding|clusterrolebinding`. */
import type { UnknownObject } from "#api/object.ts";
import { type Flag, type FlagValues, UsageError } from "#cli/command.ts";
import { findResources } from "#cli/resource-arguments.ts";
import type { Session } from "#cli/session.ts";
import { namedSubjects } from "#cli/subjects.ts";
import { commaValues, createSubcommand } from "./subcommand.ts";

const apiVersion = "rbac.authorization.k8s.io/v1";
const apiGroup = "rbac.authorization.k8s.io";

const ruleFlags: readonly Flag[] = [
  { name: "verb", type: "strings", placeholder: "VERB,...", help: "What may be done" },
  { name: "resource", type: "strings", placeholder: "RESOURCE[.GROUP][/SUBRESOURCE],...", help: "To which resources" },
  { name: "resource-name", type: "strings", placeholder: "NAME", help: "Only to these objects" },
];
const subjectFlags: readonly Flag[] = [
  { name: "user", type: "strings", placeholder: "NAME", help: "A user" },
  { name: "group", type: "strings", placeholder: "NAME", help: "A group" },
  { name: "serviceaccount", type: "strings", placeholder: "NAMESPACE:NAME", help: "A service account" },
];

export const createRole = createSubcommand({
  word: "role",
  summary: "Create a role",
  examples: ["capstan create role reader --verb=get,list --resource=pods"],
  flags: ruleFlags,
  build: async ({ flags }, name, session) => ({
    apiVersion,
    kind: "Role",
    metadata: { name },
    rules: await resourceRules(flags, session),
  }),
});

export const createClusterRole = createSubcommand({
  word: "clusterrole",
  summary: "Create a cluster role",
  examples: [
    "capstan create clusterrole node-reader --verb=get,list --resource=nodes",
    "capstan create clusterrole health --verb=get --non-resource-url=/healthz",
  ],
  flags: [
    ...ruleFlags,
    { name: "non-resource-url", type: "strings", placeholder: "PATH", help: "To these paths of the API server" },
    {
      name: "aggregation-rule",
      type: "string",
      placeholder: "LABEL=VALUE",
      help: "Collect the rules of cluster roles with these labels",
    },
  ],
  async build({ flags }, name, session): Promise<UnknownObject> {
    const base = { apiVersion, kind: "ClusterRole", metadata: { name } };
    if (flags.given("aggregation-rule")) {
      const matchLabels = Object.fromEntries(
        commaValues([flags.string("aggregation-rule")]).map((pair) => pair.split("=", 2)),
      );
      return { ...base, aggregationRule: { clusterRoleSelectors: [{ matchLabels }] }, rules: null };
    }
    const nonResourceURLs = commaValues(flags.strings("non-resource-url"));
    const verbs = commaValues(flags.strings("verb"));
    const paths = nonResourceURLs.length === 0 ? [] : [{ nonResourceURLs, verbs }];
    const named = flags.given("resource") || paths.length === 0 ? await resourceRules(flags, session) : [];
    return { ...base, rules: [...named, ...paths] };
  },
});

/** One rule for each API group, in the order given. */
async function resourceRules(flags: FlagValues, { discovery }: Session): Promise<object[]> {
  const verbs = [...new Set(commaValues(flags.strings("verb")))];
  if (verbs.length === 0) throw new UsageError("at least one verb must be specified");
  const words = commaValues(flags.strings("resource"));
  if (words.length === 0) throw new UsageError("at least one resource must be specified");
  const byGroup = new Map<string, Set<string>>();
  for (const word of words) {
    const [name = "", subresource] = word.split("/", 2);
    const { group, plural } = name === "*" ? { group: "", plural: "*" } : (await findResources(discovery, name))[0]!;
    const resources = byGroup.get(group) ?? new Set();
    byGroup.set(group, resources.add(subresource === undefined ? plural : `${plural}/${subresource}`));
  }
  const resourceNames = commaValues(flags.strings("resource-name"));
  const named = resourceNames.length === 0 ? {} : { resourceNames };
  return [...byGroup]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, resources]) => ({ apiGroups: [group], ...named, resources: [...resources], verbs }));
}

export const createRoleBinding = createSubcommand({
  word: "rolebinding",
  summary: "Bind a role to subjects in a namespace",
  examples: [
    "capstan create rolebinding readers --role=reader --user=anna",
    "capstan create rolebinding viewers --clusterrole=view --group=staff",
  ],
  flags: [
    ...subjectFlags,
    { name: "role", type: "string", placeholder: "NAME", help: "The role" },
    { name: "clusterrole", type: "string", placeholder: "NAME", help: "Or the cluster role" },
  ],
  build({ flags }, name) {
    if (flags.given("role") === flags.given("clusterrole"))
      throw new UsageError("exactly one of clusterrole or role must be specified");
    const [kind, role] = flags.given("role")
      ? ["Role", flags.string("role")]
      : ["ClusterRole", flags.string("clusterrole")];
    return {
      apiVersion,
      kind: "RoleBinding",
      metadata: { name },
      roleRef: { apiGroup, kind, name: role },
      ...subjectsOf(flags),
    };
  },
});

export const createClusterRoleBinding = createSubcommand({
  word: "clusterrolebinding",
  summary: "Bind a cluster role to subjects",
  examples: ["capstan create clusterrolebinding admins --clusterrole=cluster-admin --group=staff"],
  flags: [...subjectFlags, { name: "clusterrole", type: "string", placeholder: "NAME", help: "The cluster role" }],
  required: ["clusterrole"],
  build({ flags }, name) {
    const roleRef = { apiGroup, kind: "ClusterRole", name: flags.string("clusterrole") };
    return { apiVersion, kind: "ClusterRoleBinding", metadata: { name }, roleRef, ...subjectsOf(flags) };
  },
});

function subjectsOf(flags: FlagValues): { subjects?: object[] } {
  const subjects = namedSubjects((flag) => commaValues(flags.strings(flag)));
  return subjects.length === 0 ? {} : { subjects };
}
