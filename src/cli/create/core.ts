/** `capstan create namespace|configmap|secret|serviceaccount|quota`. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { UnknownObject } from "#api/object.ts";
import { type Flag, type FlagValues, UsageError } from "#cli/command.ts";
import { commaValues, createSubcommand } from "./subcommand.ts";

const entryFlags: readonly Flag[] = [
  { name: "from-literal", type: "strings", placeholder: "KEY=VALUE", help: "A key and its value" },
  {
    name: "from-file",
    type: "strings",
    placeholder: "[KEY=]FILE",
    help: "A file's content under its name or a key; a folder's files",
  },
  { name: "from-env-file", type: "strings", placeholder: "FILE", help: "A file of KEY=VALUE lines" },
];

export const createNamespace = createSubcommand({
  word: "namespace",
  summary: "Create a namespace",
  examples: ["capstan create namespace demo"],
  build: (_, name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: {}, status: {} }),
});

export const createServiceAccount = createSubcommand({
  word: "serviceaccount",
  summary: "Create a service account",
  examples: ["capstan create serviceaccount robot"],
  build: (_, name) => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name } }),
});

export const createConfigMap = createSubcommand({
  word: "configmap",
  summary: "Create a config map from literals or files",
  examples: [
    "capstan create configmap settings --from-literal=colour=blue",
    "capstan create configmap pages --from-file=index.html",
  ],
  flags: entryFlags,
  build({ flags }, name): UnknownObject {
    const entries = readEntries(flags);
    const isText = (value: Buffer) => Buffer.compare(Buffer.from(value.toString("utf8")), value) === 0;
    const part = (field: string, wanted: boolean, encoding: "utf8" | "base64") => {
      const own = entries.filter(([, value]) => isText(value) === wanted);
      return own.length === 0
        ? {}
        : { [field]: Object.fromEntries(own.map(([key, value]) => [key, value.toString(encoding)])) };
    };
    const data = { ...part("data", true, "utf8"), ...part("binaryData", false, "base64") };
    return { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, ...data };
  },
});

export const createGenericSecret = createSubcommand({
  word: "secret generic",
  summary: "Create a secret from literals or files",
  examples: ["capstan create secret generic login --from-literal=password=secret"],
  flags: [...entryFlags, { name: "type", type: "string", placeholder: "TYPE", help: "Type of the secret" }],
  build({ flags }, name) {
    const entries = readEntries(flags).map(([key, value]) => [key, value.toString("base64")] as const);
    const data = entries.length === 0 ? {} : { data: Object.fromEntries(entries) };
    const type = flags.given("type") ? { type: flags.string("type") } : {};
    return { apiVersion: "v1", kind: "Secret", metadata: { name }, ...data, ...type };
  },
});

export const createRegistrySecret = createSubcommand({
  word: "secret docker-registry",
  summary: "Create a secret for a registry",
  examples: [
    "capstan create secret docker-registry pull --docker-server=r.example.com --docker-username=me --docker-password=secret",
  ],
  flags: [
    {
      name: "docker-server",
      type: "string",
      default: "https://index.docker.io/v1/",
      placeholder: "URL",
      help: "The registry",
    },
    { name: "docker-username", type: "string", placeholder: "NAME", help: "Who logs in" },
    { name: "docker-password", type: "string", placeholder: "PASSWORD", help: "With which password" },
    { name: "docker-email", type: "string", placeholder: "EMAIL", help: "An address, for registries that want one" },
  ],
  required: ["docker-password", "docker-username"],
  build({ flags }, name) {
    const [username, password, email] = ["username", "password", "email"].map((one) => flags.string(`docker-${one}`));
    const auth = Buffer.from(`${username}:${password}`).toString("base64");
    const entry = { username, password, ...(email === "" ? {} : { email }), auth };
    const config = JSON.stringify({ auths: { [flags.string("docker-server")]: entry } });
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": Buffer.from(config).toString("base64") },
    };
  },
});

export const createTlsSecret = createSubcommand({
  word: "secret tls",
  summary: "Create a secret from a certificate and its key",
  examples: ["capstan create secret tls web --cert=web.crt --key=web.key"],
  flags: [
    { name: "cert", type: "string", placeholder: "FILE", help: "The certificate, PEM" },
    { name: "key", type: "string", placeholder: "FILE", help: "Its private key, PEM" },
  ],
  required: ["cert", "key"],
  build({ flags }, name) {
    const [certificate, key] = ["cert", "key"].map((one) => readWhole(flags.string(one)).toString("base64"));
    const data = { "tls.crt": certificate, "tls.key": key };
    return { apiVersion: "v1", kind: "Secret", metadata: { name }, type: "kubernetes.io/tls", data };
  },
});

export const createQuota = createSubcommand({
  word: "quota",
  summary: "Create a resource quota",
  examples: ["capstan create quota small --hard=cpu=1,memory=1Gi,pods=2"],
  flags: [
    { name: "hard", type: "string", placeholder: "RESOURCE=AMOUNT,...", help: "The limits" },
    { name: "scopes", type: "string", placeholder: "SCOPE,...", help: "Which pods count" },
  ],
  build({ flags }, name) {
    const pairs = commaValues([flags.string("hard")]).map((pair) => {
      const [resource = "", amount, ...more] = pair.split("=");
      if (amount === undefined || more.length > 0)
        throw new UsageError(`invalid argument syntax ${pair}, expected <resource>=<value>`);
      return [resource, amount] as const;
    });
    const scopes = commaValues([flags.string("scopes")]);
    const spec = {
      ...(pairs.length === 0 ? {} : { hard: Object.fromEntries(pairs) }),
      ...(scopes.length === 0 ? {} : { scopes }),
    };
    return { apiVersion: "v1", kind: "ResourceQuota", metadata: { name }, spec, status: {} };
  },
});

function readWhole(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UsageError(
      `Cannot read file ${file}, open ${file}: ${isMissing ? "no such file or directory" : (error as Error).message}`,
    );
  }
}

function readEntries(flags: FlagValues): [string, Buffer][] {
  const literals = flags.strings("from-literal").map((pair): [string, Buffer] => {
    const cut = pair.indexOf("=");
    if (cut < 1) throw new UsageError(`invalid literal source ${pair}, expected key=value`);
    return [pair.slice(0, cut), Buffer.from(pair.slice(cut + 1))];
  });
  const files = flags.strings("from-file").flatMap((source): [string, Buffer][] => {
    const cut = source.indexOf("=");
    const file = source.slice(cut + 1);
    if (cut < 0 && statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      return readdirSync(file, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => [entry.name, readWhole(join(file, entry.name))]);
    return [[cut < 0 ? basename(file) : source.slice(0, cut), readWhole(file)]];
  });
  const lines = flags.strings("from-env-file").flatMap((file) => readWhole(file).toString("utf8").split(/\r?\n/));
  const variables = lines
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line): [string, Buffer] => {
      const [key = "", ...value] = line.split("=");
      return [key, Buffer.from(value.length === 0 ? (process.env[key] ?? "") : value.join("="))];
    });
  return [...literals, ...files, ...variables];
}
