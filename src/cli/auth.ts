/** `capstan auth can-i` and `whoami`: who one is and what one may do, as the server sees it. */
import { type Command, type Invocation, UsageError } from "./command.ts";
import { createPrinter } from "./output.ts";
import { ruleRows } from "./describe/rbac.ts";
import { findResources } from "./resource-arguments.ts";
import { type Session, sessionFlags, withSession } from "./session.ts";
import { tableText } from "./table-text.ts";

const authorization = "/apis/authorization.k8s.io/v1";

export const canICommand: Command = {
  name: "auth can-i",
  group: "Other",
  summary: "Ask whether an action is allowed",
  usage: "capstan auth can-i (VERB [TYPE | TYPE/NAME | /PATH] | --list) [flags]",
  examples: ["capstan auth can-i create pods -n demo", "capstan auth can-i get pods/log", "capstan auth can-i --list"],
  flags: [
    ...sessionFlags,
    { name: "list", type: "boolean", help: "All that is allowed in the namespace" },
    { name: "all-namespaces", short: "A", type: "boolean", help: "In all namespaces" },
    { name: "subresource", type: "string", placeholder: "NAME", help: "Of this subresource" },
    { name: "quiet", short: "q", type: "boolean", help: "Only the exit code" },
    { name: "no-headers", type: "boolean", help: "Leave out the headers" },
  ],
  run: async (invocation) =>
    await withSession(invocation, async (session) =>
      invocation.flags.boolean("list") ? await list(session, invocation) : await canI(session, invocation),
    ),
};

async function canI(session: Session, invocation: Invocation): Promise<number> {
  const { args, flags, io } = invocation;
  const [verb = "", what = ""] = args;
  if (args.length !== 2)
    throw new UsageError(
      "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'capstan auth can-i -h' for help and examples.",
    );
  const spec = what.startsWith("/")
    ? { nonResourceAttributes: { path: what, verb } }
    : { resourceAttributes: { verb, ...(await resourceOf(session, invocation, what)) } };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec };
  const { status } = (await session.client.call({
    method: "POST",
    path: `${authorization}/selfsubjectaccessreviews`,
    body,
  })) as { status: { allowed: boolean; reason?: string; evaluationError?: string } };
  if (!flags.boolean("quiet")) {
    const reason = status.reason ? ` - ${status.reason}` : "";
    const fault = status.evaluationError ? ` - ${status.evaluationError}` : "";
    io.stdout(status.allowed ? "yes\n" : `no${reason}${fault}\n`);
  }
  return status.allowed ? 0 : 1;
}

async function resourceOf(session: Session, { flags, io }: Invocation, what: string): Promise<object> {
  const [word = "", name = ""] = what.split("/", 2);
  const place = flags.boolean("all-namespaces") ? {} : { namespace: session.namespace };
  const more = {
    ...(name === "" ? {} : { name }),
    ...(flags.given("subresource") ? { subresource: flags.string("subresource") } : {}),
  };
  if (word === "*") return { ...place, group: "*", resource: "*", ...more };
  try {
    const { group, plural, scope } = (await findResources(session.discovery, word))[0]!;
    if (scope === "Cluster" && !flags.boolean("all-namespaces"))
      io.stderr(
        `Warning: resource '${plural}' is not namespace scoped${group === "" ? "" : ` in group '${group}'`}\n\n`,
      );
    return { ...place, group, resource: plural, ...more };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr(`Warning: the server doesn't have a resource type '${word}'\n\n`);
    return { ...place, resource: word, ...more };
  }
}

interface RulesStatus {
  resourceRules?: { apiGroups?: string[]; resources?: string[]; resourceNames?: string[]; verbs: string[] }[];
  nonResourceRules?: { nonResourceURLs?: string[]; verbs: string[] }[];
}

async function list({ client, namespace }: Session, { flags, io }: Invocation): Promise<number> {
  const { status } = (await client.call({
    method: "POST",
    path: `${authorization}/selfsubjectrulesreviews`,
    body: { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } },
  })) as { status: RulesStatus };
  const rows = [
    ...ruleRows(status.resourceRules ?? []),
    // Each as it came: two rules about one path stay two rows.
    ...(status.nonResourceRules ?? []).flatMap((rule) => ruleRows([rule])).sort((a, b) => (a[1]! < b[1]! ? -1 : 1)),
  ];
  const head = flags.boolean("no-headers") ? [] : [["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]];
  io.stdout(tableText([...head, ...rows]));
  return 0;
}

export const whoAmICommand: Command = {
  name: "auth whoami",
  group: "Other",
  summary: "Show who the server says you are",
  usage: "capstan auth whoami [flags]",
  examples: ["capstan auth whoami", "capstan auth whoami -o yaml"],
  flags: [...sessionFlags, { name: "output", short: "o", type: "string", help: "json, yaml or a template" }],
  run: async (invocation) =>
    await withSession(invocation, async ({ client }) => {
      const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
      const review = (await client.call({ method: "POST", path, body })) as {
        metadata: object;
        status: { userInfo: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> } };
      };
      const printer = createPrinter(invocation.flags.string("output"), { keepsOrder: true });
      if (printer !== undefined) {
        invocation.io.stdout(printer(review));
        return 0;
      }
      const { username, uid, groups = [], extra = {} } = review.status.userInfo;
      const listed = (values: readonly string[]) => `[${values.join(" ")}]`;
      invocation.io.stdout(
        tableText([
          ["ATTRIBUTE", "VALUE"],
          ...(username ? [["Username", username]] : []),
          ...(uid ? [["UID", uid]] : []),
          ...(groups.length > 0 ? [["Groups", listed(groups)]] : []),
          ...Object.keys(extra)
            .sort()
            .map((key) => [`Extra: ${key}`, listed(extra[key]!)]),
        ]),
      );
      return 0;
    }),
};
