/** `capstan create -f`, `apply`, `replace`: objects from files into the cluster. `apply` is server-side. */
import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { StatusError, isNotFound } from "#api/status-error.ts";
import { collectionPath, objectPath } from "#client/resource-path.ts";
import { type Command, type Flag, type Invocation, UsageError } from "./command.ts";
import { cascadeFlag, cascadePolicy } from "./delete.ts";
import { untilGone } from "./gone.ts";
import { createPrinter, outputHelp, writeFormats } from "./output.ts";
import { type FileObject, readFileObjects, namesFiles } from "./resource-arguments.ts";
import { statusText, whileDoing } from "./refusal.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";
import {
  type Target,
  dryRunFlag,
  dryRunMode,
  fileFlags,
  kustomizeFlag,
  fileTarget,
  targetName,
  withKind,
  wordOf,
} from "./targets.ts";

const writeFlags: readonly Flag[] = [
  ...sessionFlags,
  ...fileFlags,
  kustomizeFlag,
  dryRunFlag,
  { name: "output", short: "o", type: "string", help: outputHelp },
  {
    name: "validate",
    type: "string",
    default: "strict",
    bareValue: "strict",
    placeholder: "strict|warn|ignore",
    help: "What to do about unknown and duplicate fields",
  },
  {
    name: "field-manager",
    type: "string",
    default: "capstan",
    placeholder: "NAME",
    help: "Who owns the fields that are written",
  },
];

type Verb = "create" | "apply" | "replace";

function writeCommand(verb: Verb, summary: string, examples: readonly string[], extra: readonly Flag[] = []): Command {
  return {
    name: verb,
    group: "Objects",
    summary,
    usage: `capstan ${verb} -f FILENAME [flags]`,
    examples,
    flags: [...writeFlags, ...extra],
    async run(invocation) {
      const session = openSession(invocation);
      try {
        return await writeAll(session, verb, invocation);
      } finally {
        session.close();
      }
    },
  };
}

export const applyCommand = writeCommand(
  "apply",
  "Make the cluster have what files say (server-side apply)",
  ["capstan apply -f web.yaml", "cat web.yaml | capstan apply -f -", "capstan apply -f manifests/ -R --dry-run=server"],
  [
    { name: "force-conflicts", type: "boolean", help: "Take over fields that somebody else manages" },
    { name: "server-side", type: "boolean", default: true, help: "Always so; here for kubectl's sake" },
  ],
);

export const replaceCommand = writeCommand(
  "replace",
  "Replace objects by what files say",
  ["capstan replace -f web.yaml", "capstan replace --force -f web.yaml"],
  [
    { name: "force", type: "boolean", help: "Delete the objects first, and create them again" },
    { name: "grace-period", type: "integer", default: -1, placeholder: "SECONDS", help: "Time that pods get to end" },
    { name: "timeout", type: "duration", default: "0s", help: "How long to wait until they are gone; 0 is for ever" },
    cascadeFlag,
  ],
);

export const createCommand = writeCommand("create", "Create objects from files or from flags", [
  "capstan create -f web.yaml",
  "capstan create deployment web --image=nginx:1.27",
  "capstan create configmap settings --from-literal=colour=blue",
]);

const doing: Readonly<Record<Verb, string>> = { create: "creating", apply: "applying", replace: "replacing" };

async function writeAll(session: Session, verb: Verb, invocation: Invocation): Promise<number> {
  const { flags, io, args } = invocation;
  if (args.length > 0)
    throw new UsageError(`Unexpected args: [${args.join(" ")}]\nSee 'capstan ${verb} -h' for help and examples`);
  if (!namesFiles(flags)) throw new UsageError("must specify one of -f and -k");
  if (verb === "replace") checkForce(flags);
  const failures: (UsageError | StatusError)[] = [];
  const files = await readFileObjects(flags, io.stdin, failures);
  if (files.length + failures.length === 0) throw new UsageError(`no objects passed to ${verb}`);
  const printer = createPrinter(flags.string("output"), { allowed: writeFormats });
  if (verb === "replace" && flags.boolean("force")) await deleteFirst(session, invocation, files);
  for (const { object, source } of files) {
    try {
      checkNamespace(object, session, flags);
      const target = await fileTarget(session, object, source);
      const { written, word } = await writeOne(session, verb, target, flags).catch((error: unknown) => {
        throw whileDoing(error, doing[verb], source);
      });
      const name = written.metadata.name ?? target.key.name;
      io.stdout(
        printer === undefined
          ? `${targetName({ ...target, key: { name } })} ${word}${dryRunMode(flags).suffix}\n`
          : printer(withKind(written, target.resource)),
      );
    } catch (error) {
      const isAlone = files.length === 1 && failures.length === 0;
      if (isAlone || !(error instanceof UsageError || error instanceof StatusError)) throw error;
      failures.push(error);
    }
  }
  for (const error of failures)
    io.stderr(error instanceof StatusError ? statusText(error) : `error: ${error.message}\n`);
  return failures.length === 0 ? 0 : 1;
}

/** What only matters to a deletion needs one. */
function checkForce(flags: Invocation["flags"]): void {
  if (flags.boolean("force")) return;
  if (flags.integer("grace-period") >= 0) throw new UsageError("--grace-period must have --force specified");
  if (flags.durationMs("timeout") !== 0) throw new UsageError("--timeout must have --force specified");
}

/** Resolves once all of them are gone; pods get at least a second. */
async function deleteFirst(session: Session, { flags, io }: Invocation, files: readonly FileObject[]): Promise<void> {
  if (dryRunMode(flags).suffix !== "") throw new UsageError("--dry-run can not be used when --force is set");
  const grace = flags.integer("grace-period");
  const deadline = performance.now() + (flags.durationMs("timeout") || Infinity);
  const options = {
    propagationPolicy: cascadePolicy(flags),
    ...(grace < 0 ? {} : { gracePeriodSeconds: Math.max(grace, 1) }),
  };
  for (const { object, source } of files) {
    const { resource, key } = await fileTarget(session, object, source);
    const isThere = await session.client.delete(resource, key, options).then(
      () => true,
      (error: unknown) => {
        if (isNotFound(error)) return false;
        throw error;
      },
    );
    if (!isThere) continue;
    const place = key.namespace === undefined ? "" : ` from ${key.namespace} namespace`;
    io.stdout(`${wordOf(resource)} "${key.name}" deleted${place}\n`);
    if (!(await untilGone(session, resource, key, { deadline, signal: io.signal })))
      throw new UsageError("timed out waiting for the condition");
  }
}

/** A namespace that was asked for must be the object's own. */
function checkNamespace({ metadata }: UnknownObject, { namespace }: Session, flags: Invocation["flags"]): void {
  const own = metadata.namespace;
  if (!flags.given("namespace") || own === undefined || own === namespace) return;
  throw new UsageError(
    `the namespace from the provided object "${own}" does not match the namespace "${namespace}". You must pass '--namespace=${own}' to perform this operation.`,
  );
}

async function writeOne(
  session: Session,
  verb: Verb,
  { resource, key, object }: Target,
  flags: Invocation["flags"],
): Promise<{ written: KubernetesObject; word: string }> {
  const mode = dryRunMode(flags);
  const past = { create: "created", replace: "replaced", apply: "configured" }[verb];
  if (mode.client && verb !== "apply") return { written: object!, word: past };
  const validation = { strict: "Strict", true: "Strict", warn: "Warn", ignore: "Ignore", false: "Ignore" }[
    flags.string("validate")
  ];
  if (validation === undefined)
    throw new UsageError(`invalid - validate option ${JSON.stringify(flags.string("validate"))}`);
  const query = {
    fieldManager: flags.string("field-manager"),
    fieldValidation: validation,
    ...(mode.server ? { dryRun: "All" } : {}),
  };
  const { client } = session;
  if (verb === "create" || (verb === "replace" && flags.boolean("force")))
    return {
      written: (await client.call({
        method: "POST",
        path: collectionPath(resource, key.namespace),
        body: withVersion(object!, undefined),
        query,
      })) as KubernetesObject,
      word: past,
    };
  if (verb === "replace") {
    const version = object!.metadata.resourceVersion ?? (await client.get(resource, key)).metadata.resourceVersion;
    const body = withVersion(object!, version);
    return {
      written: (await client.call({ method: "PUT", path: objectPath(resource, key), body, query })) as KubernetesObject,
      word: past,
    };
  }
  return await applyOne(session, { resource, key, object: object! }, flags, query);
}

/** A new object has no version; one that replaces another has that one's. */
function withVersion(object: UnknownObject, version: string | undefined): UnknownObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata: version === undefined ? metadata : { ...metadata, resourceVersion: version } };
}

async function applyOne(
  { client }: Session,
  { resource, key, object }: Required<Pick<Target, "resource" | "key" | "object">>,
  flags: Invocation["flags"],
  query: Record<string, string>,
): Promise<{ written: KubernetesObject; word: string }> {
  const before = await client.get(resource, key).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const mode = dryRunMode(flags);
  if (mode.client && before === undefined) return { written: object, word: "created" };
  const sent: Record<string, string> = { ...query };
  if (mode.client) sent["dryRun"] = "All";
  if (flags.boolean("force-conflicts")) sent["force"] = "true";
  const patch = async (more: Record<string, string> = {}) =>
    await client.request({
      method: "PATCH",
      path: objectPath(resource, key),
      contentType: "application/apply-patch+yaml",
      body: object,
      query: { ...sent, ...more },
    });
  const { code, body } = await patch().catch(async (error: unknown) => {
    if (!(error instanceof StatusError && error.reason === "Conflict")) throw error;
    if (isWithItself(error)) return await patch({ force: "true" });
    throw conflictError(error);
  });
  const written = body as UnknownObject;
  if (flags.given("server-side") && flags.boolean("server-side")) return { written, word: "serverside-applied" };
  return { written, word: code === 201 ? "created" : isSame(before, written) ? "unchanged" : "configured" };
}

/** All that stands against it was written by other commands of capstan's, as `create` and `label`. */
function isWithItself({ status }: StatusError): boolean {
  const causes = status.details?.causes ?? [];
  return (
    causes.length > 0 &&
    causes.every(({ message = "" }) =>
      /^conflict with "capstan(-[a-z]+)?"( with subresource "[a-z]+")? using /.test(message),
    )
  );
}

/** Nothing but who manages what, and when, has changed. */
function isSame(before: UnknownObject | undefined, after: UnknownObject): boolean {
  const content = ({ metadata, ...rest }: UnknownObject) => {
    const { managedFields: _, resourceVersion: __, generation: ___, ...own } = metadata;
    return { ...rest, apiVersion: "", kind: "", metadata: own };
  };
  return before !== undefined && isDeepStrictEqual(content(before), content(after));
}

function conflictError({ message }: StatusError): UsageError {
  return new UsageError(`${message}
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`);
}
