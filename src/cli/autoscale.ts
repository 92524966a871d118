/** `capstan autoscale`: a HorizontalPodAutoscaler for a workload. Upstream: kubectl/pkg/cmd/autoscale. */
import { apiVersionOf } from "#api/object.ts";
import { QuantityError, parseQuantity } from "#api/quantity.ts";
import { type Command, type FlagValues, type Invocation, UsageError } from "./command.ts";
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
  targetName,
  withKind,
} from "./targets.ts";

export const autoscaleCommand: Command = {
  name: "autoscale",
  group: "Objects",
  summary: "Let the number of replicas follow the load",
  usage: "capstan autoscale (-f FILENAME | TYPE NAME) [--min=COUNT] --max=COUNT [--cpu=TARGET] [flags]",
  examples: ["capstan autoscale deployment web --min=2 --max=10 --cpu=70%"],
  flags: [
    ...sessionFlags,
    ...fileFlags,
    kustomizeFlag,
    dryRunFlag,
    { name: "min", type: "integer", default: -1, placeholder: "COUNT", help: "At least so many replicas" },
    { name: "max", type: "integer", default: -1, placeholder: "COUNT", help: "At most so many replicas" },
    { name: "cpu", type: "string", placeholder: "PERCENT|AMOUNT", help: "Wanted use: of requests, or a quantity" },
    { name: "memory", type: "string", placeholder: "PERCENT|AMOUNT", help: "Wanted use: of requests, or a quantity" },
    { name: "name", type: "string", placeholder: "NAME", help: "The autoscaler's name; the object's own unless given" },
    {
      name: "field-manager",
      type: "string",
      default: "capstan-autoscale",
      placeholder: "NAME",
      help: "Who owns the fields",
    },
    { name: "output", short: "o", type: "string", help: outputHelp },
  ],
  async run(invocation) {
    const { args, flags } = invocation;
    if (!flags.given("max")) throw new UsageError('required flag(s) "max" not set');
    if (args.length === 0 && !namesFiles(flags)) throw new UsageError(nothingNamed);
    const [min, max] = [flags.integer("min"), flags.integer("max")];
    if (max < 1) throw new UsageError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
    if (max < min)
      throw new UsageError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
    return await withSession(invocation, async (session) => await autoscaleAll(session, invocation));
  },
};

async function autoscaleAll(session: Session, invocation: Invocation): Promise<number> {
  const { flags, io } = invocation;
  const printer = createPrinter(flags.string("output"), { allowed: writeFormats });
  const mode = dryRunMode(flags);
  for (const target of await findTargets(session, invocation)) {
    const { resource } = target;
    if (resource.subresources["scale"] === undefined)
      throw new UsageError(
        `cannot autoscale a ${resource.kind}: could not find scale subresource for ${resource.group}/${resource.version}, Resource=${resource.plural} in discovery information`,
      );
    await session.client.get(resource, target.key);
    const made = await fileTarget(session, autoscalerFor(target, flags));
    const options = { dryRun: mode.server, fieldManager: flags.string("field-manager") };
    const written = mode.client ? made.object! : await session.client.create(made.resource, made.object!, options);
    io.stdout(
      printer === undefined
        ? `${targetName(made)} autoscaled${mode.suffix}\n`
        : printer(withKind(written, made.resource)),
    );
  }
  return 0;
}

function autoscalerFor({ resource, key }: Target, flags: FlagValues) {
  const metrics = [metricOf(flags, "cpu", "m"), metricOf(flags, "memory", "Mi")].filter((one) => one !== undefined);
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: flags.string("name") || key.name, namespace: key.namespace! },
    spec: {
      maxReplicas: flags.integer("max"),
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(flags.integer("min") > 0 ? { minReplicas: flags.integer("min") } : {}),
      scaleTargetRef: { apiVersion: apiVersionOf(resource), kind: resource.kind, name: key.name },
    },
    status: { currentMetrics: null, desiredReplicas: 0 },
  };
}

/** "70%" of what is requested, "500m" each; a bare number has the resource's usual unit. */
function metricOf(flags: FlagValues, name: "cpu" | "memory", unit: string): object | undefined {
  if (!flags.given(name)) return undefined;
  const text = flags.string(name);
  const metric = (target: object) => ({ resource: { name, target }, type: "Resource" });
  if (/^\d+%$/.test(text)) return metric({ averageUtilization: Number(text.slice(0, -1)), type: "Utilization" });
  const amount = /^\d+$/.test(text) ? `${text}${unit}` : text;
  try {
    parseQuantity(amount);
  } catch (error) {
    throw error instanceof QuantityError ? new UsageError(`invalid resource ${name} value: ${text}`) : error;
  }
  return metric({ averageValue: amount, type: "AverageValue" });
}
