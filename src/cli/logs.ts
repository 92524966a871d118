/** `capstan logs`: what containers wrote, of one pod, of a workload's pods, or of all that a selector finds. */
import { Pod } from "#api/core/pod.ts";
import type { V1Pod } from "#api/generated/types.ts";
import type { UnknownObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import { objectPath } from "#client/resource-path.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { selectResources } from "./resource-arguments.ts";
import { type Session, withSession, sessionFlags } from "./session.ts";

export const logsCommand: Command = {
  name: "logs",
  group: "Objects",
  summary: "Print the logs of a container in a pod",
  usage: "capstan logs [-f] [-p] (POD | TYPE/NAME | -l label) [-c CONTAINER] [flags]",
  examples: [
    "capstan logs web-0",
    "capstan logs -f deployment/web",
    "capstan logs -l app=web --prefix --tail=20",
    "capstan logs web-0 -c sidecar --previous",
  ],
  flags: [
    ...sessionFlags,
    { name: "container", short: "c", type: "string", placeholder: "NAME", help: "Which container" },
    { name: "all-containers", type: "boolean", help: "All containers of the pod" },
    { name: "follow", short: "f", type: "boolean", help: "Go on as more is written" },
    { name: "previous", short: "p", type: "boolean", help: "The container's run before the current one" },
    { name: "selector", short: "l", type: "string", placeholder: "QUERY", help: "Label selector" },
    { name: "since", type: "duration", help: "Only what is newer, e.g. 5s, 2m, 3h" },
    { name: "since-time", type: "string", placeholder: "TIME", help: "Only what is newer than this RFC 3339 time" },
    {
      name: "tail",
      type: "integer",
      default: -1,
      placeholder: "LINES",
      help: "Only the last lines; with a selector 10 unless given",
    },
    { name: "limit-bytes", type: "integer", default: 0, placeholder: "BYTES", help: "At most so much" },
    { name: "timestamps", type: "boolean", help: "Put the time before each line" },
    { name: "prefix", type: "boolean", help: "Put pod and container before each line" },
  ],
  async run(invocation) {
    return await withSession(invocation, async (session) => await printLogs(session, invocation));
  },
};

async function printLogs(session: Session, invocation: Invocation): Promise<number> {
  const { flags, args } = invocation;
  if (args.length > 2 || (args.length === 0 && !flags.given("selector")))
    throw new UsageError(
      "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'capstan logs -h' for help and examples",
    );
  if (flags.given("since") && flags.given("since-time"))
    throw new UsageError("at most one of `sinceTime` or `sinceSeconds` may be specified");
  const pods = await podsOf(session, invocation);
  if (pods.length === 0) invocation.io.stderr(`No resources found in ${session.namespace} namespace.\n`);
  const container = flags.string("container") || args[1] || "";
  const jobs = pods.flatMap((pod) =>
    containersOf(pod, container, flags.boolean("all-containers"), invocation).map((name) => ({ pod, name })),
  );
  if (flags.boolean("follow") && jobs.length > 1)
    await Promise.all(jobs.map(async (job) => await printOne(session, invocation, job)));
  else for (const job of jobs) await printOne(session, invocation, job);
  return 0;
}

async function podsOf(session: Session, { args, flags, io }: Invocation): Promise<V1Pod[]> {
  const { client, namespace } = session;
  if (flags.given("selector"))
    return (await client.list(Pod, { namespace, labelSelector: flags.string("selector") })).items;
  const [first] = args;
  if (first === undefined)
    throw new UsageError(
      "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
    );
  if (!first.includes("/"))
    return [
      await client.get(Pod, { namespace, name: first }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
        throw new UsageError(
          `error from server (NotFound): ${(error as Error).message} in namespace ${JSON.stringify(namespace)}`,
        );
      }),
    ];
  const [selection] = await selectResources(session.discovery, [first]);
  const name = selection!.names[0]!;
  if (selection!.resource.kind === "Pod") return [await client.get(Pod, { namespace, name })];
  const owner = await client.get(selection!.resource, { namespace, name });
  const pods = (await client.list(Pod, { namespace, labelSelector: selectorOf(owner) })).items;
  if (pods.length === 0) throw new UsageError(`timed out waiting for the condition: ${first} has no pods`);
  const best = [...pods].sort(
    (a, b) =>
      Number(b.status?.phase === "Running") - Number(a.status?.phase === "Running") ||
      (a.metadata.name! < b.metadata.name! ? -1 : 1),
  )[0]!;
  if (pods.length > 1) io.stderr(`Found ${pods.length} pods, using pod/${best.metadata.name}\n`);
  return [best];
}

/** The label selector of a workload's pods, as text. */
export function selectorOf(owner: UnknownObject): string {
  const spec = (owner["spec"] ?? {}) as {
    selector?: {
      matchLabels?: Record<string, string>;
      matchExpressions?: { key: string; operator: string; values?: string[] }[];
    } & Record<string, unknown>;
  };
  const { selector } = spec;
  if (selector === undefined) throw new UsageError(`${owner.kind} ${owner.metadata.name} selects no pods`);
  const labels =
    owner.kind === "Service" || owner.kind === "ReplicationController"
      ? (selector as unknown as Record<string, string>)
      : (selector.matchLabels ?? {});
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      ({
        In: `${key} in (${values.join(",")})`,
        NotIn: `${key} notin (${values.join(",")})`,
        Exists: key,
        DoesNotExist: `!${key}`,
      })[operator] ?? "",
  );
  return [...Object.entries(labels).map(([key, value]) => `${key}=${value}`), ...expressions].join(",");
}

function containersOf(pod: V1Pod, wanted: string, all: boolean, { io }: Invocation): string[] {
  const names = [
    ...(pod.spec?.initContainers ?? []),
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.ephemeralContainers ?? []),
  ].map(({ name }) => name);
  if (all) return names;
  if (wanted !== "") {
    if (!names.includes(wanted)) throw new UsageError(`container ${wanted} is not valid for pod ${pod.metadata.name}`);
    return [wanted];
  }
  return [defaultContainer(pod, (text) => io.stderr(text))];
}

/** The annotated container, else the first; says so where there was a choice. */
export function defaultContainer(pod: V1Pod, say: (text: string) => void): string {
  const annotated = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const containers = pod.spec?.containers ?? [];
  if (annotated !== undefined && containers.some(({ name }) => name === annotated)) return annotated;
  const all = [...containers, ...(pod.spec?.initContainers ?? [])].map(
    ({ name, restartPolicy }) =>
      `${name}${restartPolicy === undefined && !containers.some((one) => one.name === name) ? " (init)" : ""}`,
  );
  if (all.length > 1) say(`Defaulted container "${containers[0]!.name}" out of: ${all.join(", ")}\n`);
  return containers[0]?.name ?? "";
}

async function printOne(
  { client }: Session,
  { flags, io }: Invocation,
  { pod, name }: { pod: V1Pod; name: string },
): Promise<void> {
  const tail = flags.given("tail") ? flags.integer("tail") : flags.given("selector") ? 10 : -1;
  const query: Record<string, string> = {
    container: name,
    ...(flags.boolean("follow") ? { follow: "true" } : {}),
    ...(flags.boolean("previous") ? { previous: "true" } : {}),
    ...(flags.boolean("timestamps") ? { timestamps: "true" } : {}),
    ...(flags.given("since") ? { sinceSeconds: String(Math.max(1, Math.ceil(flags.durationMs("since") / 1000))) } : {}),
    ...(flags.given("since-time") ? { sinceTime: flags.string("since-time") } : {}),
    ...(tail >= 0 ? { tailLines: String(tail) } : {}),
    ...(flags.integer("limit-bytes") > 0 ? { limitBytes: String(flags.integer("limit-bytes")) } : {}),
  };
  const prefix = flags.boolean("prefix") ? `[pod/${pod.metadata.name}/${name}] ` : "";
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of client.transport.stream({
    method: "GET",
    path: objectPath(Pod, pod.metadata, "log"),
    query,
    accept: "*/*",
    signal: io.signal,
  })) {
    const text = rest + decoder.decode(chunk, { stream: true });
    if (prefix === "") {
      io.stdout(text);
      continue;
    }
    const lines = text.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) io.stdout(`${prefix}${line}\n`);
  }
  if (rest !== "") io.stdout(`${prefix}${rest}\n`);
}
