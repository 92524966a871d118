/** The kustomization file: its fields, what is filled in for those left out, and what is refused. */
import { during, RenderError } from "./render-error.ts";
import { anything, flag, integer, list, readShape, struct, text, textMap, type TypeOf } from "./shape.ts";
import { readConfig } from "./yaml/config-value.ts";

const gvkFields = { group: text, version: text, kind: text };
export const fieldSpecShape = struct({ ...gvkFields, path: text, create: flag });
const selectorFields = { ...gvkFields, name: text, namespace: text };
export const selectorShape = struct({ ...selectorFields, annotationSelector: text, labelSelector: text });
const generatorOptionsShape = struct({
  labels: textMap,
  annotations: textMap,
  disableNameSuffixHash: flag,
  immutable: flag,
});
export const generatorFields = {
  namespace: text,
  name: text,
  behavior: text,
  literals: list(text),
  files: list(text),
  envs: list(text),
  env: text,
  options: generatorOptionsShape,
};
export const configMapShape = struct(generatorFields);
export const secretShape = struct({ ...generatorFields, type: text });
export const patchShape = struct({
  path: text,
  patch: text,
  target: selectorShape,
  options: struct({ allowNameChange: flag, allowKindChange: flag }),
});
export const imageShape = struct({ name: text, newName: text, tagSuffix: text, newTag: text, digest: text });
export const replicaShape = struct({ name: text, count: integer });
const fieldOptionsShape = struct({ delimiter: text, index: integer, encoding: text, create: flag });
export const replacementFields = {
  source: struct({ ...selectorFields, fieldPath: text, options: fieldOptionsShape }),
  targets: list(
    struct({ select: selectorShape, reject: list(selectorShape), fieldPaths: list(text), options: fieldOptionsShape }),
  ),
  sourceValue: text,
};
export const replacementShape = struct({ ...replacementFields, path: text });
const labelShape = struct({
  pairs: textMap,
  includeSelectors: flag,
  includeTemplates: flag,
  fields: list(fieldSpecShape),
});
const variableShape = struct({
  name: text,
  objref: struct({ apiVersion: text, ...selectorFields }),
  fieldref: struct({ fieldPath: text }),
});
export const sortOptionsShape = struct({
  order: text,
  legacySortOptions: struct({ orderFirst: list(text), orderLast: list(text) }),
});

export const kustomizationShape = struct({
  apiVersion: text,
  kind: text,
  metadata: struct({ name: text, namespace: text, labels: textMap, annotations: textMap }),
  openapi: textMap,
  namePrefix: text,
  nameSuffix: text,
  namespace: text,
  commonLabels: textMap,
  labels: list(labelShape),
  commonAnnotations: textMap,
  patchesStrategicMerge: list(text),
  patchesJson6902: list(patchShape),
  patches: list(patchShape),
  images: list(imageShape),
  imageTags: list(imageShape),
  replacements: list(replacementShape),
  replicas: list(replicaShape),
  vars: list(variableShape),
  sortOptions: sortOptionsShape,
  resources: list(text),
  components: list(text),
  crds: list(text),
  bases: list(text),
  configMapGenerator: list(configMapShape),
  secretGenerator: list(secretShape),
  helmGlobals: struct({ chartHome: text, configHome: text }),
  helmCharts: list(anything),
  helmChartInflationGenerator: list(anything),
  generatorOptions: generatorOptionsShape,
  configurations: list(text),
  generators: list(text),
  transformers: list(text),
  validators: list(text),
  buildMetadata: list(text),
});

export type Kustomization = TypeOf<typeof kustomizationShape>;
export type Selector = TypeOf<typeof selectorShape>;
export type PatchEntry = TypeOf<typeof patchShape>;
export type ImageEntry = TypeOf<typeof imageShape>;
export type ReplicaEntry = TypeOf<typeof replicaShape>;
export type ReplacementEntry = TypeOf<typeof replacementShape>;
export type LabelEntry = TypeOf<typeof labelShape>;
export type Variable = TypeOf<typeof variableShape>;
export type SortOptions = TypeOf<typeof sortOptionsShape>;
export type GeneratorEntry = TypeOf<typeof secretShape>;
export type GeneratorOptions = TypeOf<typeof generatorOptionsShape>;

/** The file names a kustomization may have; two of them in one directory are refused. */
export const kustomizationFileNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"] as const;

export const componentKind = "Component";

export function parseKustomization(content: string, directory: string): Kustomization {
  const kustomization = during("invalid Kustomization", () =>
    readShape(kustomizationShape, readConfig(content), { isStrict: true, areWordsTaken: false }),
  );
  return completeKustomization(kustomization, directory);
}

/** Fills in what was left out and refuses what cannot be rendered. */
export function completeKustomization(kustomization: Kustomization, directory: string): Kustomization {
  fillIn(kustomization);
  if (isEmpty(kustomization)) throw new RenderError("kustomization.yaml is empty");
  requireKnownKind(kustomization, directory);
  if (kustomization.helmCharts !== undefined && kustomization.helmCharts.length > 0)
    throw new RenderError("helmCharts are not rendered: must specify --enable-helm");
  return kustomization;
}

function fillIn(kustomization: Kustomization): void {
  kustomization.kind ||= "Kustomization";
  kustomization.apiVersion ||= `kustomize.config.k8s.io/${versionFor(kustomization.kind)}`;
  kustomization.resources = joined(kustomization.resources, kustomization.bases);
  delete kustomization.bases;
  kustomization.images = joined(kustomization.images, kustomization.imageTags);
  delete kustomization.imageTags;
  kustomization.helmCharts = joined(kustomization.helmCharts, kustomization.helmChartInflationGenerator);
  delete kustomization.helmChartInflationGenerator;
  for (const entry of [...(kustomization.configMapGenerator ?? []), ...(kustomization.secretGenerator ?? [])]) {
    if (entry.env !== undefined && entry.env !== "") entry.envs = [...(entry.envs ?? []), entry.env];
    delete entry.env;
  }
}

function joined<Item>(first: Item[] | undefined, second: Item[] | undefined): Item[] | undefined {
  return second === undefined || second.length === 0 ? first : [...(first ?? []), ...second];
}

const versionFor = (kind: string): string => (kind === componentKind ? "v1alpha1" : "v1beta1");

function isEmpty(kustomization: Kustomization): boolean {
  return Object.entries(kustomization).every(
    ([name, value]) => name === "kind" || name === "apiVersion" || value === undefined || value === "",
  );
}

function requireKnownKind({ kind = "", apiVersion }: Kustomization, directory: string): void {
  const problems: string[] = [];
  if (kind !== "Kustomization" && kind !== componentKind) problems.push("kind should be Kustomization or Component");
  const wanted = `kustomize.config.k8s.io/${versionFor(kind)}`;
  if (apiVersion !== wanted) problems.push(`apiVersion for ${kind} should be ${wanted}`);
  if (problems.length > 0)
    throw new RenderError(`Failed to read kustomization file under ${directory}:\n${problems.join("\n")}`);
}
