/** The rules of attachments. Upstream: ValidateVolumeAttachment, ValidateVolumeAttachmentV1. */
import type { V1VolumeAttachment } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";

export function attachmentErrors(_attachment: V1VolumeAttachment, _old: V1VolumeAttachment | undefined): FieldError[] {
  return [];
}
