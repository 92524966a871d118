/** A volume that belongs on a node. Upstream: pkg/registry/storage/volumeattachment/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1VolumeAttachment } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { keepsMeta, keepsStatus } from "#api/status-strategy.ts";
import { attachmentErrors } from "./volume-attachment-rules.ts";

const spec = "storage.v1.VolumeAttachmentSpec";

export type VolumeAttachment = V1VolumeAttachment;
export const VolumeAttachment = defineResource<VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  scope: "Cluster",
  deleteReturnsObject: true,
  schema: "io.k8s.api.storage.v1.VolumeAttachment",
  allowUnconditionalUpdate: false,
  generation: "none",
  ...keepsStatus<VolumeAttachment>("storage.v1.VolumeAttachmentStatus"),
  validate: attachmentErrors,
  status: keepsMeta<VolumeAttachment>(attachmentErrors),
  columns: [
    nameColumn,
    column("Attacher", [spec, "attacher"], (attachment: VolumeAttachment) => attachment.spec?.attacher ?? "", {
      format: "name",
    }),
    column(
      "PV",
      "source represents the volume that should be attached.",
      (attachment: VolumeAttachment) => attachment.spec?.source?.persistentVolumeName ?? "",
    ),
    column("Node", [spec, "nodeName"], (attachment: VolumeAttachment) => attachment.spec?.nodeName ?? ""),
    column(
      "Attached",
      ["storage.v1.VolumeAttachmentStatus", "attached"],
      (attachment: VolumeAttachment) => attachment.status?.attached ?? false,
      { type: "boolean" },
    ),
    ageColumn,
  ],
});
