/** Deleting a pod only if its disruption budget allows it. Upstream: pkg/registry/core/pod/storage/eviction.go. */
import { formatTime } from "#lib/clock.ts";
import type { V1Eviction, V1Pod, V1PodDisruptionBudget } from "#api/generated/types.ts";
import { labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { setPodCondition } from "#api/core/pod-condition.ts";
import type { KubernetesObject } from "#api/object.ts";
import { badRequest, forbiddenRequest, tooManyRequests, unknownFailure } from "#api/status-catalogue.ts";
import { noAdmission } from "#apiserver/admission/plugin.ts";
import { type Answer, objectAnswer } from "#apiserver/answer.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { Operation } from "#apiserver/operation.ts";
import { admissionFor } from "#apiserver/resource/create.ts";
import { checkDeleteOptions, type DeleteOptions } from "#apiserver/resource/delete-options.ts";
import { removeObject } from "#apiserver/resource/delete.ts";
import type { SpecialHandler, SpecialRequest } from "#apiserver/subresource.ts";
import { entryOf, operationOn, readBody, rewrite, success } from "./support.ts";

/** Evictions that the disruption controller has not seen yet. */
const disruptedPodsMax = 2000;
const retryAfterSeconds = 10;

type Eviction = V1Eviction & KubernetesObject;
type Budget = V1PodDisruptionBudget & KubernetesObject;

export const podEviction: SpecialHandler = { methods: ["POST"], handle: evict };

async function evict(special: SpecialRequest): Promise<Answer> {
  const eviction = await readBody<Eviction>(special, "io.k8s.api.policy.v1.Eviction", "policy", "v1beta1");
  const { name } = special.info;
  const options = (eviction.deleteOptions ?? {}) as DeleteOptions;
  const isDry = special.request.query.has("dryRun") || (options.dryRun ?? []).length > 0;
  const operation = operationOn(special, special.resource!, name, isDry);
  const admission = {
    ...admissionFor(operation, "CREATE", undefined, undefined),
    name,
    subresource: "eviction",
    options: eviction,
  };
  await special.services.admission.mutate(admission);
  if (eviction.metadata.name !== name) throw badRequest("name in URL does not match name in Eviction object");
  checkDryRuns(special, options);
  await special.services.admission.validate(admission);
  const pod = (await entryOf(operation)).object as V1Pod;
  checkDeleteOptions(options);
  if (!ignoresBudgets(pod)) await takeFromBudget(special, pod, isDry);
  // What is asked about an eviction is not asked about the deletion once more.
  const admitted = { ...operation, services: { ...operation.services, admission: noAdmission } };
  await removeObject(admitted, name, isDry ? options : await markDisrupted(operation, options));
  return objectAnswer(success(), 201);
}

/** The request and its content may not ask for different trials. */
function checkDryRuns({ request }: SpecialRequest, { dryRun = [] }: DeleteOptions): void {
  const asked = request.query.all("dryRun");
  if (asked.length === 0 || dryRun.length === 0 || asked.join() === dryRun.join()) return;
  throw unknownFailure(
    `Non-matching dry-run options in request and content: [${asked.join(" ")}] and [${dryRun.join(" ")}]`,
  );
}

/** Pods that do not run disturb nobody. */
function ignoresBudgets({ status, metadata }: V1Pod): boolean {
  const phase = status?.phase;
  return phase === "Succeeded" || phase === "Failed" || phase === "Pending" || metadata.deletionTimestamp !== undefined;
}

async function takeFromBudget(special: SpecialRequest, pod: V1Pod, isDry: boolean): Promise<void> {
  const budgets = special.services.catalogue.stored("policy", "poddisruptionbudgets");
  const matching = budgets === undefined ? [] : budgetsOf(budgets, pod);
  if (matching.length === 0) return;
  if (matching.length > 1)
    throw unknownFailure(
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  const budget = matching[0]!;
  if (isUnhealthyAndFree(pod, budget)) return;
  const operation = operationOn(special, budgets!, budget.metadata.name ?? "", isDry);
  await rewrite<Budget>(operation, (current) => {
    checkBudget(current);
    const status = current.status!;
    status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
    status.disruptedPods = { ...status.disruptedPods, [pod.metadata.name ?? ""]: formatTime(special.now) };
    if (status.disruptionsAllowed === 0) tellNoneAllowed(status, special.now);
  });
}

/** The budget says at once that it is used up; its controller would say so a little later. */
function tellNoneAllowed(status: NonNullable<Budget["status"]>, now: number): void {
  const conditions = status.conditions ?? [];
  const before = conditions.find(({ type }) => type === "DisruptionAllowed");
  const condition = {
    type: "DisruptionAllowed",
    status: "False",
    ...(status.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
    lastTransitionTime: before?.status === "False" ? before.lastTransitionTime : (formatTime(now) as never),
    reason: "InsufficientPods",
    message: "",
  };
  status.conditions =
    before === undefined ? [...conditions, condition] : conditions.map((one) => (one === before ? condition : one));
}

function budgetsOf(resource: ServedResource, pod: V1Pod): Budget[] {
  const found: Budget[] = [];
  for (const entry of resource.cache.entries.range(`${pod.metadata.namespace ?? ""}/`)) {
    const budget = entry.object as Budget;
    if (
      budget.spec?.selector !== undefined &&
      matchesLabels(labelSelectorOf(budget.spec.selector), pod.metadata.labels)
    )
      found.push(budget);
  }
  return found;
}

/** A pod that is not ready takes nothing away, if the budget says so or is fulfilled without it. */
function isUnhealthyAndFree({ status }: V1Pod, { spec, status: budget }: Budget): boolean {
  if (status?.conditions?.find(({ type }) => type === "Ready")?.status === "True") return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

const violates = "Cannot evict pod as it would violate the pod's disruption budget.";

function checkBudget({ metadata, status }: Budget): void {
  const name = metadata.name ?? "";
  const cause = (message: string) => [{ reason: "DisruptionBudget", message }];
  const resource = { group: "policy", resource: "poddisruptionbudget" };
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    throw tooManyRequests(
      violates,
      retryAfterSeconds,
      cause(`The disruption budget ${name} is still being processed by the server.`),
    );
  const {
    disruptionsAllowed = 0,
    disruptedPods = {},
    desiredHealthy = 0,
    currentHealthy = 0,
    conditions = [],
  } = status ?? {};
  if (disruptionsAllowed < 0) throw forbiddenRequest(resource, name, "pdb disruptions allowed is negative");
  if (Object.keys(disruptedPods).length > disruptedPodsMax)
    throw forbiddenRequest(
      resource,
      name,
      "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
    );
  if (disruptionsAllowed > 0) return;
  const told = conditions.find(({ type }) => type === "DisruptionAllowed");
  const failed = told?.status === "False" && told.reason === "SyncFailed" && told.message !== "" ? told : undefined;
  const none = `The disruption budget ${name} does not allow evicting pods currently`;
  const text =
    failed !== undefined
      ? `${none} because it failed sync: ${failed.message ?? ""}`
      : currentHealthy > desiredHealthy
        ? none
        : `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  throw tooManyRequests(violates, 0, cause(text));
}

/**
 * Tells why the pod goes, before it goes. A precondition that fails is told by the deletion: nothing changes then. Returns
 * the options with the version that the pod has since.
 */
async function markDisrupted(operation: Operation, options: DeleteOptions): Promise<DeleteOptions> {
  const { preconditions = {} } = options;
  if (!meets((await entryOf(operation)).object, preconditions)) return options;
  let isMet = true;
  const { object } = await rewrite<V1Pod & KubernetesObject>(operation, (pod) => {
    isMet = meets(pod, preconditions);
    if (!isMet) return;
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
    };
    setPodCondition((pod.status ??= {}), condition, operation.now);
  });
  const { resourceVersion } = object.metadata;
  if (!isMet || preconditions.resourceVersion === undefined || resourceVersion === undefined) return options;
  return { ...options, preconditions: { ...preconditions, resourceVersion } };
}

const meets = (
  { metadata }: KubernetesObject,
  { uid = metadata.uid, resourceVersion = metadata.resourceVersion }: NonNullable<DeleteOptions["preconditions"]>,
): boolean => uid === metadata.uid && resourceVersion === metadata.resourceVersion;
