/**
 * Volumes made of objects: secret, configMap, downwardAPI, projected. Upstream: pkg/apis/core/validation/validation.go.
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
import { forbidden, invalid, required } from "#api/validation/field-errors.ts";
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

/** Upstream reports the faults of files at their list's owner. */
export const downwardVolumeErrors = ({ defaultMode, items }: V1DownwardAPIVolumeSource, path: string): FieldError[] => [
  ...modeErrors(`${path}.defaultMode`, defaultMode),
  ...(items ?? []).flatMap((file) => downwardFileErrors(file, path)),
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

/** Sources whose features are off in this release are dropped before (pod-strategy.ts). */
const projectionKinds = ["secret", "configMap", "downwardAPI", "serviceAccountToken"] as const;

export function projectedVolumeErrors({ defaultMode, sources }: V1ProjectedVolumeSource, path: string): FieldError[] {
  const written = new Set<string>();
  const errors = modeErrors(`${path}.defaultMode`, defaultMode);
  for (const [index, source] of (sources ?? []).entries()) {
    const at = `${path}.sources[${index}]`;
    const given = projectionKinds.filter((kind) => source[kind] !== undefined);
    for (const kind of given) errors.push(...projectionErrors(kind, source, `${at}.${kind}`, path, written));
    if (given.length > 1) errors.push(forbidden(at, "may not specify more than 1 volume type per source"));
  }
  return errors;
}

/** `volumePath`: of the whole projected volume, where conflicts are reported. */
function projectionErrors(
  kind: (typeof projectionKinds)[number],
  source: V1VolumeProjection,
  path: string,
  volumePath: string,
  written: Set<string>,
): FieldError[] {
  switch (kind) {
    case "secret":
    case "configMap": {
      const { name, items = [] } = source[kind]!;
      return [
        ...present(`${path}.name`, name),
        ...items.flatMap((item, index) => [
          ...keyToPathErrors(item, `${path}.items[${index}]`),
          ...conflictErrors(written, item.path, name ?? "", volumePath),
        ]),
      ];
    }
    case "downwardAPI":
      return (source.downwardAPI!.items ?? []).flatMap((file) => [
        ...downwardFileErrors(file, path),
        ...conflictErrors(written, file.path, file.path, volumePath),
      ]);
    case "serviceAccountToken":
      return tokenErrors(source.serviceAccountToken!, path, volumePath);
  }
}

/** Two sources that write the same file; `shown` is what upstream prints for it. */
function conflictErrors(written: Set<string>, to: string | undefined, shown: unknown, path: string): FieldError[] {
  if (to === undefined || to === "") return [];
  if (written.has(to)) return [invalid(path, shown, "conflicting duplicate paths")];
  written.add(to);
  return [];
}

const tokenSecondsMin = 10 * 60;
const tokenSecondsMax = 2 ** 32;

/** Upstream reports a token's path at the volume, and does not compare it with other paths. */
function tokenErrors(
  { expirationSeconds = 0, path: to = "" }: NonNullable<V1VolumeProjection["serviceAccountToken"]>,
  path: string,
  volumePath: string,
): FieldError[] {
  const fault = (text: string) => invalid(`${path}.expirationSeconds`, expirationSeconds, text);
  return [
    ...(expirationSeconds < tokenSecondsMin ? [fault("may not specify a duration less than 10 minutes")] : []),
    ...(expirationSeconds > tokenSecondsMax ? [fault("may not specify a duration larger than 2^32 seconds")] : []),
    ...(to === "" ? [required(`${volumePath}.path`)] : nonReservedPathErrors(`${volumePath}.path`, to)),
  ];
}
