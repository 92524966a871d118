/** `capstan config …`: what the kubeconfig in use says. */
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { kubeconfigCandidates, type KubeconfigFile } from "#client/kubeconfig.ts";
import { type Command, type Flag, type Invocation, UsageError } from "./command.ts";
import { createPrinter, yamlText } from "./output.ts";
import { serverKubeconfig, sessionFlags } from "./session.ts";
import { tableText } from "./table-text.ts";

type Config = KubeconfigFile & { apiVersion?: string; kind?: string };

function configCommand(
  word: string,
  summary: string,
  act: (config: Config, invocation: Invocation) => number,
  own: readonly Flag[] = [],
): Command {
  return {
    name: `config ${word}`,
    group: "Other",
    summary,
    usage: `capstan config ${word} [flags]`,
    examples: [`capstan config ${word}`],
    flags: [...sessionFlags, ...own],
    run: (invocation) => Promise.resolve(act(readConfig(invocation), invocation)),
  };
}

function readConfig({ flags, io }: Invocation): Config {
  const candidates = flags.given("kubeconfig")
    ? [flags.string("kubeconfig")]
    : [...kubeconfigCandidates(io.env as NodeJS.ProcessEnv), serverKubeconfig];
  const file = candidates.find((one) => existsSync(one));
  return file === undefined ? {} : ((parse(readFileSync(file, "utf8")) ?? {}) as Config);
}

export const currentContextCommand = configCommand(
  "current-context",
  "Show the current context's name",
  (config, { io }) => {
    const current = config["current-context"] ?? "";
    if (current === "") throw new UsageError("current-context is not set");
    io.stdout(`${current}\n`);
    return 0;
  },
);

const outputFlag: Flag = { name: "output", short: "o", type: "string", help: "yaml, json or name" };

export const configViewCommand = configCommand(
  "view",
  "Show the kubeconfig, secrets left out",
  (config, { flags, io }) => {
    const shown = ordered(flags.boolean("raw") ? config : withoutSecrets(minified(config, flags)));
    const output = flags.string("output");
    if (output === "" || output === "yaml") io.stdout(yamlText(shown));
    else io.stdout(createPrinter(output, { keepsOrder: true })!(shown as never));
    return 0;
  },
  [
    outputFlag,
    { name: "minify", type: "boolean", help: "Only what the current context uses" },
    { name: "raw", type: "boolean", help: "Also keys, certificates and tokens" },
  ],
);

/** The keys in the order of the type. */
function ordered({ clusters = [], users = [], contexts = [], ...rest }: Config) {
  const named = <T extends string>(field: T, list: readonly ({ name: string } & Record<T, object>)[]) =>
    list.map((one) => ({ name: one.name, [field]: one[field] }));
  return {
    kind: "Config",
    apiVersion: "v1",
    clusters: named("cluster", clusters as never).map(({ name, cluster }) => ({
      name,
      cluster: clusterOrder(cluster as never),
    })),
    users: named("user", users as never),
    contexts: named("context", contexts as never),
    "current-context": rest["current-context"] ?? "",
  };
}

const clusterOrder = ({ server, ...rest }: Record<string, unknown>) => ({ server, ...rest });

function minified(config: Config, flags: Invocation["flags"]): Config {
  if (!flags.boolean("minify")) return config;
  const name = flags.string("context") || (config["current-context"] ?? "");
  const contexts = (config.contexts ?? []).filter((one) => one.name === name);
  if (contexts.length === 0) throw new UsageError(`cannot locate context ${name}`);
  const { cluster, user } = contexts[0]!.context;
  return {
    ...config,
    contexts,
    clusters: (config.clusters ?? []).filter((one) => one.name === cluster),
    users: (config.users ?? []).filter((one) => one.name === user),
  };
}

const secretFields = new Set(["client-certificate-data", "client-key-data", "certificate-authority-data"]);

function withoutSecrets(config: unknown): Config {
  const hide = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(hide);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        secretFields.has(key) ? "DATA+OMITTED" : ["token", "password"].includes(key) ? "REDACTED" : hide(inner),
      ]),
    );
  };
  return hide(config) as Config;
}

export const getContextsCommand = configCommand(
  "get-contexts",
  "List the contexts of the kubeconfig",
  (config, { args, flags, io }) => {
    const contexts = (config.contexts ?? []).filter(({ name }) => args.length === 0 || args.includes(name));
    if (flags.string("output") === "name") io.stdout(contexts.map(({ name }) => `${name}\n`).join(""));
    else {
      const rows = contexts.map(({ name, context }) => [
        name === config["current-context"] ? "*" : "",
        name,
        context.cluster,
        context.user,
        context.namespace ?? "",
      ]);
      const head = flags.boolean("no-headers") ? [] : [["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]];
      io.stdout(tableText([...head, ...rows]));
    }
    const missing = args.filter((one) => !contexts.some(({ name }) => name === one));
    for (const one of missing) io.stderr(`error: context ${one} not found\n`);
    return missing.length === 0 ? 0 : 1;
  },
  [outputFlag, { name: "no-headers", type: "boolean", help: "Leave out the headers" }],
);

const listNames = (
  word: string,
  summary: string,
  entries: (config: Config) => readonly { name: string }[] | undefined,
) =>
  configCommand(word, summary, (config, { io }) => {
    io.stdout(["NAME", ...(entries(config) ?? []).map(({ name }) => name)].map((line) => `${line}\n`).join(""));
    return 0;
  });

export const getClustersCommand = listNames(
  "get-clusters",
  "List the clusters of the kubeconfig",
  ({ clusters }) => clusters,
);
export const getUsersCommand = listNames("get-users", "List the users of the kubeconfig", ({ users }) => users);
