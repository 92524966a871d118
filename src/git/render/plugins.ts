/** Generators and transformers that are configured by files of their own (`apiVersion: builtin`) instead of kustomization fields. */
import { posix } from "node:path";
import type { FieldSpec } from "./field-spec.ts";
import { generate } from "./generators.ts";
import { apiVersionOf, idText } from "./gvk.ts";
import {
  fieldSpecShape,
  generatorFields,
  imageShape,
  patchShape,
  replacementFields,
  replacementShape,
  type ReplacementEntry,
  replicaShape,
  selectorShape,
} from "./kustomization.ts";
import type { Loader } from "./loader.ts";
import { RenderError, wrapError } from "./render-error.ts";
import { readResources } from "./read-resources.ts";
import { Resource } from "./resource.ts";
import type { Schemas } from "./schema.ts";
import { flag, list, readShape, type Shape, struct, text, textMap } from "./shape.ts";
import { toFieldSpec } from "./transformer-config.ts";
import { prefixTransform, suffixTransform } from "./transformers/affixes.ts";
import { hashTransform } from "./transformers/hashes.ts";
import { imageTransform } from "./transformers/images.ts";
import { metadataTransform } from "./transformers/metadata.ts";
import { namespaceTransform, type SubjectMode, subjectModes } from "./transformers/namespace.ts";
import { legacyJsonTransform, legacyTransform, type PatchReader, patchTransform } from "./transformers/patches.ts";
import { replacementTransform } from "./transformers/replacements.ts";
import { replicaTransform } from "./transformers/replicas.ts";
import type { Transform } from "./transformers/transformer.ts";
import { valueAddShape, valueAddTargetsShape, valueAddTransform } from "./transformers/value-add.ts";
import { readConfig } from "./yaml/config-value.ts";
import { decodeMapping } from "./yaml/decode.ts";
import { nodeOfJson } from "./yaml/encode.ts";
import type { PlainMap } from "./yaml/value.ts";

export interface PluginContext {
  readonly loader: Loader;
  readonly schemas: Schemas;
  /** The file that configures the plugin, for messages. */
  readonly file: string;
}

const lenient = { isStrict: false, areWordsTaken: true };
const read = <Type>(shape: Shape<Type>, config: PlainMap): Type => readShape(shape, config, lenient);

export function patchReader({ loader, schemas, file }: PluginContext): PatchReader {
  return {
    loadText: (path) => loader.loadText(path),
    readPatches: (content) => readResources(content, { file }, schemas),
    typeOf: (apiVersion, kind) => schemas.typeOf(apiVersion, kind),
  };
}

/** A generator out of its file: what it makes when it is run. */
export function pluginGenerator(plugin: Resource, context: PluginContext): () => Resource[] {
  const config = requireBuiltin(plugin);
  const source = { file: context.file, generator: plugin.kind };
  switch (plugin.kind) {
    case "ConfigMapGenerator":
    case "SecretGenerator": {
      const kind = plugin.kind === "SecretGenerator" ? "Secret" : "ConfigMap";
      const entry = read(struct({ ...generatorFields, type: text }), config);
      const named = { ...entry, name: entry.name || plugin.name, namespace: entry.namespace || plugin.namespace };
      const load = (path: string): Uint8Array => context.loader.load(path);
      return () => [generate({ kind, entry: named, load, source, scopes: context.schemas })];
    }
    case "IAMPolicyGenerator":
      return () => [new Resource(nodeOfJson(gkeServiceAccount(config)), source, context.schemas)];
    default:
      if (Object.hasOwn(transformers, plugin.kind))
        throw new RenderError(`failed to load generator: plugin ${idText(plugin.id)} not a generator`);
      throw new RenderError(`failed to load generator: unable to load builtin ${plugin.kind}`);
  }
}

function requireBuiltin(plugin: Resource): PlainMap {
  if (apiVersionOf(plugin.gvk) !== "builtin")
    throw new RenderError(`external plugins disabled; unable to load external plugin '${plugin.kind}'`);
  return decodeMapping(plugin.root!);
}

const iamPolicyShape = struct({
  cloud: text,
  kubernetesService: struct({ namespace: text, name: text }),
  serviceAccount: struct({ name: text, projectId: text }),
});

function gkeServiceAccount(config: PlainMap): PlainMap {
  const { cloud = "", kubernetesService = {}, serviceAccount = {} } = read(iamPolicyShape, config);
  if (cloud !== "gke") throw new RenderError(`cloud provider ${cloud} not supported yet`);
  const address = `${serviceAccount.name ?? ""}@${serviceAccount.projectId ?? ""}.iam.gserviceaccount.com`;
  const metadata: PlainMap = new Map();
  metadata.set("annotations", new Map([["iam.gke.io/gcp-service-account", address]]));
  metadata.set("name", kubernetesService.name ?? "");
  if (kubernetesService.namespace) metadata.set("namespace", kubernetesService.namespace);
  return new Map<string, string | PlainMap>([
    ["apiVersion", "v1"],
    ["kind", "ServiceAccount"],
    ["metadata", metadata],
  ]);
}

/** A transformer out of its file. */
export function pluginTransformer(plugin: Resource, context: PluginContext): Transform {
  const config = requireBuiltin(plugin);
  const make = Object.hasOwn(transformers, plugin.kind) ? transformers[plugin.kind] : undefined;
  if (make === undefined) {
    const isGenerator = plugin.kind.endsWith("Generator");
    throw new RenderError(
      isGenerator ? `plugin ${idText(plugin.id)} not a transformer` : `unable to load builtin ${plugin.kind}`,
    );
  }
  try {
    return make(config, context);
  } catch (error) {
    throw wrapError(error, `plugin ${idText(plugin.id)} fails configuration`);
  }
}

const specsShape = { fieldSpecs: list(fieldSpecShape) };
const specsOf = ({ fieldSpecs = [] }: { fieldSpecs?: Parameters<typeof toFieldSpec>[0][] }): FieldSpec[] =>
  fieldSpecs.map(toFieldSpec);

function requireSpecs<Config extends { fieldSpecs?: unknown }>(config: Config): Config {
  if (config.fieldSpecs === undefined) throw new RenderError("fieldSpecs is not expected to be nil");
  return config;
}

const affixShape = struct({ prefix: text, suffix: text, ...specsShape });
type Maker = (config: PlainMap, context: PluginContext) => Transform;

const makePrefix: Maker = (config) => {
  const options = requireSpecs(read(affixShape, config));
  return prefixTransform(options.prefix ?? "", specsOf(options));
};
const makeSuffix: Maker = (config) => {
  const options = requireSpecs(read(affixShape, config));
  return suffixTransform(options.suffix ?? "", specsOf(options));
};

const transformers: Readonly<Record<string, Maker>> = {
  AnnotationsTransformer: (config) => {
    const options = read(struct({ annotations: textMap, ...specsShape }), config);
    return metadataTransform(options.annotations ?? new Map(), specsOf(options));
  },
  HashTransformer: () => hashTransform,
  ImageTagTransformer: (config) => {
    const options = read(struct({ imageTag: imageShape, ...specsShape }), config);
    return imageTransform(options.imageTag ?? {}, specsOf(options));
  },
  LabelTransformer: (config) => {
    const options = read(struct({ labels: textMap, ...specsShape }), config);
    return metadataTransform(options.labels ?? new Map(), specsOf(options));
  },
  NamespaceTransformer: makeNamespace,
  PatchJson6902Transformer: (config, { loader }) => {
    const { target, path, jsonOp } = read(struct({ target: selectorShape, path: text, jsonOp: text }), config);
    const entry = { ...(target && { target }), path: path ?? "", patch: jsonOp ?? "" };
    return legacyJsonTransform(entry, (file) => loader.loadText(file));
  },
  PatchStrategicMergeTransformer: (config, context) => {
    const { paths = [], patches = "" } = read(struct({ paths: list(text), patches: text }), config);
    if (paths.length === 0 && patches === "") throw new RenderError("empty file path and empty patch content");
    return strategicMerges(paths, patches, patchReader(context));
  },
  PatchTransformer: (config, context) => patchTransform(read(patchShape, config), patchReader(context)),
  PrefixSuffixTransformer: (config, context) => {
    const [prefix, suffix] = [makePrefix(config, context), makeSuffix(config, context)];
    return (items) => {
      prefix(items);
      suffix(items);
    };
  },
  PrefixTransformer: makePrefix,
  SuffixTransformer: makeSuffix,
  ReplacementTransformer: (config, { loader }) => {
    const { replacements = [] } = read(struct({ replacements: list(replacementShape) }), config);
    return replacementTransform(loadReplacements(replacements, loader));
  },
  ReplicaCountTransformer: (config) => {
    const options = read(struct({ replica: replicaShape, ...specsShape }), config);
    return replicaTransform(options.replica ?? {}, specsOf(options));
  },
  ValueAddTransformer: (config, { loader }) => {
    const { value = "", targets = [], targetFilePath = "" } = read(valueAddShape, config);
    const file = targetFilePath === "" ? null : readConfig(loader.loadText(targetFilePath));
    const more = file === null ? [] : (readShape(valueAddTargetsShape, file, lenient).targets ?? []);
    return valueAddTransform(value.trim() || posix.basename(loader.root), [...targets, ...more]);
  },
};

function makeNamespace(config: PlainMap): Transform {
  const shape = struct({
    metadata: struct({ namespace: text }),
    unsetOnly: flag,
    setRoleBindingSubjects: text,
    ...specsShape,
  });
  const options = read(shape, config);
  const subjects = options.setRoleBindingSubjects || "defaultOnly";
  if (!subjectModes.includes(subjects as SubjectMode))
    throw new RenderError(
      `invalid value "${subjects}" for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"`,
    );
  return namespaceTransform({
    namespace: options.metadata?.namespace ?? "",
    fieldSpecs: specsOf(options),
    unsetOnly: options.unsetOnly ?? false,
    subjects: subjects as SubjectMode,
  });
}

/** Patches whose entries are patch text or else paths, and further patch text. */
export function strategicMerges(paths: readonly string[], patches: string, reader: PatchReader): Transform {
  const fromPaths = paths.flatMap((entry) => {
    try {
      return reader.readPatches(entry);
    } catch {
      return reader.readPatches(reader.loadText(entry));
    }
  });
  return legacyTransform([...fromPaths, ...(patches === "" ? [] : reader.readPatches(patches))], reader);
}

/** Entries that name a file are replaced by what it holds, one replacement or a list. */
export function loadReplacements(entries: readonly ReplacementEntry[], loader: Loader): ReplacementEntry[] {
  return entries.flatMap((entry) => {
    const { path = "", source, targets = [] } = entry;
    if (path === "") return [entry];
    if (source !== undefined || targets.length > 0)
      throw new RenderError("cannot specify both path and inline replacement");
    const content = readConfig(loader.loadText(path));
    const shape = struct(replacementFields);
    if (Array.isArray(content)) return readShape(list(shape), content, lenient);
    if (content instanceof Map) return [readShape(shape, content, lenient)];
    throw new RenderError("unsupported replacement type encountered within replacement path");
  });
}
