/** Keys of objects in a resource's cache, and the checks of names in paths. Upstream: registry/store.go, NamespaceKeyFunc. */
import { goQuote } from "#api/go-text.ts";
import { badRequest } from "#api/status-catalogue.ts";
import { isPathSegmentName } from "#api/validation/names.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";

export function keyOf(resource: ServedResource, namespace: string, name: string): string {
  if (resource.isNamespaced && namespace === "") throw badRequest("Namespace parameter required.");
  if (name === "") throw badRequest("Name parameter required.");
  const faults = isPathSegmentName(name);
  if (faults.length > 0) throw badRequest(`Name parameter invalid: ${goQuote(name)}: ${faults.join(";")}`);
  return resource.isNamespaced ? `${namespace}/${name}` : name;
}

/** What the keys of a collection begin with. */
export function collectionPrefix(resource: ServedResource, namespace: string): string {
  return resource.isNamespaced && namespace !== "" ? `${namespace}/` : "";
}

/** Storage names of upstream that differ from the plural. */
const storageNames = new Map([
  ["services", "services/specs"],
  ["endpoints", "services/endpoints"],
  ["nodes", "minions"],
  ["replicationcontrollers", "controllers"],
  ["ingresses", "ingress"],
]);

/** Where upstream would keep an object: a few of its error texts show it. */
export function upstreamKey({ plural, group, custom }: ServedResource, namespace: string, name: string): string {
  const storage = custom === undefined ? (storageNames.get(plural) ?? plural) : `${group}/${plural}`;
  return `/registry/${storage}/${namespace === "" ? "" : `${namespace}/`}${name}`;
}
