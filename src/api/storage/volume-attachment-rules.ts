/** The rules of attachments. Upstream: ValidateVolumeAttachment, ValidateVolumeAttachmentV1. */
import { inlineVolumeErrors } from "#api/core/persistent-volume-rules.ts";
import { csiDriverErrors } from "#api/core/volume-sources.ts";
import type { V1VolumeAttachment, V1VolumeAttachmentSource, V1VolumeError } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { forbidden, invalid, required, tooLong } from "#api/validation/field-errors.ts";
import { rangeError } from "#api/validation/names.ts";
import { dnsSubdomain, immutableError, semanticEqual } from "#api/validation/values.ts";

const metadataBytesMax = 256 * 1024;
const messageBytesMax = 1024;

export function attachmentErrors(
  { spec, status }: V1VolumeAttachment,
  old: V1VolumeAttachment | undefined,
): FieldError[] {
  const { attacher = "", source, nodeName = "" } = spec ?? {};
  const errors = [
    ...(attacher === "" ? [required("spec.attacher")] : []),
    ...sourceErrors(source ?? {}, "spec.source"),
    ...dnsSubdomain("spec.nodeName", nodeName),
    ...metadataErrors(status?.attachmentMetadata),
    ...volumeErrorErrors(status?.attachError, "status.attachError"),
    ...volumeErrorErrors(status?.detachError, "status.detachError"),
  ];
  // Upstream looks at a changed attachment twice.
  if (old !== undefined)
    return [...errors, ...errors, ...(semanticEqual(spec, old.spec) ? [] : [invalid("spec", spec, immutableError)])];
  errors.push(...csiDriverErrors(attacher, "spec.attacher"));
  if (source?.persistentVolumeName !== undefined)
    errors.push(...dnsSubdomain("spec.source.persistentVolumeName", source.persistentVolumeName));
  return errors;
}

function sourceErrors({ inlineVolumeSpec, persistentVolumeName }: V1VolumeAttachmentSource, path: string) {
  const text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (inlineVolumeSpec === undefined)
    return (persistentVolumeName ?? "") === ""
      ? [
          required(
            persistentVolumeName === undefined ? path : `${path}.persistentVolumeName`,
            persistentVolumeName === undefined ? text : "must specify non empty persistentVolumeName",
          ),
        ]
      : [];
  if (persistentVolumeName !== undefined) return [forbidden(path, text)];
  return inlineVolumeErrors(inlineVolumeSpec, `${path}.inlineVolumeSpec`);
}

function metadataErrors(metadata: Readonly<Record<string, string>> | undefined): FieldError[] {
  const field = "status.attachmentMetadata";
  let bytes = 0;
  for (const [key, value] of Object.entries(metadata ?? {})) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  return bytes > metadataBytesMax ? [tooLong(field, metadataBytesMax)] : [];
}

function volumeErrorErrors(error: V1VolumeError | undefined, path: string): FieldError[] {
  if (error === undefined) return [];
  const { message = "", errorCode } = error;
  return [
    // The limit that upstream names is that of the metadata.
    ...(isLongerThan(message, messageBytesMax) ? [tooLong(`${path}.message`, metadataBytesMax)] : []),
    ...((errorCode ?? 0) < 0 ? [invalid(`${path}.errorCode`, errorCode, rangeError(0, 2 ** 31 - 1))] : []),
  ];
}
