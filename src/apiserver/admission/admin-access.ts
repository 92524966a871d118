/**
 * Claims may look into devices that others use only in namespaces that are marked for it. Upstream:
 * pkg/registry/resource/resourceclaim/strategy.go, AuthorizedForAdmin.
 */
import type { ResourceV1ResourceClaim, V1Namespace, V1ResourceClaimTemplate } from "#api/generated/types.ts";
import { forbidden, invalidObject } from "#api/validation/field-errors.ts";
import { objectAt } from "./lookup.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const group = "resource.k8s.io";
const label = "resource.kubernetes.io/admin-access";

export const adminAccess: AdmissionPlugin = {
  name: "AdminAccess",
  validate(request) {
    if (request.operation !== "CREATE" || request.object === undefined) return;
    const index = requestsOf(request).findIndex(({ exactly }) => exactly?.adminAccess === true);
    if (index < 0) return;
    const namespace = objectAt<V1Namespace>(request.services, "/registry/core/namespaces/", request.namespace);
    if (namespace?.metadata.labels?.[label] === "true") return;
    const text = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
    const error = forbidden(`spec.devices.requests[${index}].adminAccess`, text);
    throw invalidObject(request.resource.kindName, request.name, [error]);
  },
};

function requestsOf(request: AdmissionRequest) {
  if (isFor(request, group, "resourceclaims"))
    return (request.object as ResourceV1ResourceClaim).spec?.devices?.requests ?? [];
  if (isFor(request, group, "resourceclaimtemplates"))
    return (request.object as V1ResourceClaimTemplate).spec?.spec?.devices?.requests ?? [];
  return [];
}
