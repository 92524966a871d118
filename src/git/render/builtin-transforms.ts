/** The transformers that a kustomization's fields ask for, in the order kustomize runs them. */
import { type FieldSpec, makeFieldSpec, mergeFieldSpecs } from "./field-spec.ts";
import type { Kustomization, LabelEntry } from "./kustomization.ts";
import { loadReplacements, type PluginContext, patchReader, strategicMerges } from "./plugins.ts";
import { during } from "./render-error.ts";
import { toFieldSpec, type TransformerConfig } from "./transformer-config.ts";
import { prefixTransform, suffixTransform } from "./transformers/affixes.ts";
import { imageTransform } from "./transformers/images.ts";
import { metadataTransform } from "./transformers/metadata.ts";
import { namespaceTransform } from "./transformers/namespace.ts";
import { legacyJsonTransform, patchTransform } from "./transformers/patches.ts";
import { replacementTransform } from "./transformers/replacements.ts";
import { replicaTransform } from "./transformers/replicas.ts";
import type { Transform } from "./transformers/transformer.ts";

export interface BuiltinTransform {
  /** The kind of the transformer's configuration file, its name in origins. */
  readonly kind: string;
  readonly transform: Transform;
}

export function builtinTransforms(
  kustomization: Kustomization,
  config: TransformerConfig,
  context: PluginContext,
): BuiltinTransform[] {
  const { namespace = "", namePrefix = "", nameSuffix = "", commonAnnotations = new Map() } = kustomization;
  const { patchesStrategicMerge = [], patches = [], patchesJson6902 = [], replicas = [] } = kustomization;
  const { images = [], replacements = [] } = kustomization;
  const reader = patchReader(context);
  const one = (kind: string, isWanted: boolean, make: () => Transform): BuiltinTransform[] =>
    isWanted ? [{ kind, transform: make() }] : [];
  const each = <Entry>(
    kind: string,
    entries: readonly Entry[],
    make: (entry: Entry) => Transform,
  ): BuiltinTransform[] => entries.map((entry) => ({ kind, transform: make(entry) }));
  return [
    ...one("PatchStrategicMergeTransformer", patchesStrategicMerge.length > 0, () =>
      strategicMerges(patchesStrategicMerge, "", reader),
    ),
    ...each("PatchTransformer", patches, (entry) => patchTransform(entry, reader)),
    ...one("NamespaceTransformer", namespace !== "", () =>
      namespaceTransform({ namespace, fieldSpecs: config.namespace }),
    ),
    ...one("PrefixTransformer", namePrefix !== "", () => prefixTransform(namePrefix, config.namePrefix)),
    ...one("SuffixTransformer", nameSuffix !== "", () => suffixTransform(nameSuffix, config.nameSuffix)),
    ...each("LabelTransformer", labelTransforms(kustomization, config), (transform) => transform),
    ...one("AnnotationsTransformer", commonAnnotations.size > 0, () =>
      metadataTransform(commonAnnotations, config.commonAnnotations),
    ),
    ...each("PatchJson6902Transformer", patchesJson6902, (entry) =>
      legacyJsonTransform(entry, (path) => context.loader.loadText(path)),
    ),
    ...each("ReplicaCountTransformer", replicas, (entry) => replicaTransform(entry, config.replicas)),
    ...each("ImageTagTransformer", images, (entry) => imageTransform(entry, config.images)),
    ...one("ReplacementTransformer", replacements.length > 0, () =>
      replacementTransform(loadReplacements(replacements, context.loader)),
    ),
  ];
}

function labelTransforms({ labels = [], commonLabels }: Kustomization, config: TransformerConfig): Transform[] {
  if (labels.length === 0 && (commonLabels === undefined || commonLabels.size === 0)) return [];
  return [
    ...labels.map((entry) =>
      metadataTransform(
        entry.pairs ?? new Map(),
        during("failed to merge labels", () => labelSpecs(entry, config)),
      ),
    ),
    metadataTransform(commonLabels ?? new Map(), config.commonLabels),
  ];
}

function labelSpecs(
  { fields = [], includeSelectors, includeTemplates }: LabelEntry,
  config: TransformerConfig,
): FieldSpec[] {
  const own = mergeFieldSpecs(fields.map(toFieldSpec), config.labels);
  if (includeSelectors === true) return mergeFieldSpecs(own, config.commonLabels);
  const withTemplates = includeTemplates === true ? mergeFieldSpecs(own, config.templateLabels) : own;
  return mergeFieldSpecs(withTemplates, [makeFieldSpec("metadata/labels", true)]);
}
