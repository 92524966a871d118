/** Chooses objects: by patterns for group, version, kind, name and namespace, and by label and annotation selectors. */
import { wholePattern } from "./go-regexp.ts";
import type { Gvk } from "./gvk.ts";
import type { Selector } from "./kustomization.ts";
import { matchesSelector } from "./label-selector.ts";
import type { Resource } from "./resource.ts";

export interface IdPatterns {
  matchesGvk(gvk: Gvk): boolean;
  matchesName(name: string): boolean;
  matchesNamespace(namespace: string): boolean;
}

export function idPatterns(selector: Selector): IdPatterns {
  const [group, version, kind, name, namespace] = (["group", "version", "kind", "name", "namespace"] as const).map(
    (field) => wholePattern(selector[field] ?? ""),
  );
  return {
    matchesGvk: (gvk) => group!.isFoundIn(gvk.group) && version!.isFoundIn(gvk.version) && kind!.isFoundIn(gvk.kind),
    matchesName: (text) => name!.isFoundIn(text),
    matchesNamespace: (text) => namespace!.isFoundIn(text),
  };
}

export function isChosenByLabels(resource: Resource, selector: Selector): boolean {
  const areLabelsGood = matchesSelector(selector.labelSelector ?? "", resource.labels);
  return matchesSelector(selector.annotationSelector ?? "", resource.annotations) && areLabelsGood;
}

/** The objects a patch target means; names and namespaces count in their original and in their current form. */
export function selectResources(resources: readonly Resource[], selector: Selector): Resource[] {
  const patterns = idPatterns(selector);
  return resources.filter((resource) => {
    const { id, originalId } = resource;
    const isThere =
      patterns.matchesNamespace(originalId.effectiveNamespace) || patterns.matchesNamespace(id.effectiveNamespace);
    const isNamed = patterns.matchesName(originalId.name) || patterns.matchesName(id.name);
    return isThere && isNamed && patterns.matchesGvk(resource.gvk) && isChosenByLabels(resource, selector);
  });
}
