/** A namespace: its phase, its finalizers. Upstream: pkg/registry/core/namespace/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1Namespace } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";

export type Namespace = V1Namespace;
export const Namespace = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  scope: "Cluster",
  schema: "io.k8s.api.core.v1.Namespace",
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  generation: "none",
  status: {},
  connects: { finalize: { kind: "Namespace", verbs: ["update"] } },
  columns: [
    nameColumn,
    column("Status", "The status of the namespace", (namespace: Namespace) => namespace.status?.phase ?? ""),
    ageColumn,
  ],
  fieldSelectors: { "status.phase": (namespace) => namespace.status?.phase ?? "" },
});
