/** `capstan delete`: deletes and, unless told not to, waits until the objects are gone. */
import { StatusError, isNotFound } from "#api/status-error.ts";
import { type Command, type Flag, type FlagValues, type Invocation, UsageError } from "./command.ts";
import { namesFiles } from "./resource-arguments.ts";
import { untilGone } from "./gone.ts";
import { statusText, whileDoing } from "./refusal.ts";
import { type Session, withSession, sessionFlags } from "./session.ts";
import {
  type Target,
  dryRunFlag,
  dryRunMode,
  fileFlags,
  kustomizeFlag,
  findTargets,
  selectorFlags,
  wordOf,
} from "./targets.ts";

export const cascadeFlag: Flag = {
  name: "cascade",
  type: "string",
  default: "background",
  bareValue: "background",
  placeholder: "background|foreground|orphan",
  help: "What becomes of dependents",
};

export const deleteCommand: Command = {
  name: "delete",
  group: "Objects",
  summary: "Delete objects by file, by name or by selector",
  usage: "capstan delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)]) [flags]",
  examples: [
    "capstan delete pod web",
    "capstan delete -f web.yaml",
    "capstan delete pods -l app=web --now",
    "capstan delete deployment web --cascade=orphan",
  ],
  flags: [
    ...sessionFlags,
    ...fileFlags,
    kustomizeFlag,
    ...selectorFlags,
    dryRunFlag,
    { name: "grace-period", type: "integer", default: -1, placeholder: "SECONDS", help: "Time that pods get to end" },
    { name: "now", type: "boolean", help: "The same as --grace-period=1" },
    { name: "force", type: "boolean", help: "Do not wait for the node to confirm; with --grace-period=0" },
    cascadeFlag,
    { name: "all-namespaces", short: "A", type: "boolean", help: "In all namespaces" },
    { name: "ignore-not-found", type: "boolean", help: "No error for objects that do not exist" },
    { name: "wait", type: "boolean", default: true, help: "Wait until the objects are gone" },
    {
      name: "timeout",
      type: "duration",
      default: "0s",
      help: "How long to wait; 0 is for ever",
    },
    { name: "output", short: "o", type: "string", placeholder: "name", help: "Print names only" },
  ],
  async run(invocation) {
    return await withSession(invocation, async (session) => await deleteAll(session, invocation));
  },
};

const policies: Readonly<Record<string, "Background" | "Foreground" | "Orphan">> = {
  background: "Background",
  true: "Background",
  foreground: "Foreground",
  orphan: "Orphan",
  false: "Orphan",
};

/** Throws UsageError for an unknown one. */
export function cascadePolicy(flags: FlagValues): "Background" | "Foreground" | "Orphan" {
  const policy = policies[flags.string("cascade")];
  if (policy !== undefined) return policy;
  throw new UsageError(
    `invalid cascade value (${flags.string("cascade")}). Must be "background", "foreground", or "orphan"`,
  );
}

async function deleteAll(session: Session, invocation: Invocation): Promise<number> {
  const { flags, io } = invocation;
  const propagationPolicy = cascadePolicy(flags);
  const grace = flags.boolean("now")
    ? 1
    : flags.given("grace-period")
      ? flags.integer("grace-period")
      : flags.boolean("force")
        ? 0
        : -1;
  if (flags.boolean("force"))
    io.stderr(
      "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.\n",
    );
  const mode = dryRunMode(flags);
  if (invocation.args.length === 0 && !namesFiles(flags))
    throw new UsageError(
      "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n  '-f rsrc.yaml'\n  '--filename=rsrc.json'\n  '<resource> <name>'\n  '<resource>'",
    );
  if (flags.boolean("all-namespaces") && !flags.given("selector") && !flags.boolean("all"))
    throw new UsageError("a resource cannot be retrieved by name across all namespaces");
  if (flags.boolean("all") && flags.given("selector"))
    throw new UsageError("setting 'all' parameter but found a non empty selector. ");
  const targets = await findTargets(session, invocation);
  if (flags.given("namespace") && targets.some(({ key }) => key.namespace === undefined))
    io.stderr("Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n");
  const waiting: Target[] = [];
  let exitCode = 0;
  for (const target of targets) {
    try {
      if (!mode.client) {
        await session.client.delete(target.resource, target.key, {
          propagationPolicy,
          ...(grace >= 0 ? { gracePeriodSeconds: grace } : {}),
          ...(mode.server ? { dryRun: true } : {}),
        });
        waiting.push(target);
      }
      io.stdout(
        flags.string("output") === "name"
          ? `${wordOf(target.resource)}/${target.key.name}\n`
          : `${wordOf(target.resource)} "${target.key.name}" ${flags.boolean("force") ? "force deleted" : "deleted"}${target.key.namespace === undefined ? "" : ` from ${target.key.namespace} namespace`}${mode.suffix}\n`,
      );
    } catch (error) {
      if (isNotFound(error) && flags.boolean("ignore-not-found")) continue;
      if (!(error instanceof StatusError)) throw error;
      io.stderr(
        statusText(target.source === undefined ? error : (whileDoing(error, "deleting", target.source) as StatusError)),
      );
      exitCode = 1;
    }
  }
  if (targets.length === 0) io.stdout("No resources found\n");
  if (!flags.boolean("wait") || mode.server || flags.boolean("force")) return exitCode;
  return (await waitGone(session, waiting, flags.durationMs("timeout") || Infinity, invocation)) ? exitCode : 1;
}

async function waitGone(
  session: Session,
  targets: readonly Target[],
  timeoutMs: number,
  { io }: Invocation,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (const { resource, key } of targets) {
    if (await untilGone(session, resource, key, { deadline, signal: io.signal })) continue;
    io.stderr(`error: timed out waiting for the condition on ${resource.plural}/${key.name}\n`);
    return false;
  }
  return true;
}
