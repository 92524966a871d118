/**
 * The rules of a pod spec, in a pod and in every template. Each theme has a file; here is their order, which is upstream's
 * (ValidatePodSpec), since all errors are shown at once.
 */
import type { V1ObjectMeta, V1PodSpec, V1PodTemplateSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { duplicate, forbidden, invalid, invalidEach, required, rootPath } from "#api/validation/field-errors.ts";
import { isDns1123Subdomain, isQualifiedName, rangeError } from "#api/validation/names.ts";
import { annotationsErrors, labelsErrors } from "#api/validation/object-meta.ts";
import { dnsLabel, dnsSubdomain, oneOf } from "#api/validation/values.ts";
import { fileVolumesErrors } from "./container-environment.ts";
import {
  type ContainerContext,
  containersErrors,
  ephemeralContainersErrors,
  initContainersErrors,
} from "./containers.ts";
import { overheadErrors, podResourcesErrors } from "./container-resources.ts";
import { annotationsAgainstFields, mirrorPod, podAnnotationsErrors } from "./pod-annotations.ts";
import {
  dnsConfigErrors,
  dnsPolicies,
  hostAliasesErrors,
  hostNetworkErrors,
  hostnameErrors,
  hostnameOverrideErrors,
} from "./pod-networking.ts";
import { hostProcessErrors, hostUsersErrors, osErrors } from "./pod-os.ts";
import { affinityErrors, schedulingGatesErrors, spreadErrors, tolerationsErrors } from "./pod-scheduling.ts";
import { podSecurityContextErrors } from "./pod-security.ts";
import { volumesErrors } from "./volumes.ts";

const int32Max = 2_147_483_647;

/** `meta`: of a real pod; undefined in a template. */
export function podSpecErrors(spec: V1PodSpec, meta: V1ObjectMeta | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.terminationGracePeriodSeconds === undefined) errors.push(required(`${path}.terminationGracePeriodSeconds`));
  const volumes = volumesErrors(spec.volumes, meta, `${path}.volumes`, errors);
  const claimNames = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(Boolean));
  if (spec.resourceClaims) errors.push(...resourceClaimsErrors(spec.resourceClaims, meta, `${path}.resourceClaims`));
  const context: ContainerContext = { spec, volumes, claimNames };
  errors.push(...containersErrors(context, `${path}.containers`));
  if (spec.initContainers) errors.push(...initContainersErrors(context, `${path}.initContainers`));
  if (spec.ephemeralContainers) errors.push(...ephemeralContainersErrors(context, `${path}.ephemeralContainers`));
  errors.push(...podResourcesErrors(spec, claimNames, `${path}.resources`));
  errors.push(...hostNetworkErrors(spec, meta !== undefined, path));
  errors.push(...oneOf(`${path}.restartPolicy`, spec.restartPolicy, ["Always", "OnFailure", "Never"]));
  errors.push(...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies));
  errors.push(...labelsErrors(spec.nodeSelector, `${path}.nodeSelector`));
  errors.push(...podSecurityContextErrors(spec, `${path}.securityContext`));
  errors.push(...affinityErrors(spec.affinity, `${path}.affinity`));
  errors.push(...dnsConfigErrors(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`));
  for (const [index, { conditionType = "" }] of (spec.readinessGates ?? []).entries())
    errors.push(
      ...invalidEach(`${path}.readinessGates[${index}].conditionType`, conditionType, isQualifiedName(conditionType)),
    );
  if (spec.schedulingGates) errors.push(...schedulingGatesErrors(spec.schedulingGates, `${path}.schedulingGates`));
  errors.push(...spreadErrors(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`));
  errors.push(...hostProcessErrors(spec, path), ...hostUsersErrors(spec, path));
  errors.push(...nameErrors(spec, path), ...deadlineErrors(spec, path));
  errors.push(...hostnameErrors(spec, path), ...hostnameOverrideErrors(spec, path));
  if (spec.tolerations) errors.push(...tolerationsErrors(spec.tolerations, `${path}.tolerations`));
  if (spec.hostAliases) errors.push(...hostAliasesErrors(spec.hostAliases, `${path}.hostAliases`));
  errors.push(...classErrors(spec, path));
  return [...errors, ...osErrors(spec, path), ...fileVolumesErrors(spec, path)];
}

function nameErrors({ serviceAccountName = "", nodeName = "" }: V1PodSpec, path: string): FieldError[] {
  return [
    ...(serviceAccountName === "" ? [] : dnsSubdomain(`${path}.serviceAccountName`, serviceAccountName)),
    ...(nodeName === "" ? [] : dnsSubdomain(`${path}.nodeName`, nodeName)),
  ];
}

function deadlineErrors({ activeDeadlineSeconds: seconds }: V1PodSpec, path: string): FieldError[] {
  if (seconds === undefined || (seconds >= 1 && seconds <= int32Max)) return [];
  return [invalid(`${path}.activeDeadlineSeconds`, seconds, rangeError(1, int32Max))];
}

function classErrors(
  { priorityClassName = "", runtimeClassName, preemptionPolicy, overhead }: V1PodSpec,
  path: string,
): FieldError[] {
  return [
    ...(priorityClassName === "" ? [] : dnsSubdomain(`${path}.priorityClassName`, priorityClassName)),
    ...(runtimeClassName === undefined ? [] : dnsSubdomain(`${path}.runtimeClassName`, runtimeClassName)),
    ...(preemptionPolicy === undefined
      ? []
      : oneOf(`${path}.preemptionPolicy`, preemptionPolicy, ["PreemptLowerPriority", "Never"])),
    ...(overhead === undefined ? [] : overheadErrors(overhead, `${path}.overhead`)),
  ];
}

function resourceClaimsErrors(
  claims: NonNullable<V1PodSpec["resourceClaims"]>,
  meta: V1ObjectMeta | undefined,
  path: string,
): FieldError[] {
  if (meta?.annotations?.[mirrorPod] !== undefined)
    return claims.map(() => forbidden(rootPath, "static pods do not support resource claims"));
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, claim] of claims.entries()) {
    const at = `${path}[${index}]`;
    const { name = "", resourceClaimName, resourceClaimTemplateName } = claim as Partial<typeof claim>;
    if (name === "") errors.push(required(`${at}.name`));
    else if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    else errors.push(...dnsLabel(`${at}.name`, name));
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      const text = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
      errors.push(invalid(at, claim, text));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      errors.push(invalid(at, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    if (resourceClaimName !== undefined)
      errors.push(...invalidEach(`${at}.resourceClaimName`, resourceClaimName, isDns1123Subdomain(resourceClaimName)));
    if (resourceClaimTemplateName !== undefined)
      errors.push(...dnsSubdomain(`${at}.resourceClaimTemplateName`, resourceClaimTemplateName));
  }
  return errors;
}

/** A template: labels, annotations and the spec. Upstream: ValidatePodTemplateSpec. */
export function podTemplateErrors(template: V1PodTemplateSpec, path: string): FieldError[] {
  const { metadata, spec } = template as Partial<V1PodTemplateSpec>;
  const errors = [
    ...labelsErrors(metadata?.labels, `${path}.labels`),
    ...annotationsErrors(metadata?.annotations, `${path}.annotations`),
    ...podAnnotationsErrors(metadata?.annotations, spec ?? emptySpec, `${path}.annotations`),
    ...podSpecErrors(spec ?? emptySpec, undefined, `${path}.spec`),
    ...annotationsAgainstFields(metadata?.annotations, spec ?? emptySpec, `${path}.spec`),
  ];
  if ((spec?.ephemeralContainers ?? []).length > 0)
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"));
  return errors;
}

const emptySpec: V1PodSpec = { containers: [] };
