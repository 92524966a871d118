/** `capstan set env`: environment variables of containers, also all keys of a ConfigMap or Secret; `--list` shows them. */
import { isDeepStrictEqual } from "node:util";
import { ConfigMap } from "#api/core/config-map.ts";
import { Secret } from "#api/core/secret.ts";
import { regexError } from "#api/validation/names.ts";
import { type Command, type Invocation, UsageError } from "#cli/command.ts";
import { namesFiles } from "#cli/resource-arguments.ts";
import type { Session } from "#cli/session.ts";
import { changeFlags } from "./all-targets.ts";
import { type EnvironmentVariable, containersPatch, podSpecOf, selectedContainers } from "./pod-specs.ts";
import { setField } from "./set-field.ts";

export const setEnvCommand: Command = {
  name: "set env",
  group: "Objects",
  summary: "Change or list environment variables of a workload's containers",
  usage: "capstan set env TYPE/NAME KEY_1=VAL_1 ... KEY_N- [flags]",
  examples: [
    "capstan set env deployment/web STORAGE_DIR=/data",
    "capstan set env deployment/web --from=configmap/settings --prefix=APP_",
    "capstan set env deployment/web STORAGE_DIR-",
    "capstan set env deployment/web --list",
  ],
  flags: [
    ...changeFlags,
    { name: "containers", short: "c", type: "string", default: "*", placeholder: "PATTERN", help: "Which containers" },
    { name: "env", short: "e", type: "strings", placeholder: "KEY=VALUE", help: "A variable; may be repeated" },
    { name: "from", type: "string", placeholder: "KIND/NAME", help: "All keys of a ConfigMap or Secret" },
    { name: "keys", type: "strings", placeholder: "KEY,...", help: "Only these keys of --from" },
    { name: "prefix", type: "string", placeholder: "TEXT", help: "Put before the names of keys of --from" },
    { name: "overwrite", type: "boolean", default: true, help: "Replace variables that are there already" },
    { name: "list", type: "boolean", help: "Show the variables" },
  ],
  run: setEnvironment,
};

/** What the command line takes; servers take more. */
const variableName = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;
const variableNameFault = regexError(
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  "[-._a-zA-Z][-._a-zA-Z0-9]*",
  "my.env-name",
  "MY_ENV.NAME",
  "MyEnvName1",
);

interface Change {
  set: EnvironmentVariable[];
  remove: string[];
}

async function setEnvironment(invocation: Invocation): Promise<number> {
  const { args, flags, io } = invocation;
  const isVariable = (word: string) => word.includes("=") || (word.endsWith("-") && word !== "-");
  const targets = args.filter((word) => !isVariable(word));
  if (targets.length === 0 && !namesFiles(flags))
    throw new UsageError("one or more resources must be specified as <resource> <name> or <resource>/<name>");
  const change = readVariables([...args.filter(isVariable), ...flags.strings("env")]);
  const pattern = flags.string("containers");
  let referred: EnvironmentVariable[] | undefined;
  return await setField(invocation, targets, "env", async (live, target, session) => {
    const spec = podSpecOf(live, target);
    const chosen = selectedContainers(spec, pattern);
    if (chosen.length === 0) {
      io.stderr(
        `Warning: ${live.kind}/${target.key.name} does not have any containers matching ${JSON.stringify(pattern)}\n`,
      );
      return undefined;
    }
    if (flags.boolean("list")) {
      for (const { name, env = [] } of chosen)
        io.stdout(`# ${live.kind} ${target.key.name}, container ${name}\n${env.map(variableText).join("")}`);
      return undefined;
    }
    referred ??= flags.given("from") ? await referredVariables(session, invocation) : [];
    const wished = { set: [...change.set, ...referred], remove: change.remove };
    const names = new Set(chosen.map(({ name }) => name));
    return containersPatch(live, spec, ({ name, env = [] }) => {
      if (!names.has(name)) return undefined;
      if (!flags.boolean("overwrite")) checkUntaken(`${target.resource.plural}/${target.key.name}`, env, wished);
      return environmentPatch(env, wished);
    });
  });
}

/** "A=b" sets, "A-" removes. Throws UsageError. */
function readVariables(words: readonly string[]): Change {
  const change: Change = { set: [], remove: [] };
  for (const word of words) {
    const cut = word.indexOf("=");
    if (cut < 0) {
      change.remove.push(word.slice(0, -1));
      continue;
    }
    const [name, value] = [word.slice(0, cut), word.slice(cut + 1)];
    if (!variableName.test(name))
      throw new UsageError(`${JSON.stringify(name)} is not a valid key name: ${variableNameFault}`);
    change.set.push({ name, value });
  }
  if (change.set.some(({ name }) => change.remove.includes(name)))
    throw new UsageError("can not both modify and remove the same environment variable in the same command");
  return change;
}

/** A variable for each key; what a variable's name may not have becomes "_". */
async function referredVariables(
  { client, discovery, namespace }: Session,
  { flags, io }: Invocation,
): Promise<EnvironmentVariable[]> {
  const [word = "", name = ""] = flags.string("from").split("/", 2);
  const kinds = [
    { definition: ConfigMap, ref: "configMapKeyRef" },
    { definition: Secret, ref: "secretKeyRef" },
  ] as const;
  const resource = await discovery.find(
    (one) => one.group === "" && [one.plural, one.singular, ...one.shortNames].includes(word.toLowerCase()),
  );
  const kind = kinds.find(({ definition }) => definition.kind === resource?.kind);
  if (kind === undefined) throw new UsageError(`unsupported resource specified in --from`);
  const { data = {} } = (await client.get(kind.definition, { name, namespace })) as { data?: Record<string, string> };
  const keys = flags.strings("keys").flatMap((one) => one.split(","));
  return Object.keys(data)
    .filter((key) => keys.length === 0 || keys.includes(key))
    .sort()
    .map((key) => {
      const own = key.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
      if (own !== key) io.stderr(`Warning: key ${key} transferred to ${own}\n`);
      return { name: `${flags.string("prefix")}${own}`, valueFrom: { [kind.ref]: { key, name } } };
    });
}

function variableText({ name, value = "", valueFrom }: EnvironmentVariable): string {
  const [kind, source] = Object.entries(valueFrom ?? {})[0] ?? [];
  if (kind === undefined || source === undefined) return `${name}=${value}\n`;
  const from: Record<string, string> = {
    configMapKeyRef: `configmap ${source.name}, key ${source.key}`,
    secretKeyRef: `secret ${source.name}, key ${source.key}`,
    fieldRef: `field path ${source.fieldPath}`,
    resourceFieldRef: `resource field ${source.resource}`,
  };
  return `# ${name} from ${from[kind] ?? "invalid valueFrom"}\n`;
}

function checkUntaken(what: string, env: readonly EnvironmentVariable[], { set }: Change): void {
  const taken = set.find(({ name }) => env.some((one) => one.name === name));
  if (taken !== undefined)
    throw new UsageError(
      `${what} '${taken.name}' already has a value (${env.find(({ name }) => name === taken.name)?.value ?? ""}), and --overwrite is false`,
    );
}

/** A strategic patch of the list; undefined where it is as wished already. */
function environmentPatch(env: readonly EnvironmentVariable[], { set, remove }: Change): object | undefined {
  const changed = set
    .filter(
      (wished) =>
        !isDeepStrictEqual(
          wished,
          env.find(({ name }) => name === wished.name),
        ),
    )
    .map(({ name, value, valueFrom }) => ({ name, value: value ?? null, valueFrom: valueFrom ?? null }));
  const gone = remove
    .filter((name) => env.some((one) => one.name === name))
    .map((name) => ({ name, $patch: "delete" }));
  if (changed.length + gone.length === 0) return undefined;
  const left = [...env, ...set].map(({ name }) => name).filter((name) => !remove.includes(name));
  const order = [...new Set(left)].map((name) => ({ name }));
  return { env: [...changed, ...gone], "$setElementOrder/env": order };
}
