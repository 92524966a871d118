/** What a Kustomization has brought into the cluster, as Flux writes it down: `<namespace>_<name>_<group>_<kind>`. Pure. */
import type { UnknownObject } from "#api/object.ts";
import type { InventoryEntry } from "./kinds.ts";

export interface ObjectIdentity {
  namespace: string;
  name: string;
  group: string;
  version: string;
  kind: string;
}

export function identityOf(object: UnknownObject): ObjectIdentity {
  const [group, version] =
    object.apiVersion?.includes("/") === true
      ? (object.apiVersion.split("/") as [string, string])
      : ["", object.apiVersion ?? ""];
  return {
    namespace: object.metadata.namespace ?? "",
    name: object.metadata.name ?? "",
    group,
    version,
    kind: object.kind ?? "",
  };
}

/** A colon in a name (RBAC) is written as two underscores, as Flux does, since an id is a label-like text. */
export function entryOf({ namespace, name, group, version, kind }: ObjectIdentity): InventoryEntry {
  return { id: `${namespace}_${name.replaceAll(":", "__")}_${group}_${kind}`, v: version };
}

/** undefined for an id that nobody could have written. */
export function identityOfEntry({ id, v }: InventoryEntry): ObjectIdentity | undefined {
  const parts = id.match(/^([^_]*)_(.+)_([^_]*)_([^_]+)$/);
  if (parts === null) return undefined;
  const [, namespace = "", name = "", group = "", kind = ""] = parts;
  return { namespace, name: name.replaceAll("__", ":"), group, version: v, kind };
}

/** "Deployment/default/web", or "Namespace/demo". */
export function describeIdentity({ namespace, name, kind }: ObjectIdentity): string {
  return `${kind}/${namespace === "" ? "" : `${namespace}/`}${name}`;
}

/** Equal for the same object, whatever version it is written in. */
export const identityKey = ({ namespace, name, group, kind }: ObjectIdentity): string =>
  `${group}/${kind}/${namespace}/${name}`;
