/** The containers of a pod. Upstream: validateContainers, validateInitContainers, validateEphemeralContainers. */
import type { V1Container, V1EphemeralContainer, V1PodSpec, V1Volume } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import {
  duplicate,
  forbidden,
  invalid,
  notFoundValue,
  notSupported,
  required,
  tooMany,
} from "#api/validation/field-errors.ts";
import { dnsLabel, oneOf, present } from "#api/validation/values.ts";
import { environmentErrors, environmentFromErrors } from "./container-environment.ts";
import { devicesErrors, mountsErrors } from "./container-mounts.ts";
import { noProbesErrors, probesErrors } from "./container-probes.ts";
import { requirementsErrors } from "./container-resources.ts";
import { hostPortConflicts, portsErrors } from "./pod-networking.ts";
import { isSidecar } from "./pod-resources.ts";
import { securityContextErrors } from "./pod-security.ts";

/** What a container's rules must know of its pod. */
export interface ContainerContext {
  spec: V1PodSpec;
  volumes: ReadonlyMap<string, V1Volume>;
  claimNames: ReadonlySet<string>;
}

const pullPolicies = ["Always", "IfNotPresent", "Never"];
const containerRestartPolicies = ["Always", "Never", "OnFailure"];
export const restartRulesMax = 20;
export const restartExitCodesMax = 255;

function commonErrors(
  container: V1Container,
  { spec, volumes, claimNames }: ContainerContext,
  path: string,
): FieldError[] {
  const { name = "", ports, env, envFrom } = container as Partial<V1Container>;
  const errors = name === "" ? [required(`${path}.name`)] : dnsLabel(`${path}.name`, name);
  errors.push(...present(`${path}.image`, container.image));
  errors.push(
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, ["File", "FallbackToLogsOnError"]),
  );
  if (ports) errors.push(...portsErrors(ports, `${path}.ports`));
  if (env) errors.push(...environmentErrors(env, `${path}.env`));
  if (envFrom) errors.push(...environmentFromErrors(envFrom, `${path}.envFrom`));
  if (container.volumeMounts) errors.push(...mountsErrors(container, volumes, `${path}.volumeMounts`));
  if (container.volumeDevices) errors.push(...devicesErrors(container, volumes, `${path}.volumeDevices`));
  errors.push(...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, pullPolicies));
  errors.push(...requirementsErrors(container.resources, claimNames, `${path}.resources`));
  errors.push(...resizePolicyErrors(container, spec.restartPolicy, `${path}.resizePolicy`));
  errors.push(...securityContextErrors(container.securityContext, spec.hostUsers !== false, `${path}.securityContext`));
  return errors;
}

const resizeResources = ["cpu", "memory"];
const resizeRestarts = ["NotRequired", "RestartContainer"];

/** Upstream reports wrong values at the list, not at the item. */
function resizePolicyErrors(
  { resizePolicy = [] }: V1Container,
  restartPolicy: string | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { resourceName = "", restartPolicy: restart = "" }] of resizePolicy.entries()) {
    if (seen.has(resourceName)) errors.push(duplicate(`${path}[${index}]`, resourceName));
    seen.add(resourceName);
    errors.push(...oneOf(path, resourceName, resizeResources), ...oneOf(path, restart, resizeRestarts));
    if (restartPolicy === "Never" && restart !== "NotRequired")
      errors.push(invalid(path, restart, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
  }
  return errors;
}

function restartPolicyErrors({ restartPolicy }: V1Container, path: string): FieldError[] {
  if (restartPolicy === undefined || containerRestartPolicies.includes(restartPolicy)) return [];
  return [notSupported(`${path}.restartPolicy`, restartPolicy, containerRestartPolicies)];
}

function restartRulesErrors({ restartPolicyRules = [] }: V1Container, path: string): FieldError[] {
  const at = `${path}.restartPolicyRules`;
  const count = restartPolicyRules.length;
  const errors = count > restartRulesMax ? [tooMany(at, count, restartRulesMax)] : [];
  for (const [index, { action, exitCodes }] of restartPolicyRules.entries()) {
    const item = `${at}[${index}]`;
    if (action !== "Restart" && action !== "RestartAllContainers")
      errors.push(notSupported(`${item}.action`, action ?? "", ["Restart", "RestartAllContainers"]));
    errors.push(...exitCodesErrors(exitCodes, `${item}.exitCodes`));
  }
  return errors;
}

/** Rules without a policy: upstream looks at them no further in an init container. */
function restartErrors(container: V1Container, path: string, isInit: boolean): FieldError[] {
  const { restartPolicy, restartPolicyRules = [] } = container;
  const errors = restartPolicyErrors(container, path);
  if (restartPolicyRules.length > 0 && restartPolicy === undefined) {
    errors.push(required(`${path}.restartPolicy`, "must specify restartPolicy when restart rules are used"));
    if (isInit) return errors;
  }
  return [...errors, ...restartRulesErrors(container, path)];
}

function exitCodesErrors(exitCodes: { operator?: string; values?: number[] } | undefined, path: string): FieldError[] {
  if (exitCodes === undefined) return [required(path, "must be specified")];
  const { operator = "", values = [] } = exitCodes;
  const errors: FieldError[] = [];
  if (operator !== "In" && operator !== "NotIn")
    errors.push(notSupported(`${path}.operator`, operator, ["In", "NotIn"]));
  if (values.length > restartExitCodesMax) errors.push(tooMany(`${path}.values`, values.length, restartExitCodesMax));
  return errors;
}

export function containersErrors(context: ContainerContext, path: string): FieldError[] {
  const containers = context.spec.containers ?? [];
  if (containers.length === 0) return [required(path)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`;
    errors.push(...commonErrors(container, context, at));
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    errors.push(...probesErrors(container, gracePeriodOf(context.spec), at));
    errors.push(...restartErrors(container, at, false));
  }
  return [...errors, ...hostPortConflicts(containers, path)];
}

const gracePeriodOf = ({ terminationGracePeriodSeconds }: V1PodSpec) => terminationGracePeriodSeconds ?? 0;

export function initContainersErrors(context: ContainerContext, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set((context.spec.containers ?? []).map(({ name }) => name));
  for (const [index, container] of (context.spec.initContainers ?? []).entries()) {
    const at = `${path}[${index}]`;
    errors.push(...commonErrors(container, context, at), ...restartErrors(container, at, true));
    if (names.has(container.name)) errors.push(duplicate(`${at}.name`, container.name));
    else if (container.name) names.add(container.name);
    errors.push(...hostPortConflicts([container], path));
    if (isSidecar(container)) errors.push(...probesErrors(container, gracePeriodOf(context.spec), at));
    else errors.push(...noProbesErrors(container, at), ...initResizeErrors(container, `${at}.resizePolicy`));
  }
  return errors;
}

function initResizeErrors({ resizePolicy = [] }: V1Container, path: string): FieldError[] {
  const text = "must not be set to 'RestartContainer' for non-sidecar initContainers";
  return resizePolicy.flatMap(({ restartPolicy }, index) =>
    restartPolicy === "RestartContainer" ? [invalid(`${path}[${index}].restartPolicy`, restartPolicy, text)] : [],
  );
}

/** Fields of a container that an ephemeral one does not have, in the order of the Go struct. */
const notEphemeral = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
] as const;

export function ephemeralContainersErrors(context: ContainerContext, path: string): FieldError[] {
  const { spec } = context;
  if (spec.ephemeralContainers === undefined) return [];
  const errors: FieldError[] = [];
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  for (const [index, ephemeral] of spec.ephemeralContainers.entries()) {
    const at = `${path}[${index}]`;
    const container = ephemeral as V1Container;
    errors.push(...commonErrors(container, context, at), ...imageSpaceErrors(container, at));
    if (names.has(ephemeral.name)) errors.push(duplicate(`${at}.name`, ephemeral.name));
    names.add(ephemeral.name);
    const { targetContainerName: target = "" } = ephemeral;
    if (target !== "" && !others.has(target)) errors.push(notFoundValue(`${at}.targetContainerName`, target));
    errors.push(...ephemeralFieldsErrors(ephemeral, at));
  }
  return errors;
}

function ephemeralFieldsErrors(container: V1EphemeralContainer, path: string): FieldError[] {
  const text = "cannot be set for an Ephemeral Container";
  const errors = notEphemeral
    .filter((field) => (field === "resources" ? isGiven(container[field]) : container[field] !== undefined))
    .map((field) => forbidden(`${path}.${field}`, text));
  for (const [index, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
    if (subPath) errors.push(forbidden(`${path}.volumeMounts[${index}].subPath`, text));
    if (subPathExpr) errors.push(forbidden(`${path}.volumeMounts[${index}].subPathExpr`, text));
  }
  return errors;
}

const isGiven = (value: object | undefined) => value !== undefined && Object.keys(value).length > 0;

/** Pods only: templates of old objects may have padded images. */
export const imageSpaceErrors = ({ image = "" }: V1Container, path: string): FieldError[] =>
  image.trim() === image ? [] : [invalid(`${path}.image`, image, "must not have leading or trailing whitespace")];
