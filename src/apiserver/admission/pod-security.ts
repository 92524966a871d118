/**
 * Pod Security Standards by namespace labels: pods are refused, templates of pods only warned of, and a namespace that gets
 * stricter is told which of its pods would not do. Upstream: k8s.io/pod-security-admission/admission.
 */
import type { V1Namespace, V1ObjectMeta, V1Pod, V1PodSpec } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import type { KubernetesObject } from "#api/object.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { invalidObject } from "#api/validation/field-errors.ts";
import { addWarning } from "#apiserver/resource/warnings.ts";
import { objectAt, objectsIn } from "./lookup.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";
import type { PodLike } from "./pod-security/containers.ts";
import { violations, violationsText } from "./pod-security/evaluate.ts";
import { isSameStandard, policyOf, rankOf, type Standard, standardText } from "./pod-security/levels.ts";

/** How many pods of a namespace are looked at when its labels change. */
export const checkedPodsMax = 3000;

const prefixOfNamespaces = "/registry/core/namespaces/";
const prefixOfPods = "/registry/core/pods/";
const seccompPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
/** Subresources of pods that change no container. */
const harmless = new Set(["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"]);
const withTemplates = new Set([
  "/replicationcontrollers",
  "/podtemplates",
  "apps/replicasets",
  "apps/deployments",
  "apps/statefulsets",
  "apps/daemonsets",
  "batch/jobs",
  "batch/cronjobs",
]);

export const podSecurity: AdmissionPlugin = {
  name: "PodSecurity",
  validate(request) {
    if (request.operation !== "CREATE" && request.operation !== "UPDATE") return;
    if (request.object === undefined) return;
    if (isFor(request, "", "namespaces")) checkNamespace(request);
    else if (isFor(request, "", "pods", request.subresource)) checkPod(request);
    else if (request.subresource === "") warnOfTemplate(request);
  },
};

function checkNamespace(request: AdmissionRequest): void {
  const { metadata } = request.object as V1Namespace;
  const { policy, errors } = policyOf(metadata.labels);
  const before = request.operation === "UPDATE" ? policyOf(request.old?.metadata.labels) : undefined;
  const text = (of: typeof errors): string => of.map(({ field, message }) => `${field}: ${message}`).join();
  if (errors.length > 0 && text(errors) !== text(before?.errors ?? []))
    throw invalidObject(request.resource.kindName, metadata.name ?? "", errors);
  if (before === undefined) return;
  const now = policy.enforce;
  const was = before.policy.enforce;
  if (isSameStandard(now, was) || now.level === "privileged") return;
  if (now.minor === was.minor && rankOf(now.level) <= rankOf(was.level)) return;
  for (const warning of warningsOfPods(request, metadata.name ?? "", now)) addWarning(request.warnings, warning);
}

function warningsOfPods({ services }: AdmissionRequest, namespace: string, standard: Standard): string[] {
  const pods = oneOfEachFirst(objectsIn<V1Pod>(services, prefixOfPods, namespace));
  const byOffence = new Map<string, string[]>();
  for (const { metadata, spec } of pods.slice(0, checkedPodsMax)) {
    const reasons = violations(standard, { metadata, spec: spec! }).map(({ reason }) => reason);
    if (reasons.length === 0) continue;
    const offence = reasons.join(", ");
    byOffence.set(offence, [...(byOffence.get(offence) ?? []), metadata.name ?? ""]);
  }
  const warnings: string[] = [];
  if (pods.length > checkedPodsMax)
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${checkedPodsMax} of ${pods.length} existing pods`,
    );
  if (byOffence.size > 0)
    warnings.push(
      `existing pods in namespace ${goQuote(namespace)} violate the new PodSecurity enforce level ${goQuote(standardText(standard))}`,
    );
  const lines = [...byOffence].map(([offence, names]) => `${podsText(names)}: ${offence}`);
  return [...warnings, ...lines.sort()];
}

/** Pods of one controller are much alike: one of each is looked at before the others. Upstream: prioritizePods. */
function oneOfEachFirst(pods: readonly V1Pod[]): V1Pod[] {
  const seen = new Set<string>();
  const alike: V1Pod[] = [];
  const first = pods.filter((pod) => {
    const uid = pod.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
    if (uid !== undefined && seen.has(uid)) {
      alike.push(pod);
      return false;
    }
    if (uid !== undefined) seen.add(uid);
    return true;
  });
  return [...first, ...alike];
}

function podsText(names: readonly string[]): string {
  const [first = ""] = names.toSorted();
  if (names.length === 1) return first;
  return names.length === 2 ? `${first} (and 1 other pod)` : `${first} (and ${names.length - 1} other pods)`;
}

function checkPod(request: AdmissionRequest): void {
  if (harmless.has(request.subresource)) return;
  const { policy } = policyOfNamespace(request);
  const pod = request.object as V1Pod;
  if (pod.spec === undefined) return;
  if (request.operation === "UPDATE" && !isSignificant(pod, request.old as V1Pod)) return;
  const found = violations(policy.enforce, { metadata: pod.metadata, spec: pod.spec });
  if (found.length > 0) {
    const text = `violates PodSecurity ${goQuote(standardText(policy.enforce))}: ${violationsText(found)}`;
    throw forbiddenRequest(request.resource.resourceName, request.name, text);
  }
  warn(request, policy.warn, { metadata: pod.metadata, spec: pod.spec });
}

function policyOfNamespace({ services, namespace }: AdmissionRequest) {
  return policyOf(objectAt<V1Namespace>(services, prefixOfNamespaces, namespace)?.metadata.labels);
}

function warn(request: AdmissionRequest, standard: Standard, pod: PodLike): void {
  const found = violations(standard, pod);
  if (found.length === 0) return;
  const text = `would violate PodSecurity ${goQuote(standardText(standard))}: ${violationsText(found)}`;
  addWarning(request.warnings, text);
}

/** Images, seccomp annotations and new containers are all that an update can make worse. */
function isSignificant(pod: V1Pod, old: V1Pod): boolean {
  const differs = (key: string): boolean => pod.metadata.annotations?.[key] !== old.metadata.annotations?.[key];
  if (differs(seccompPod)) return true;
  return (["containers", "initContainers", "ephemeralContainers"] as const).some((field) => {
    const before = old.spec?.[field] ?? [];
    const after = pod.spec?.[field] ?? [];
    if (field !== "ephemeralContainers" && before.length !== after.length) return true;
    return after.some(({ name, image }, index) => {
      const same = field === "ephemeralContainers" ? before.find((one) => one.name === name) : before[index];
      return same === undefined || same.image !== image || differs(seccompContainer + name);
    });
  });
}

function warnOfTemplate(request: AdmissionRequest): void {
  const { resource, object } = request;
  if (!withTemplates.has(`${resource.definition.group}/${resource.plural}`)) return;
  const { policy } = policyOfNamespace(request);
  if (policy.warn.level === "privileged") return;
  const template = templateOf(object!);
  if (template?.spec !== undefined) warn(request, policy.warn, { metadata: template.metadata, spec: template.spec });
}

interface Template {
  metadata?: V1ObjectMeta;
  spec?: V1PodSpec;
}

function templateOf(object: KubernetesObject): Template | undefined {
  const { template, spec } = object as KubernetesObject & {
    template?: Template;
    spec?: { template?: Template; jobTemplate?: { spec?: { template?: Template } } };
  };
  return template ?? spec?.template ?? spec?.jobTemplate?.spec?.template;
}
