/** The rules of CSI drivers. Upstream: ValidateCSIDriver, ValidateCSIDriverUpdate. */
import type { StorageV1TokenRequest, V1CSIDriver, V1CSIDriverSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, forbidden, invalid, notSupported, required } from "#api/validation/field-errors.ts";
import { immutable, semanticEqual } from "#api/validation/values.ts";

const fsGroupPolicies = ["File", "None", "ReadWriteOnceWithFSType"];
const lifecycleModes = ["Persistent", "Ephemeral"];
const expirationSecondsMin = 10 * 60;
const expirationSecondsMax = 2 ** 32;
const updateSecondsMin = 10;
/** Changes of these are counted. */
const countedFields = ["tokenRequests", "requiresRepublish", "seLinuxMount"] as const;

export const isMutableFieldChanged = ({ spec }: V1CSIDriver, { spec: old }: V1CSIDriver): boolean =>
  countedFields.some((field) => !semanticEqual(spec[field], old[field]));

/** Alpha in this release, so off. */
export function dropGated({ spec }: V1CSIDriver): void {
  delete spec.preventPodSchedulingIfMissing;
}

export function csiDriverErrors({ spec }: V1CSIDriver, old: V1CSIDriver | undefined): FieldError[] {
  const errors = specErrors(spec);
  if (old === undefined) return errors;
  return [
    ...errors,
    ...immutable("spec.attachedRequired", spec.attachRequired, old.spec.attachRequired),
    ...immutable("spec.volumeLifecycleModes", spec.volumeLifecycleModes, old.spec.volumeLifecycleModes),
  ];
}

function specErrors(spec: V1CSIDriverSpec): FieldError[] {
  const { attachRequired, podInfoOnMount, storageCapacity, fsGroupPolicy, seLinuxMount } = spec;
  const present = (field: string, value: unknown) => (value === undefined ? [required(`spec.${field}`)] : []);
  return [
    ...present("attachedRequired", attachRequired),
    ...present("podInfoOnMount", podInfoOnMount),
    ...present("storageCapacity", storageCapacity),
    ...present("fsGroupPolicy", fsGroupPolicy),
    ...(fsGroupPolicy === undefined || fsGroupPolicies.includes(fsGroupPolicy)
      ? []
      : [notSupported("spec.fsGroupPolicy", fsGroupPolicy, fsGroupPolicies)]),
    ...tokenRequestsErrors(spec.tokenRequests ?? []),
    ...(spec.volumeLifecycleModes ?? []).flatMap((mode) =>
      lifecycleModes.includes(mode) ? [] : [notSupported("spec.volumeLifecycleModes", mode, lifecycleModes)],
    ),
    ...present("seLinuxMount", seLinuxMount),
    ...updatePeriodErrors(spec.nodeAllocatableUpdatePeriodSeconds),
    ...secretsErrors(spec),
  ];
}

function tokenRequestsErrors(requests: readonly StorageV1TokenRequest[]): FieldError[] {
  const audiences = new Set<string>();
  return requests.flatMap(({ audience = "", expirationSeconds: seconds }, index) => {
    const path = `spec.tokenRequests[${index}]`;
    if (audiences.has(audience)) return [duplicate(`${path}.audience`, audience)];
    audiences.add(audience);
    const errors: FieldError[] = [];
    const bad = (text: string) => errors.push(invalid(`${path}.expirationSeconds`, seconds, text));
    if (seconds !== undefined && seconds < expirationSecondsMin) bad("may not specify a duration less than 10 minutes");
    if (seconds !== undefined && seconds > expirationSecondsMax)
      bad("may not specify a duration larger than 2^32 seconds");
    return errors;
  });
}

const updatePeriodErrors = (seconds: number | undefined): FieldError[] =>
  seconds === undefined || seconds >= updateSecondsMin
    ? []
    : [invalid("spec.nodeAllocatableUpdatePeriodSeconds", seconds, "must be greater than or equal to 10 seconds")];

const secretsErrors = ({ serviceAccountTokenInSecrets, tokenRequests }: V1CSIDriverSpec): FieldError[] =>
  serviceAccountTokenInSecrets === undefined || (tokenRequests ?? []).length > 0
    ? []
    : [forbidden("spec.serviceAccountTokenInSecrets", "may not be set when tokenRequests is not configured")];

export const csiDriverWarnings = ({ spec }: V1CSIDriver): string[] =>
  (spec.tokenRequests ?? []).length > 0 && spec.serviceAccountTokenInSecrets === undefined
    ? [
        "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes",
      ]
    : [];
