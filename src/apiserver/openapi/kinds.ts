/** Which kinds a type is: what documents say in x-kubernetes-group-version-kind. Upstream: endpoints/openapi.DefinitionNamer. */
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";

export interface GroupVersionKind {
  group: string;
  kind: string;
  version: string;
}

/** The type behind a kind that is no stored resource: "io.k8s.api.policy.v1.Eviction". */
export const builtInTypeName = ({ group, version, kind }: GroupVersionKind): string =>
  `io.k8s.api.${group === "" ? "core" : group.split(".")[0]}.${version}.${kind}`;

export const typeOf = ({ custom, schema, group, version, kind }: ServedResource): string =>
  custom === undefined ? schema : `${group.split(".").reverse().join(".")}.${version}.${kind}`;

/** Types of meta/v1 that are registered with the core group only. */
const metaKinds = ["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"];
/** Types of meta/v1 that every group and version registers, and the groups and versions that upstream's code knows, served or not. */
const everywhereKinds = ["DeleteOptions", "WatchEvent"];
const registered: Readonly<Record<string, readonly string[]>> = {
  "": ["v1"],
  "admission.k8s.io": ["v1", "v1beta1"],
  "admissionregistration.k8s.io": ["v1", "v1alpha1", "v1beta1"],
  "apiextensions.k8s.io": ["v1", "v1beta1"],
  "apiregistration.k8s.io": ["v1", "v1beta1"],
  apps: ["v1", "v1beta1", "v1beta2"],
  "authentication.k8s.io": ["v1", "v1alpha1", "v1beta1"],
  "authorization.k8s.io": ["v1", "v1beta1"],
  autoscaling: ["v1", "v2"],
  batch: ["v1", "v1beta1"],
  "certificates.k8s.io": ["v1", "v1alpha1", "v1beta1"],
  "coordination.k8s.io": ["v1", "v1alpha2", "v1beta1"],
  "discovery.k8s.io": ["v1", "v1beta1"],
  "events.k8s.io": ["v1", "v1beta1"],
  extensions: ["v1beta1"],
  "flowcontrol.apiserver.k8s.io": ["v1", "v1beta1", "v1beta2", "v1beta3"],
  "imagepolicy.k8s.io": ["v1alpha1"],
  "internal.apiserver.k8s.io": ["v1alpha1"],
  "networking.k8s.io": ["v1", "v1beta1"],
  "node.k8s.io": ["v1", "v1alpha1", "v1beta1"],
  policy: ["v1", "v1beta1"],
  "rbac.authorization.k8s.io": ["v1", "v1alpha1", "v1beta1"],
  "resource.k8s.io": ["v1", "v1alpha3", "v1beta1", "v1beta2"],
  "scheduling.k8s.io": ["v1", "v1alpha2", "v1beta1"],
  "storage.k8s.io": ["v1", "v1alpha1", "v1beta1"],
  "storagemigration.k8s.io": ["v1beta1"],
};

export function kindsByType(
  catalogue: Catalogue,
  virtual: readonly VirtualResource[],
): Map<string, GroupVersionKind[]> {
  const kinds = new Map<string, GroupVersionKind[]>();
  const add = (type: string, kind: GroupVersionKind) => {
    const known = kinds.get(type) ?? [];
    if (!known.some((one) => one.group === kind.group && one.version === kind.version))
      kinds.set(type, [...known, kind]);
  };
  const addBuiltIn = (kind: GroupVersionKind) => add(builtInTypeName(kind), kind);
  for (const { schema, group, version, kind, custom, definition } of catalogue.all()) {
    if (custom !== undefined) continue;
    add(schema, { group, kind, version });
    add(`${schema}List`, { group, kind: `${kind}List`, version });
    if (definition.scale !== undefined) addBuiltIn({ group: "autoscaling", kind: "Scale", version: "v1" });
    for (const connect of Object.values(definition.connects ?? {}))
      addBuiltIn({ group: connect.group ?? group, kind: connect.kind, version: connect.version ?? version });
  }
  for (const { group, version, kind, verbs } of virtual) {
    addBuiltIn({ group, kind, version });
    if (verbs.includes("list")) addBuiltIn({ group, kind: `${kind}List`, version });
  }
  const meta = (kind: string) => `io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`;
  for (const [group, versions] of Object.entries(registered))
    for (const version of versions) for (const kind of everywhereKinds) add(meta(kind), { group, kind, version });
  for (const kind of metaKinds) add(meta(kind), { group: "", kind, version: "v1" });
  return kinds;
}
