/**
 * Who may ask for and hand out devices: claims may look into devices that others use only in namespaces that are marked for
 * it, and the parts of a claim's status are written by those who have a right to them beside the right to the status.
 * Upstream: pkg/registry/resource/{resourceclaim/strategy.go,authorization.go}.
 */
import type { ResourceV1ResourceClaim, V1Namespace, V1ResourceClaimTemplate } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { compareText } from "#api/go-text.ts";
import { forbidden, invalidObject } from "#api/validation/field-errors.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { forbidden as forbiddenTo } from "#apiserver/authz/authorizer.ts";
import { objectAt } from "./lookup.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const group = "resource.k8s.io";
const label = "resource.kubernetes.io/admin-access";
const nodeNameKey = "authentication.kubernetes.io/node-name";

type Status = NonNullable<ResourceV1ResourceClaim["status"]>;

export const deviceAccess: AdmissionPlugin = {
  name: "DeviceAccess",
  validate(request) {
    const errors = errorsOf(request);
    if (errors.length > 0) throw invalidObject(request.resource.kindName, request.name, errors);
  },
};

function errorsOf(request: AdmissionRequest): FieldError[] {
  if (request.object === undefined) return [];
  if (request.operation === "CREATE") {
    const index = requestsOf(request).findIndex(({ exactly }) => exactly?.adminAccess === true);
    return index < 0 ? [] : adminErrors(request, `spec.devices.requests[${index}].adminAccess`);
  }
  if (request.operation !== "UPDATE" || !isFor(request, group, "resourceclaims", "status")) return [];
  const status = (request.object as ResourceV1ResourceClaim).status ?? {};
  const old = (request.old as ResourceV1ResourceClaim | undefined)?.status ?? {};
  return [
    ...adminStatusErrors(request, status, old),
    ...bindingErrors(request, status, old),
    ...driverErrors(request, status, old),
  ];
}

function requestsOf(request: AdmissionRequest) {
  if (isFor(request, group, "resourceclaims"))
    return (request.object as ResourceV1ResourceClaim).spec?.devices?.requests ?? [];
  if (isFor(request, group, "resourceclaimtemplates"))
    return (request.object as V1ResourceClaimTemplate).spec?.spec?.devices?.requests ?? [];
  return [];
}

function adminErrors({ services, namespace }: AdmissionRequest, field: string): FieldError[] {
  const marked = objectAt<V1Namespace>(services, "/registry/core/namespaces/", namespace);
  if (marked?.metadata.labels?.[label] === "true") return [];
  return [
    forbidden(field, `admin access to devices requires the \`${label}: true\` label on the containing namespace`),
  ];
}

function adminStatusErrors(request: AdmissionRequest, status: Status, old: Status): FieldError[] {
  const granted = ({ allocation }: Status) =>
    (allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess === true);
  const index = granted(status);
  if (index < 0 || granted(old) >= 0) return [];
  return adminErrors(request, `status.allocation.devices.results[${index}].adminAccess`);
}

/** For whom devices are set aside is said by those who bind claims, of which they bind any. */
function bindingErrors(request: AdmissionRequest, status: Status, old: Status): FieldError[] {
  const isAsBefore =
    semanticEqual(status.allocation, old.allocation) && semanticEqual(status.reservedFor ?? [], old.reservedFor ?? []);
  if (isAsBefore) return [];
  const { verb = "update" } = request;
  const refusal = refusalOf(request, { verb, subresource: "binding", namespace: "", name: "" });
  if (refusal === undefined) return [];
  const what = "changing status.allocation or status.reservedFor";
  return [
    forbidden("status", `${what} requires resource="resourceclaims/binding", verb="${verb}" permission: ${refusal}`),
  ];
}

/** What a device reports is said by its driver: by the one on the device's node, or by one that stands for all nodes. */
function driverErrors(request: AdmissionRequest, status: Status, old: Status): FieldError[] {
  const { verb = "update", namespace } = request;
  const verbs = [`arbitrary-node:${verb}`];
  const node = nodeOf(status.allocation);
  if (node !== "" && nodeOfCaller(request) === node) verbs.unshift(`associated-node:${verb}`);
  return changedDrivers(status.devices ?? [], old.devices ?? []).flatMap((name) => {
    const refusals: string[] = [];
    for (const one of verbs) {
      const refusal = refusalOf(request, { verb: one, subresource: "driver", namespace, name });
      if (refusal === undefined) return [];
      refusals.push(refusal);
    }
    const wanted = `requires resource="resourceclaims/driver", verb="[${verbs.join(" ")}]" permission`;
    return [forbidden("status.devices", `changing status.devices ${wanted}: ${refusals[0]}`)];
  });
}

type Devices = NonNullable<Status["devices"]>;

function changedDrivers(devices: Devices, old: Devices): string[] {
  const key = ({ driver, pool, device, shareID = "" }: Devices[number]) =>
    JSON.stringify([driver, pool, device, shareID]);
  const before = new Map(old.map((one) => [key(one), one]));
  const changed = new Set<string>();
  for (const one of devices) {
    if (!semanticEqual(one, before.get(key(one)))) changed.add(one.driver);
    before.delete(key(one));
  }
  for (const { driver } of before.values()) changed.add(driver);
  return [...changed].sort(compareText);
}

/** The one node on which the devices can be used; empty if there are more, or it is not said by name. */
function nodeOf(allocation: Status["allocation"]): string {
  const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const [{ matchExpressions = [], matchFields = [] } = {}] = terms;
  const [field] = matchFields;
  if (terms.length !== 1 || matchExpressions.length > 0 || matchFields.length !== 1) return "";
  if (field?.key !== "metadata.name" || field.operator !== "In" || field.values?.length !== 1) return "";
  return field.values[0]!;
}

/** Where the pod runs whose service account calls. */
function nodeOfCaller({ user }: AdmissionRequest): string | undefined {
  const names = user.extra?.[nodeNameKey] ?? [];
  return /^system:serviceaccount:[^:]+:[^:]+$/.test(user.name) && names.length === 1 ? names[0] : undefined;
}

interface Wanted {
  verb: string;
  subresource: string;
  namespace: string;
  name: string;
}

/** Why the caller may not. */
function refusalOf({ services, user }: AdmissionRequest, wanted: Wanted): string | undefined {
  const attributes = { user, isResource: true, group, version: "v1", resource: "resourceclaims", path: "", ...wanted };
  const { decision, reason, error } = services.authorizer.authorize(attributes);
  if (decision === "allow") return undefined;
  const why = [error ?? "", reason].filter((text) => text !== "").join(": ");
  return forbiddenTo(attributes, why).message;
}
