/** `capstan expose`: a Service in front of pods that are there. Upstream: kubectl/pkg/cmd/expose. */
import type { V1LabelSelector, V1Service } from "#api/generated/types.ts";
import type { UnknownObject } from "#api/object.ts";
import { type Command, type Flag, type FlagValues, type Invocation, UsageError } from "./command.ts";
import { commaValues } from "./create/subcommand.ts";
import { createPrinter, outputHelp, writeFormats } from "./output.ts";
import { nothingNamed, namesFiles } from "./resource-arguments.ts";
import { type Session, sessionFlags, withSession } from "./session.ts";
import {
  type Target,
  dryRunFlag,
  dryRunMode,
  fileFlags,
  kustomizeFlag,
  fileTarget,
  findTargets,
  withKind,
} from "./targets.ts";

/** A Service's name is a DNS label. */
const nameLengthMax = 63;

const flags: readonly Flag[] = [
  ...sessionFlags,
  ...fileFlags,
  kustomizeFlag,
  dryRunFlag,
  { name: "port", type: "string", placeholder: "PORT,...", help: "The Service's port; the object's own unless given" },
  { name: "target-port", type: "string", placeholder: "PORT", help: "Name or number of the port of the pods" },
  { name: "protocol", type: "string", placeholder: "TCP|UDP|SCTP", help: "The ports' protocol" },
  { name: "name", type: "string", placeholder: "NAME", help: "The Service's name; the object's own unless given" },
  { name: "type", type: "string", placeholder: "TYPE", help: "ClusterIP, NodePort, LoadBalancer or ExternalName" },
  { name: "selector", type: "string", placeholder: "LABEL=VALUE,...", help: "Which pods, instead of the object's own" },
  { name: "labels", short: "l", type: "string", placeholder: "LABEL=VALUE,...", help: "Labels of the Service" },
  { name: "cluster-ip", type: "string", placeholder: "IP", help: "Its address, or None for a headless one" },
  { name: "external-ip", type: "string", placeholder: "IP", help: "One more address that is routed to the nodes" },
  { name: "load-balancer-ip", type: "string", placeholder: "IP", help: "The load balancer's address" },
  { name: "session-affinity", type: "string", placeholder: "None|ClientIP", help: "Whether a client keeps its pod" },
  {
    name: "field-manager",
    type: "string",
    default: "capstan-expose",
    placeholder: "NAME",
    help: "Who owns the fields",
  },
  { name: "output", short: "o", type: "string", help: outputHelp },
];

export const exposeCommand: Command = {
  name: "expose",
  group: "Objects",
  summary: "Create a Service for the pods of an object",
  usage: "capstan expose (-f FILENAME | TYPE NAME) [--port=PORT] [--target-port=PORT] [flags]",
  examples: ["capstan expose deployment web --port=80 --target-port=8000", "capstan expose pod web --name=front"],
  flags,
  async run(invocation) {
    if (invocation.args.length === 0 && !namesFiles(invocation.flags)) throw new UsageError(nothingNamed);
    return await withSession(invocation, async (session) => await exposeAll(session, invocation));
  },
};

async function exposeAll(session: Session, invocation: Invocation): Promise<number> {
  const { flags: given, io } = invocation;
  const printer = createPrinter(given.string("output"), { allowed: writeFormats });
  const mode = dryRunMode(given);
  for (const target of await findTargets(session, invocation)) {
    const shown = target.object ?? (await session.client.get(target.resource, target.key));
    const service = serviceFor(shown, target, given);
    const options = { dryRun: mode.server, fieldManager: given.string("field-manager") };
    const made = await fileTarget(session, service as unknown as UnknownObject);
    const written = mode.client ? made.object! : await session.client.create(made.resource, made.object!, options);
    io.stdout(
      printer === undefined
        ? `service/${service.metadata.name} exposed${mode.suffix}\n`
        : printer(withKind(written, made.resource)),
    );
  }
  return 0;
}

interface Exposed {
  selector?: V1LabelSelector | Record<string, string>;
  template?: { spec?: PodSpec };
  containers?: PodSpec["containers"];
  ports?: { port: number; protocol?: string }[];
}
interface PodSpec {
  containers?: { ports?: { containerPort: number; protocol?: string }[] }[];
}

function serviceFor(live: UnknownObject, { resource, key }: Target, given: FlagValues): V1Service {
  const { kind } = resource;
  const spec = (live["spec"] ?? {}) as Exposed;
  if (!["ReplicationController", "Service", "Pod", "Deployment", "ReplicaSet"].includes(kind))
    throw new UsageError(`cannot expose a ${kind}`);
  const selector = given.given("selector") ? pairsOf(given.string("selector")) : selectorOf(kind, live, spec);
  const found =
    kind === "Service" ? (spec.ports ?? []) : containerPorts(kind === "Pod" ? spec : (spec.template?.spec ?? {}));
  const ports = servicePorts(found, given);
  const labels = given.given("labels") ? pairsOf(given.string("labels")) : live.metadata.labels;
  const text = (field: string, flag: string) => (given.given(flag) ? { [field]: given.string(flag) } : {});
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: given.string("name") || key.name.slice(0, nameLengthMax),
      namespace: key.namespace!,
      ...(labels === undefined ? {} : { labels }),
    },
    spec: {
      ...text("clusterIP", "cluster-ip"),
      ...(given.given("external-ip") ? { externalIPs: [given.string("external-ip")] } : {}),
      ...text("loadBalancerIP", "load-balancer-ip"),
      ports,
      selector,
      ...text("sessionAffinity", "session-affinity"),
      ...text("type", "type"),
    },
    status: { loadBalancer: {} },
  } as V1Service;
}

const pairsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    commaValues([text]).map((pair) => {
      const [key = "", value, ...more] = pair.split("=");
      if (key === "" || value === undefined || more.length > 0) throw new UsageError(`unexpected label spec: ${pair}`);
      return [key, value];
    }),
  );

/** The labels by which the object finds its pods. Throws UsageError where they are no plain labels. */
function selectorOf(kind: string, live: UnknownObject, { selector = {} }: Exposed): Record<string, string> {
  const fail = (text: string): never => {
    throw new UsageError(`couldn't retrieve selectors via --selector flag or introspection: ${text}`);
  };
  if (kind === "Pod") return live.metadata.labels ?? fail("the pod has no labels and cannot be exposed");
  if (kind === "Service" || kind === "ReplicationController") {
    const labels = selector as Record<string, string>;
    if (Object.keys(labels).length > 0) return labels;
    return fail(
      kind === "Service" ? "the service has no pod selector set" : "the replication controller has no labels",
    );
  }
  const { matchLabels = {}, matchExpressions = [] } = selector as V1LabelSelector;
  if (Object.keys(matchLabels).length === 0)
    return fail(`invalid ${kind.toLowerCase()}: no selectors, therefore cannot be exposed`);
  if (matchExpressions.length === 0) return matchLabels;
  const texts = matchExpressions.map(
    ({ key, operator, values = [] }) => `{Key:${key} Operator:${operator} Values:[${values.join(" ")}]}`,
  );
  return fail(`couldn't convert expressions - "[${texts.join(" ")}]" to map-based selector format`);
}

const containerPorts = ({ containers = [] }: PodSpec) =>
  containers.flatMap(({ ports = [] }) =>
    ports.map(({ containerPort, protocol }) => ({ port: containerPort, protocol })),
  );

function servicePorts(found: readonly { port: number; protocol?: string | undefined }[], given: FlagValues): object[] {
  const texts = given.given("port") ? given.string("port").split(",") : found.map(({ port }) => String(port));
  if (texts.length === 0) throw new UsageError("couldn't find port via --port flag or introspection");
  const target = given.string("target-port");
  return texts.map((text, at) => {
    if (!/^-?\d+$/.test(text)) throw new UsageError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    const port = Number(text);
    const own = found.find((one) => one.port === port)?.protocol;
    const targetPort = target === "" ? port : /^\d+$/.test(target) ? Number(target) : target;
    return {
      ...(texts.length > 1 ? { name: `port-${at + 1}` } : {}),
      port,
      protocol: given.string("protocol") || own || "TCP",
      targetPort,
    };
  });
}
