/** `capstan create deployment|job|cronjob` and `capstan run`. */
import { CronJob } from "#api/batch/cron-job.ts";
import type { UnknownObject } from "#api/object.ts";
import { type Flag, type FlagValues, UsageError } from "#cli/command.ts";
import { selectResources } from "#cli/resource-arguments.ts";
import type { Session } from "#cli/session.ts";
import { commaValues, createSubcommand } from "./subcommand.ts";

const image: Flag = { name: "image", type: "strings", placeholder: "IMAGE", help: "Image to run; may be repeated" };
const port: Flag = {
  name: "port",
  type: "integer",
  default: -1,
  placeholder: "PORT",
  help: "The port that the container exposes",
};

/** "registry/path/nginx:1" → "nginx". */
const nameOfImage = (text: string): string =>
  text.split("/").at(-1)!.split(/[:@]/)[0]!.replaceAll("_", "-").toLowerCase();
const portsOf = (flags: FlagValues) =>
  flags.integer("port") > 0 ? { ports: [{ containerPort: flags.integer("port") }] } : {};

export const createDeployment = createSubcommand({
  word: "deployment",
  summary: "Create a deployment",
  examples: [
    "capstan create deployment web --image=nginx:1.27 --replicas=2",
    "capstan create deployment shell --image=busybox -- sleep 1d",
  ],
  flags: [
    image,
    port,
    { name: "replicas", short: "r", type: "integer", default: 1, placeholder: "COUNT", help: "How many pods" },
  ],
  required: ["image"],
  build({ flags, afterDashes }, name): UnknownObject {
    const images = commaValues(flags.strings("image"));
    if (images.length > 1 && afterDashes !== undefined)
      throw new UsageError("cannot specify multiple --image options and command");
    const labels = { app: name };
    const containers = images.map((one, at) => ({
      image: one,
      name: nameOfImage(one),
      ...(afterDashes === undefined ? {} : { command: afterDashes }),
      ...(at === 0 ? portsOf(flags) : {}),
      resources: {},
    }));
    return {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, labels },
      spec: {
        replicas: flags.integer("replicas"),
        selector: { matchLabels: labels },
        strategy: {},
        template: { metadata: { labels }, spec: { containers } },
      },
      status: {},
    };
  },
});

export const createJob = createSubcommand({
  word: "job",
  summary: "Create a job",
  examples: ["capstan create job once --image=busybox -- date", "capstan create job now --from=cronjob/nightly"],
  flags: [image, { name: "from", type: "string", placeholder: "cronjob/NAME", help: "Run a cron job's template now" }],
  async build({ flags, afterDashes }, name, session) {
    if (flags.given("from") === flags.given("image"))
      throw new UsageError("either --image or --from must be specified");
    if (flags.given("from")) return await jobOfCronJob(flags.string("from"), name, session);
    const command = afterDashes === undefined ? {} : { command: afterDashes };
    const containers = [{ ...command, image: flags.strings("image")[0], name, resources: {} }];
    const spec = { template: { metadata: {}, spec: { containers, restartPolicy: "Never" } } };
    return { apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec, status: {} };
  },
});

async function jobOfCronJob(
  from: string,
  name: string,
  { client, discovery, namespace }: Session,
): Promise<UnknownObject> {
  const [selection] = await selectResources(discovery, [from]);
  if (selection?.resource.kind !== "CronJob")
    throw new UsageError(`unknown object type *${selection?.resource.version}.${selection?.resource.kind}`);
  const cronJob = await client.get(CronJob, { name: selection.names[0], namespace });
  const { metadata, spec } = cronJob.spec!.jobTemplate;
  const owner = { apiVersion: "batch/v1", kind: "CronJob", name: cronJob.metadata.name, uid: cronJob.metadata.uid };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name,
      annotations: { "cronjob.kubernetes.io/instantiate": "manual", ...metadata?.annotations },
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      // No blockOwnerDeletion: that would need a right on the cron job's finalizers.
      ownerReferences: [{ ...owner, controller: true }],
    },
    spec,
    status: {},
  } as UnknownObject;
}

export const createCronJob = createSubcommand({
  word: "cronjob",
  summary: "Create a cron job",
  examples: ['capstan create cronjob nightly --image=busybox --schedule="0 2 * * *" -- date'],
  flags: [
    image,
    { name: "schedule", type: "string", placeholder: "CRON", help: "When, as five fields" },
    { name: "restart", type: "string", placeholder: "OnFailure|Never", help: "When to start a container again" },
  ],
  required: ["image", "schedule"],
  build({ flags, afterDashes }, name) {
    const command = afterDashes === undefined ? {} : { command: afterDashes };
    const containers = [{ ...command, image: flags.strings("image")[0], name, resources: {} }];
    const podSpec = { containers, restartPolicy: flags.string("restart") || "OnFailure" };
    const jobTemplate = { metadata: { name }, spec: { template: { metadata: {}, spec: podSpec } } };
    const spec = { jobTemplate, schedule: flags.string("schedule") };
    return { apiVersion: "batch/v1", kind: "CronJob", metadata: { name }, spec, status: {} };
  },
});

export const runPod = createSubcommand({
  word: "pod",
  command: "run",
  summary: "Run an image in a pod",
  examples: [
    "capstan run web --image=nginx:1.27 --port=80",
    "capstan run once --image=busybox --restart=Never -- date",
  ],
  flags: [
    image,
    port,
    { name: "env", type: "strings", placeholder: "KEY=VALUE", help: "A variable; may be repeated" },
    { name: "labels", short: "l", type: "string", placeholder: "KEY=VALUE,...", help: "Labels of the pod" },
    {
      name: "restart",
      type: "string",
      default: "Always",
      placeholder: "Always|OnFailure|Never",
      help: "When to start it again",
    },
    { name: "command", type: "boolean", help: "What follows -- is the command instead of its arguments" },
  ],
  required: ["image"],
  build({ flags, afterDashes }, name) {
    const given = commaValues([flags.string("labels")]).map((pair) => pair.split("=", 2) as [string, string]);
    const env = flags.strings("env").map((pair) => {
      const cut = pair.indexOf("=");
      if (cut < 1) throw new UsageError(`invalid env: ${pair}`);
      return { name: pair.slice(0, cut), value: pair.slice(cut + 1) };
    });
    const words = afterDashes === undefined ? {} : { [flags.boolean("command") ? "command" : "args"]: afterDashes };
    const container = {
      ...words,
      ...(env.length === 0 ? {} : { env }),
      image: flags.strings("image")[0],
      name,
      ...portsOf(flags),
      resources: {},
    };
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: given.length === 0 ? { run: name } : Object.fromEntries(given) },
      spec: { containers: [container], dnsPolicy: "ClusterFirst", restartPolicy: flags.string("restart") },
      status: {},
    };
  },
});
