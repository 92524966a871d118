/** Where a resource lives in the API: its address in URLs, built from what every definition says. */
import { assert } from "#lib/assert.ts";
import { apiVersionOf, type KubernetesObject, type UnknownObject } from "#api/object.ts";
import type { Column } from "#api/resource.ts";

/**
 * What a client needs to know of a kind. Every ResourceDefinition is one; discovery makes them for kinds that are not
 * known at compile time. `columns` is here for its type only: it ties T to the definition.
 */
export interface ResourceRef<T extends KubernetesObject = UnknownObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly columns?: readonly Column<T>[];
}

/** Names one object of a kind. The metadata of an object serves as well. */
export interface ObjectKey {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

/** "/apis/apps/v1" or "/api/v1". */
export function groupVersionPath({ group, version }: { group: string; version: string }): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** The path of a whole collection: of one namespace, or of all of them. */
export function collectionPath<T extends KubernetesObject>(ref: ResourceRef<T>, namespace?: string): string {
  const scoped = ref.scope === "Namespaced" && namespace !== undefined && namespace !== "";
  return `${groupVersionPath(ref)}${scoped ? `/namespaces/${encodeURIComponent(namespace)}` : ""}/${ref.plural}`;
}

/** The path of one object, or of a subresource of it. */
export function objectPath<T extends KubernetesObject>(ref: ResourceRef<T>, key: ObjectKey, subresource = ""): string {
  assert(key.name !== undefined && key.name !== "", `a ${ref.kind} is addressed without a name`);
  assert(
    ref.scope === "Cluster" || (key.namespace !== undefined && key.namespace !== ""),
    `${ref.kind} ${key.name} is addressed without a namespace`,
  );
  const path = `${collectionPath(ref, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource === "" ? path : `${path}/${subresource}`;
}

/** "apps/v1/deployments": tells kinds apart, as text. */
export function resourceName<T extends KubernetesObject>(ref: ResourceRef<T>): string {
  return `${apiVersionOf(ref)}/${ref.plural}`;
}

/** "namespace/name", or "name" for what has no namespace. */
export function keyText({ namespace, name }: ObjectKey): string {
  return namespace === undefined || namespace === "" ? (name ?? "") : `${namespace}/${name ?? ""}`;
}

/** The inverse of keyText. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf("/");
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
