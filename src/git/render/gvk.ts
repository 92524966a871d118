/** Group, version and kind, and the identity of an object among others: that, its name and its effective namespace. */
import type { Scopes } from "./schema.ts";
import { compareText } from "./yaml/fields.ts";

export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ObjectId extends Gvk {
  readonly name: string;
  readonly namespace: string;
  /** "default" for none; cluster-scoped kinds share a namespace of their own. */
  readonly effectiveNamespace: string;
}

export const clusterNamespace = "_non_namespaceable_";

export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export const apiVersionOf = ({ group, version }: Gvk): string => (group === "" ? version : `${group}/${version}`);

export function makeId(gvk: Gvk, name: string, namespace: string, scopes: Scopes): ObjectId {
  const isCluster = scopes.isClusterScoped(apiVersionOf(gvk), gvk.kind);
  const effectiveNamespace = isCluster ? clusterNamespace : namespace === "" ? "default" : namespace;
  return { group: gvk.group, version: gvk.version, kind: gvk.kind, name, namespace, effectiveNamespace };
}

/** Equal for equal objects. */
export const idKey = (id: ObjectId): string =>
  `${id.group}|${id.version}|${id.kind}|${id.name}|${id.effectiveNamespace}`;

export const isSameGvk = (left: Gvk, right: Gvk): boolean =>
  left.group === right.group && left.version === right.version && left.kind === right.kind;

/** Whether the selector, whose empty parts stand for anything, chooses the gvk. */
export const isGvkSelected = (gvk: Gvk, selector: Partial<Gvk>): boolean =>
  (!selector.group || selector.group === gvk.group) &&
  (!selector.version || selector.version === gvk.version) &&
  (!selector.kind || selector.kind === gvk.kind);

export const gvkText = ({ group, version, kind }: Gvk): string =>
  `${kind || "[noKind]"}.${version || "[noVer]"}.${group || "[noGrp]"}`;

export const idText = (id: Gvk & { readonly name: string; readonly namespace: string }): string =>
  `${gvkText(id)}/${id.name || "[noName]"}.${id.namespace || "[noNs]"}`;

export const kindsFirst = [
  "Namespace",
  "ResourceQuota",
  "StorageClass",
  "CustomResourceDefinition",
  "ServiceAccount",
  "PodSecurityPolicy",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "ConfigMap",
  "Secret",
  "Endpoints",
  "Service",
  "LimitRange",
  "PriorityClass",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
] as const;
export const kindsLast = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] as const;

export function kindRanks(first: readonly string[], last: readonly string[]): Map<string, number> {
  const ranks = new Map<string, number>();
  for (const [index, kind] of first.entries()) ranks.set(kind, index - first.length);
  for (const [index, kind] of last.entries()) ranks.set(kind, index + 1);
  return ranks;
}

const defaultRanks = kindRanks(kindsFirst, kindsLast);

export const gvkSortText = ({ group, version, kind }: Gvk): string =>
  `${group || "~G"}_${version || "~V"}_${kind || "~K"}`;

export function compareGvks(left: Gvk, right: Gvk): number {
  const ranks = (defaultRanks.get(left.kind) ?? 0) - (defaultRanks.get(right.kind) ?? 0);
  return ranks === 0 ? compareText(gvkSortText(left), gvkSortText(right)) : ranks;
}
