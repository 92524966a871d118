/**
 * Volumes made of objects: secret, configMap, downwardAPI, projected, and the claim template of an ephemeral volume.
 * Upstream: pkg/apis/core/validation/validation.go.
 */
import type {
  V1ConfigMapVolumeSource,
  V1DownwardAPIVolumeFile,
  V1DownwardAPIVolumeSource,
  V1KeyToPath,
  V1ProjectedVolumeSource,
  V1SecretVolumeSource,
  V1VolumeProjection,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isDns1123Subdomain } from "#api/validation/names.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { present } from "#api/validation/values.ts";
import { fieldRefErrors, resourceFieldRefErrors, volumeFieldPaths } from "./downward-api.ts";
import { modeErrors, nonReservedPathErrors } from "./paths.ts";

export function keyToPathErrors({ key, path: to, mode }: Partial<V1KeyToPath>, path: string): FieldError[] {
  return [
    ...present(`${path}.key`, key),
    ...present(`${path}.path`, to),
    ...nonReservedPathErrors(`${path}.path`, to ?? ""),
    ...modeErrors(`${path}.mode`, mode),
  ];
}

const itemsErrors = (items: readonly V1KeyToPath[] | undefined, path: string) =>
  (items ?? []).flatMap((item, index) => keyToPathErrors(item, `${path}.items[${index}]`));

export const secretVolumeErrors = (
  { secretName, defaultMode, items }: V1SecretVolumeSource,
  path: string,
): FieldError[] => [
  ...present(`${path}.secretName`, secretName),
  ...modeErrors(`${path}.defaultMode`, defaultMode),
  ...itemsErrors(items, path),
];

export const configMapVolumeErrors = (
  { name, defaultMode, items }: V1ConfigMapVolumeSource,
  path: string,
): FieldError[] => [
  ...present(`${path}.name`, name),
  ...modeErrors(`${path}.defaultMode`, defaultMode),
  ...itemsErrors(items, path),
];

export const downwardVolumeErrors = ({ defaultMode, items }: V1DownwardAPIVolumeSource, path: string): FieldError[] => [
  ...modeErrors(`${path}.defaultMode`, defaultMode),
  ...(items ?? []).flatMap((file, index) => downwardFileErrors(file, `${path}.items[${index}]`)),
];

function downwardFileErrors(file: V1DownwardAPIVolumeFile, path: string): FieldError[] {
  const { path: to = "", fieldRef, resourceFieldRef, mode } = file;
  const errors = [...present(`${path}.path`, to), ...nonReservedPathErrors(`${path}.path`, to)];
  if (fieldRef !== undefined) {
    errors.push(...fieldRefErrors(fieldRef, volumeFieldPaths, `${path}.fieldRef`));
    if (resourceFieldRef !== undefined)
      errors.push(invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
  } else if (resourceFieldRef !== undefined)
    errors.push(...resourceFieldRefErrors(resourceFieldRef, `${path}.resourceFieldRef`, true));
  else errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  return [...errors, ...modeErrors(`${path}.mode`, mode)];
}

/** Paths that sources of one projected volume write to. */
class WrittenPaths {
  readonly #seen = new Set<string>();
  readonly #path: string;
  constructor(path: string) {
    this.#path = path;
  }
  /** `shown` is what upstream prints for a conflict. */
  add(to: string | undefined, shown: unknown, detail = "conflicting duplicate paths"): FieldError[] {
    if (to === undefined || to === "") return [];
    if (this.#seen.has(to)) return [invalid(this.#path, shown, detail)];
    this.#seen.add(to);
    return [];
  }
}

export function projectedVolumeErrors({ defaultMode, sources }: V1ProjectedVolumeSource, path: string): FieldError[] {
  const written = new WrittenPaths(path);
  const errors = modeErrors(`${path}.defaultMode`, defaultMode);
  for (const [index, source] of (sources ?? []).entries()) {
    const at = `${path}.sources[${index}]`;
    const given = projectionKinds.filter((kind) => source[kind] !== undefined);
    for (const kind of given) errors.push(...projectionErrors(kind, source, `${at}.${kind}`, written));
    if (given.length > 1) errors.push(forbidden(at, "may not specify more than 1 volume type per source"));
  }
  return errors;
}

const projectionKinds = [
  "secret",
  "configMap",
  "downwardAPI",
  "serviceAccountToken",
  "clusterTrustBundle",
  "podCertificate",
] as const;

function projectionErrors(
  kind: (typeof projectionKinds)[number],
  source: V1VolumeProjection,
  path: string,
  written: WrittenPaths,
): FieldError[] {
  switch (kind) {
    case "secret":
    case "configMap": {
      const { name, items = [] } = source[kind]!;
      return [
        ...present(`${path}.name`, name),
        ...items.flatMap((item, index) => [
          ...keyToPathErrors(item, `${path}.items[${index}]`),
          ...written.add(item.path, name ?? ""),
        ]),
      ];
    }
    case "downwardAPI":
      return (source.downwardAPI!.items ?? []).flatMap((file, index) => [
        ...downwardFileErrors(file, `${path}.items[${index}]`),
        ...written.add(file.path, file.path),
      ]);
    case "serviceAccountToken":
      return tokenErrors(source.serviceAccountToken!, path, written);
    case "clusterTrustBundle":
      return trustBundleErrors(source.clusterTrustBundle!, path, written);
    case "podCertificate":
      return podCertificateErrors(source.podCertificate!, path, written);
  }
}

const tokenSecondsMin = 10 * 60;
const tokenSecondsMax = 2 ** 32;

function tokenErrors(
  { expirationSeconds = 0, path: to = "" }: NonNullable<V1VolumeProjection["serviceAccountToken"]>,
  path: string,
  written: WrittenPaths,
): FieldError[] {
  const errors: FieldError[] = [];
  if (expirationSeconds < tokenSecondsMin)
    errors.push(
      invalid(`${path}.expirationSeconds`, expirationSeconds, "may not specify a duration less than 10 minutes"),
    );
  if (expirationSeconds > tokenSecondsMax)
    errors.push(
      invalid(`${path}.expirationSeconds`, expirationSeconds, "may not specify a duration larger than 2^32 seconds"),
    );
  if (to === "") errors.push(required(`${path}.path`));
  else errors.push(...nonReservedPathErrors(`${path}.path`, to));
  return [...errors, ...written.add(to, to)];
}

function trustBundleErrors(
  source: NonNullable<V1VolumeProjection["clusterTrustBundle"]>,
  path: string,
  written: WrittenPaths,
): FieldError[] {
  const { name, signerName, labelSelector, path: to = "" } = source;
  const errors: FieldError[] = [];
  if (name !== undefined && signerName !== undefined)
    errors.push(invalid(path, source, "only one of name and signerName may be used"));
  else if (name !== undefined) {
    if (name === "") errors.push(required(`${path}.name`, "must be a valid object name"));
    else errors.push(...invalidEach(`${path}.name`, name, isDns1123Subdomain(name.slice(name.lastIndexOf(":") + 1))));
    if (labelSelector !== undefined)
      errors.push(invalid(`${path}.labelSelector`, labelSelector, "labelSelector must be unset if name is specified"));
  } else if (signerName !== undefined) {
    if (signerName === "") errors.push(required(`${path}.signerName`, "must be a valid signer name"));
    errors.push(...labelSelectorErrors(labelSelector, `${path}.labelSelector`));
  } else errors.push(required(path, "either name or signerName must be specified"));
  if (to === "") errors.push(required(`${path}.path`));
  errors.push(...nonReservedPathErrors(`${path}.path`, to));
  return [...errors, ...written.add(to, to)];
}

const keyTypes = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
const certificateSecondsMin = 60 * 60;
const certificateSecondsMax = 91 * 24 * 60 * 60;

function podCertificateErrors(
  source: NonNullable<V1VolumeProjection["podCertificate"]>,
  path: string,
  written: WrittenPaths,
): FieldError[] {
  const { signerName = "", keyType = "", maxExpirationSeconds } = source;
  const errors = present(`${path}.signerName`, signerName);
  if (!keyTypes.includes(keyType))
    errors.push({
      field: `${path}.keyType`,
      type: "FieldValueNotSupported",
      message: `Unsupported value: "${keyType}": supported values: ${keyTypes.map((type) => `"${type}"`).join(", ")}`,
    });
  if (maxExpirationSeconds !== undefined && maxExpirationSeconds < certificateSecondsMin)
    errors.push(
      invalid(
        `${path}.maxExpirationSeconds`,
        maxExpirationSeconds,
        "if provided, maxExpirationSeconds must be >= 3600",
      ),
    );
  if (maxExpirationSeconds !== undefined && maxExpirationSeconds > certificateSecondsMax)
    errors.push(
      invalid(
        `${path}.maxExpirationSeconds`,
        maxExpirationSeconds,
        "if provided, maxExpirationSeconds must be <= 7862400",
      ),
    );
  const paths = ["credentialBundlePath", "keyPath", "certificateChainPath"] as const;
  for (const field of paths) {
    const to = source[field];
    if (to === undefined || to === "") continue;
    errors.push(...nonReservedPathErrors(`${path}.${field}`, to), ...written.add(to, to));
  }
  if (paths.every((field) => !source[field]))
    errors.push(required(path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"));
  return errors;
}
