/** `capstan create -f`, `apply`, `replace`: objects from files into the cluster. `apply` is server-side. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import { collectionPath, objectPath } from "#client/resource-path.ts";
import { type Command, type Flag, type Invocation, UsageError } from "./command.ts";
import { createPrinter, outputHelp } from "./output.ts";
import { readFileObjects } from "./resource-arguments.ts";
import { type Session, openSession, sessionFlags } from "./session.ts";
import { type Target, dryRunFlag, dryRunMode, fileFlags, fileTarget, targetName } from "./targets.ts";

const writeFlags: readonly Flag[] = [
  ...sessionFlags,
  ...fileFlags,
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

export const replaceCommand = writeCommand("replace", "Replace objects by what files say", [
  "capstan replace -f web.yaml",
]);

const fileCreate = writeCommand("create", "Create objects from files or from flags", ["capstan create -f web.yaml"]);
export const createCommand: Command = {
  ...fileCreate,
  usage:
    "capstan create -f FILENAME | namespace NAME | configmap NAME | secret generic NAME [--from-literal K=V] [--from-file [K=]FILE]",
  examples: [
    ...fileCreate.examples,
    "capstan create namespace demo",
    "capstan create configmap settings --from-literal colour=blue",
    "capstan create secret generic login --from-literal password=secret",
  ],
  flags: [
    ...fileCreate.flags,
    { name: "from-literal", type: "strings", placeholder: "KEY=VALUE", help: "A key and its value" },
    { name: "from-file", type: "strings", placeholder: "[KEY=]FILE", help: "A file's content under its name or a key" },
    { name: "type", type: "string", placeholder: "TYPE", help: "Type of the Secret" },
  ],
};

async function writeAll(session: Session, verb: Verb, invocation: Invocation): Promise<number> {
  const { flags, io, args } = invocation;
  const generated =
    verb === "create" && !flags.given("filename")
      ? [{ object: objectFromFlags(invocation), source: "flags" }]
      : undefined;
  if (generated === undefined && !flags.given("filename")) throw new UsageError("must specify one of -f and -k");
  if (generated === undefined && args.length > 0) throw new UsageError(`Unexpected args: [${args.join(" ")}]`);
  const files = generated ?? (await readFileObjects(flags.strings("filename"), flags.boolean("recursive"), io.stdin));
  if (files.length === 0) throw new UsageError("no objects passed to " + verb);
  const printer = createPrinter(flags.string("output"));
  let exitCode = 0;
  for (const { object, source } of files) {
    try {
      const target = await fileTarget(session, object);
      const { written, word } = await writeOne(session, verb, target, flags);
      io.stdout(
        printer === undefined
          ? `${targetName({ ...target, key: { name: written.metadata.name ?? target.key.name } })} ${word}${dryRunMode(flags).suffix}\n`
          : printer(written),
      );
    } catch (error) {
      if (files.length === 1) throw error;
      io.stderr(
        `Error from server: error when ${verb === "apply" ? "applying" : verb === "create" ? "creating" : "replacing"} "${source}": ${(error as Error).message}\n`,
      );
      exitCode = 1;
    }
  }
  return exitCode;
}

async function writeOne(
  session: Session,
  verb: Verb,
  { resource, key, object }: Target,
  flags: Invocation["flags"],
): Promise<{ written: KubernetesObject; word: string }> {
  const mode = dryRunMode(flags);
  const past = { create: "created", replace: "replaced", apply: "configured" }[verb];
  if (mode.client) return { written: object!, word: verb === "apply" ? "created" : past };
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
  if (verb === "create")
    return {
      written: (await client.call({
        method: "POST",
        path: collectionPath(resource, key.namespace),
        body: object,
        query,
      })) as KubernetesObject,
      word: past,
    };
  if (verb === "replace")
    return {
      written: (await client.call({
        method: "PUT",
        path: objectPath(resource, key),
        body: object,
        query,
      })) as KubernetesObject,
      word: past,
    };
  const before = await client.get(resource, key).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const { code, body } = await client.request({
    method: "PATCH",
    path: objectPath(resource, key),
    contentType: "application/apply-patch+yaml",
    body: object,
    query: { ...query, ...(flags.boolean("force-conflicts") ? { force: "true" } : {}) },
  });
  const written = body as UnknownObject;
  const word =
    code === 201
      ? "created"
      : before?.metadata.resourceVersion === written.metadata.resourceVersion && !mode.server
        ? "unchanged"
        : "configured";
  return { written, word };
}

function objectFromFlags({ args, flags }: Invocation): UnknownObject {
  const [type, ...rest] = args;
  const name = (type === "secret" ? rest[1] : rest[0]) ?? "";
  if (type === undefined) throw new UsageError("must specify one of -f and -k");
  if (name === "") throw new UsageError(`exactly one NAME is required, got ${Math.max(0, rest.length - 1)}`);
  const metadata = { name };
  switch (type) {
    case "namespace":
    case "ns":
      return { apiVersion: "v1", kind: "Namespace", metadata };
    case "serviceaccount":
    case "sa":
      return { apiVersion: "v1", kind: "ServiceAccount", metadata };
    case "configmap":
    case "cm": {
      const entries = readEntries(flags);
      const binary = entries.filter(([, value]) => !isText(value));
      const text = entries.filter(([, value]) => isText(value));
      return {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata,
        ...(text.length === 0
          ? {}
          : { data: Object.fromEntries(text.map(([key, value]) => [key, value.toString("utf8")])) }),
        ...(binary.length === 0
          ? {}
          : { binaryData: Object.fromEntries(binary.map(([key, value]) => [key, value.toString("base64")])) }),
      };
    }
    case "secret":
      if (rest[0] !== "generic") throw new UsageError(`secrets of type "${rest[0]}" are created from files: use -f`);
      return {
        apiVersion: "v1",
        kind: "Secret",
        metadata,
        data: Object.fromEntries(readEntries(flags).map(([key, value]) => [key, value.toString("base64")])),
        ...(flags.given("type") ? { type: flags.string("type") } : {}),
      };
    default:
      throw new UsageError(`"${type}" cannot be created from flags: use -f`);
  }
}

function readEntries(flags: Invocation["flags"]): [string, Buffer][] {
  const literals = flags.strings("from-literal").map((pair): [string, Buffer] => {
    const cut = pair.indexOf("=");
    if (cut < 1) throw new UsageError(`invalid literal source ${pair}, expected key=value`);
    return [pair.slice(0, cut), Buffer.from(pair.slice(cut + 1))];
  });
  const files = flags.strings("from-file").map((source): [string, Buffer] => {
    const cut = source.indexOf("=");
    const file = source.slice(cut + 1);
    return [cut < 0 ? basename(file) : source.slice(0, cut), readFileSync(file)];
  });
  return [...literals, ...files];
}

const isText = (value: Buffer): boolean => Buffer.compare(Buffer.from(value.toString("utf8")), value) === 0;
