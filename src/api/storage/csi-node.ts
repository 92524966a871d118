/** The drivers of a node. Upstream: pkg/registry/storage/csinode/strategy.go. */
import { ageColumn, column, integer, nameColumn } from "#api/columns.ts";
import type { V1CSINode } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { csiNodeErrors, nullEmptyLists } from "./csi-node-rules.ts";

export type CSINode = V1CSINode;
export const CSINode = defineResource<CSINode>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  scope: "Cluster",
  schema: "io.k8s.api.storage.v1.CSINode",
  allowUnconditionalUpdate: false,
  generation: "none",
  deleteReturnsObject: true,
  prepareCreate: nullEmptyLists,
  prepareUpdate: nullEmptyLists,
  validate: csiNodeErrors,
  columns: [
    nameColumn,
    column(
      "Drivers",
      "Drivers indicates the number of CSI drivers registered on the node",
      ({ spec }: CSINode) => (spec?.drivers ?? []).length,
      integer,
    ),
    ageColumn,
  ],
});
