/** The rules of what a claim asks for. Upstream: pkg/apis/resource/validation/validation.go, ValidateResourceClaim. */
import type {
  ResourceV1ResourceClaim,
  V1DeviceClaim,
  V1DeviceConstraint,
  V1DeviceRequest,
  V1DeviceSubRequest,
  V1ExactDeviceRequest,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, notSupported, raw, required } from "#api/validation/field-errors.ts";
import { dnsLabel, dnsSubdomain, immutable } from "#api/validation/values.ts";
import { configurationErrors, selectorsErrors, tolerationsErrors } from "./device-configuration.ts";
import { fullNameErrors, listErrors, setErrors } from "./device-names.ts";
import { configurationsMax } from "./device-class-rules.ts";

const requestsMax = 32;
const subRequestsMax = 8;
const constraintsMax = 32;

/** Names of requests, with those of their alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export function claimErrors({ spec }: ResourceV1ResourceClaim, old: ResourceV1ResourceClaim | undefined): FieldError[] {
  if (old !== undefined) return immutable("spec", spec, old.spec);
  return deviceClaimErrors(spec?.devices ?? {}, "spec.devices");
}

export function deviceClaimErrors(devices: V1DeviceClaim, path: string): FieldError[] {
  const { requests, constraints, config } = devices;
  const names = requestNames(devices);
  return [
    ...setErrors(requests, requestsMax, `${path}.requests`, ({ name }) => name, requestErrors),
    ...listErrors(constraints, constraintsMax, `${path}.constraints`, (constraint, at) =>
      constraintErrors(constraint, at, names),
    ),
    ...listErrors(config, configurationsMax, `${path}.config`, (one, at) => [
      ...referencesErrors(one.requests, `${at}.requests`, names),
      ...configurationErrors(one, at),
    ]),
  ];
}

export const requestNames = ({ requests }: V1DeviceClaim): RequestNames =>
  new Map(
    (requests ?? []).map(({ name, firstAvailable }) => [name, new Set((firstAvailable ?? []).map((sub) => sub.name))]),
  );

function requestErrors({ name = "", exactly, firstAvailable }: V1DeviceRequest, path: string): FieldError[] {
  const errors = dnsLabel(`${path}.name`, name);
  const hasAlternatives = (firstAvailable ?? []).length > 0;
  const text = "exactly one of `exactly` or `firstAvailable` is required";
  if (exactly === undefined && !hasAlternatives) return [...errors, required(path, text)];
  if (exactly !== undefined && hasAlternatives)
    return [...errors, invalid(path, raw("null"), `${text}, but multiple fields are set`)];
  if (exactly !== undefined) return [...errors, ...deviceErrors(exactly, `${path}.exactly`)];
  return [
    ...errors,
    ...setErrors(firstAvailable, subRequestsMax, `${path}.firstAvailable`, (sub) => sub.name, subRequestErrors),
  ];
}

const subRequestErrors = (request: V1DeviceSubRequest, path: string): FieldError[] => [
  ...dnsLabel(`${path}.name`, request.name ?? ""),
  ...deviceErrors(request, path),
];

function deviceErrors(request: V1ExactDeviceRequest | V1DeviceSubRequest, path: string): FieldError[] {
  const { deviceClassName = "", selectors, allocationMode = "", count = 0, tolerations } = request;
  const field = `${path}.deviceClassName`;
  return [
    ...(deviceClassName === "" ? [required(field)] : dnsSubdomain(field, deviceClassName)),
    ...selectorsErrors(selectors, `${path}.selectors`),
    ...amountErrors(allocationMode, count, path),
    ...tolerationsErrors(tolerations, `${path}.tolerations`),
  ];
}

function amountErrors(mode: string, count: number, path: string): FieldError[] {
  switch (mode) {
    case "All":
      return count === 0 ? [] : [invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'")];
    case "ExactCount":
      return count > 0 ? [] : [invalid(`${path}.count`, count, "must be greater than zero")];
    default:
      return [notSupported(`${path}.allocationMode`, mode, ["All", "ExactCount"])];
  }
}

/** Upstream says this of none at all. */
const attributeText = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';

function constraintErrors(constraint: V1DeviceConstraint, path: string, names: RequestNames): FieldError[] {
  const { requests, matchAttribute, distinctAttribute } = constraint;
  const errors = referencesErrors(requests, `${path}.requests`, names);
  if (matchAttribute !== undefined) return [...errors, ...fullNameErrors(matchAttribute, `${path}.matchAttribute`)];
  if (distinctAttribute !== undefined)
    return [...errors, ...fullNameErrors(distinctAttribute, `${path}.distinctAttribute`)];
  return [...errors, required(path, attributeText)];
}

export const referencesErrors = (references: readonly string[] | undefined, path: string, names: RequestNames) =>
  setErrors(
    references,
    requestsMax,
    path,
    (name) => name,
    (name, at) => referenceErrors(name, at, names),
  );

/** "request" or "request/alternative". */
export function referenceErrors(reference: string, field: string, names: RequestNames): FieldError[] {
  const text = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  const [name = "", sub, ...rest] = reference.split("/");
  if (rest.length > 0) return [invalid(field, reference, text)];
  const errors = [name, ...(sub === undefined ? [] : [sub])].flatMap((part) => dnsLabel(field, part));
  const alternatives = names.get(name);
  const isKnown = alternatives !== undefined && (sub === undefined || alternatives.has(sub));
  return isKnown ? errors : [...errors, invalid(field, reference, text)];
}
