/** Which fields the transformers of one kustomization write: the defaults, its `configurations` files and its `crds`. */
import { defaultFieldSpecs, type NameReference } from "./default-field-specs.ts";
import { type FieldSpec, makeFieldSpec, mergeFieldSpecs, sortedByGvk } from "./field-spec.ts";
import { isSameGvk } from "./gvk.ts";
import { fieldSpecShape } from "./kustomization.ts";
import { during } from "./render-error.ts";
import { list, readShape, struct, text, type TypeOf } from "./shape.ts";
import { readConfig } from "./yaml/config-value.ts";

const specNames = [
  "namePrefix",
  "nameSuffix",
  "namespace",
  "commonLabels",
  "labels",
  "templateLabels",
  "commonAnnotations",
  "varReferences",
  "images",
  "replicas",
] as const;
type SpecName = (typeof specNames)[number];

export type TransformerConfig = Readonly<Record<SpecName, readonly FieldSpec[]>> & {
  readonly nameReferences: readonly NameReference[];
};

export const emptyConfig: TransformerConfig = {
  ...(Object.fromEntries(specNames.map((name) => [name, []])) as unknown as Record<SpecName, FieldSpec[]>),
  nameReferences: [],
};

export function mergeConfigs(base: TransformerConfig, added: TransformerConfig): TransformerConfig {
  if (added === emptyConfig) return base;
  const specs = Object.fromEntries(
    specNames.map((name) => [
      name,
      base[name] === added[name]
        ? base[name]
        : during(`failed to merge ${name} fieldSpec`, () => sortedByGvk(mergeFieldSpecs(base[name], added[name]))),
    ]),
  ) as unknown as Record<SpecName, FieldSpec[]>;
  const nameReferences =
    base.nameReferences === added.nameReferences
      ? base.nameReferences
      : during("failed to merge NameReference fieldSpec", () =>
          mergeReferences(base.nameReferences, added.nameReferences),
        );
  return { ...specs, nameReferences };
}

function mergeReferences(base: readonly NameReference[], added: readonly NameReference[]): NameReference[] {
  let result = [...base];
  for (const reference of added) {
    const isKnown = result.some((other) => isSameGvk(other, reference));
    result = isKnown
      ? result.map((other) =>
          isSameGvk(other, reference)
            ? { ...other, referrers: mergeFieldSpecs(other.referrers, reference.referrers) }
            : other,
        )
      : [...result, reference];
  }
  return sortedByGvk(result);
}

const sortedDefaults: TransformerConfig = {
  ...(Object.fromEntries(specNames.map((name) => [name, sortedByGvk(defaultFieldSpecs[name])])) as unknown as Record<
    SpecName,
    FieldSpec[]
  >),
  nameReferences: sortedByGvk(defaultFieldSpecs.nameReferences),
};

const referenceShape = struct({ group: text, version: text, kind: text, fieldSpecs: list(fieldSpecShape) });
const configShape = struct({
  namePrefix: list(fieldSpecShape),
  nameSuffix: list(fieldSpecShape),
  namespace: list(fieldSpecShape),
  commonLabels: list(fieldSpecShape),
  labels: list(fieldSpecShape),
  templateLabels: list(fieldSpecShape),
  commonAnnotations: list(fieldSpecShape),
  nameReference: list(referenceShape),
  varReference: list(fieldSpecShape),
  images: list(fieldSpecShape),
  replicas: list(fieldSpecShape),
});

/** The defaults with the given configuration files added. */
export function loadConfig(files: readonly string[]): TransformerConfig {
  if (files.length === 0) return sortedDefaults;
  const own = files.map(parseConfig).reduce(mergeConfigs, emptyConfig);
  return mergeConfigs(sortedDefaults, own);
}

export const toFieldSpec = (entry: TypeOf<typeof fieldSpecShape>): FieldSpec =>
  makeFieldSpec(entry.path ?? "", entry.create ?? false, entry);

function parseConfig(content: string): TransformerConfig {
  const config = readShape(configShape, readConfig(content, true), { isStrict: true, areWordsTaken: true });
  const specs = (name: Exclude<keyof typeof config, "nameReference">): FieldSpec[] =>
    sortedByGvk((config[name] ?? []).map(toFieldSpec));
  return {
    namePrefix: specs("namePrefix"),
    nameSuffix: specs("nameSuffix"),
    namespace: specs("namespace"),
    commonLabels: specs("commonLabels"),
    labels: specs("labels"),
    templateLabels: specs("templateLabels"),
    commonAnnotations: specs("commonAnnotations"),
    varReferences: specs("varReference"),
    images: specs("images"),
    replicas: specs("replicas"),
    nameReferences: sortedByGvk(
      (config.nameReference ?? []).map(({ group = "", version = "", kind = "", fieldSpecs = [] }) => ({
        group,
        version,
        kind,
        referrers: fieldSpecs.map(toFieldSpec),
      })),
    ),
  };
}
