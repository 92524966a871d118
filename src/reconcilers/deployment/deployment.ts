/** Replaces the pods of a Deployment step by step when its template changes. Upstream: pkg/controller/deployment. */
import { Deployment } from "#api/apps/deployment.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import { Pod } from "#api/core/pod.ts";
import { labelSelectorOf, selectsEverything } from "#api/label-selector.ts";
import { controllerOf } from "#client/view.ts";
import {
  adoptionInputs,
  candidatesOf,
  claim,
  possibleAdopters,
  requiredLabels,
  selectorIndex,
} from "#reconcilers/ownership.ts";
import { isPodTerminal } from "#reconcilers/pod-state.ts";
import {
  create,
  defineReconciler,
  event,
  remove,
  trigger,
  update,
  updateStatus,
  wake,
  type Change,
  type EventSpec,
  type Moment,
  type ObjectKey,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { conditionOf, withCondition, type NewCondition } from "./conditions.ts";
import { isActive, wishedReplicas } from "./replica-counts.ts";
import {
  byAge,
  byRevision,
  newReplicaSet,
  revisionAnnotation,
  revisionsOf,
  sizeAnnotations,
  withDeploymentFacts,
  type Revisions,
} from "./revision.ts";
import { rollbackWish, rolledBack } from "./rollback.ts";
import { emptied, isScaling, rolled, scaled, type Sizes } from "./rollout.ts";
import { countedStatus, deadlineAt, hasDeadline, isComplete, rolloutStatus } from "./status.ts";

const bySelector = selectorIndex<Deployment>("deployment-selector", ({ spec }) => spec?.selector);

export const deploymentReconciler = defineReconciler<Deployment>({
  name: "deployment",
  watches: Deployment,
  owns: [ReplicaSet],
  reads: [Pod],
  also: [
    trigger(ReplicaSet, possibleAdopters(Deployment, bySelector)),
    trigger(Pod, (pod, view, other) => (other === undefined || isPodTerminal(pod) ? deploymentOf(pod, view) : [])),
  ],
  inputs: (deployment, view) => adoptionInputs(claiming(deployment, view)),
  reconcile(deployment, view, moment) {
    const selector = labelSelectorOf(deployment.spec?.selector);
    if (selectsEverything(selector)) return refuseAll(deployment);
    const { claimed, changes } = claim({ ...claiming(deployment, view), inputs: moment.inputs });
    return [...changes, ...planned(deployment, claimed, view, moment)];
  },
});

function claiming(deployment: Deployment, view: View) {
  const labels = requiredLabels(deployment.spec?.selector ?? {});
  return {
    owner: deployment,
    ownerRef: Deployment,
    ref: ReplicaSet,
    selector: labelSelectorOf(deployment.spec?.selector),
    candidates: candidatesOf<ReplicaSet>(view, deployment, ReplicaSet, labels),
  };
}

/** Recreate waits for pods, so a pod that is gone or done matters. */
function deploymentOf(pod: Pod, view: View): ObjectKey[] {
  const replicaSet = view.byUid(ReplicaSet, controllerOf(pod)?.uid ?? "");
  const owner = replicaSet === undefined ? undefined : controllerOf(replicaSet);
  return owner?.kind === "Deployment" ? [{ namespace: pod.metadata.namespace, name: owner.name }] : [];
}

function refuseAll(deployment: Deployment): Change[] {
  const { generation = 0 } = deployment.metadata;
  const message = "This deployment is selecting all pods. A non-empty selector is required.";
  const observed = { ...deployment, status: { ...deployment.status, observedGeneration: generation } };
  return (deployment.status?.observedGeneration ?? 0) < generation
    ? [event(deployment, "Warning", "SelectingAll", message), updateStatus(Deployment, observed)]
    : [];
}

function planned(before: Deployment, replicaSets: readonly ReplicaSet[], view: View, moment: Moment): Change[] {
  const { now } = moment;
  if (before.metadata.deletionTimestamp !== undefined)
    return report(before, before, countedStatus(before, revisionsOf(before, replicaSets), now));
  const deployment = withPause(before, now);
  const revisions = revisionsOf(deployment, replicaSets);
  const wish = deployment.spec?.paused === true ? undefined : rollbackWish(deployment);
  if (wish !== undefined && revisions.newest !== undefined) return rolledBack(deployment, replicaSets, wish);
  if (deployment.spec?.paused === true || isScaling(deployment, replicaSets)) {
    const known = withNewestKnown(deployment, revisions, now);
    const sizes = scaled(known.deployment, known.revisions);
    const step = applySizes(known, sizes);
    const cleaned = deployment.spec?.paused === true ? cleanedUp(deployment, known.revisions.old) : [];
    const status = countedStatus(known.deployment, step.revisions, now);
    return [...step.changes, ...cleaned, ...report(before, known.deployment, status)];
  }
  const recreate = deployment.spec?.strategy?.type === "Recreate";
  return recreate
    ? recreated(before, deployment, revisions, view, moment)
    : rolledOut(before, deployment, revisions, view, moment);
}

function rolledOut(
  before: Deployment,
  deployment: Deployment,
  revisions: Revisions,
  view: View,
  moment: Moment,
): Change[] {
  if (revisions.newest === undefined) return createNewest(before, deployment, revisions, view, moment);
  const known = withNewestKnown(deployment, revisions, moment.now);
  const sizes = rolled(known.deployment, known.revisions);
  return stepped(before, known, sizes, moment);
}

function recreated(
  before: Deployment,
  deployment: Deployment,
  revisions: Revisions,
  view: View,
  moment: Moment,
): Change[] {
  const known = withNewestKnown(deployment, revisions, moment.now);
  const { newest, old } = known.revisions;
  if (old.some(isActive)) return stepped(before, known, emptied(old), moment);
  if (old.some((each) => isStillRunning(each, view))) return stepped(before, known, new Map(), moment);
  if (newest === undefined) return createNewest(before, deployment, revisions, view, moment);
  return stepped(before, known, new Map([[newest, wishedReplicas(deployment)]]), moment);
}

function isStillRunning(replicaSet: ReplicaSet, view: View): boolean {
  return (replicaSet.status?.replicas ?? 0) > 0 || view.ownedBy(replicaSet, Pod).some((pod) => !isPodTerminal(pod));
}

interface Known {
  deployment: Deployment;
  revisions: Revisions;
  changes: Change[];
}

/** One step: sizes, what is over, and the status as it will be. */
function stepped(before: Deployment, known: Known, sizes: Sizes, { now }: Moment): Change[] {
  const { deployment } = known;
  const step = applySizes(known, sizes);
  const resting = sizes.size === 0;
  const cleaned =
    resting && isComplete(deployment, deployment.status) ? cleanedUp(deployment, known.revisions.old) : [];
  const status = rolloutStatus(deployment, step.revisions, now);
  const at = deadlineAt(deployment, status);
  return [...step.changes, ...cleaned, ...report(before, deployment, status), ...(at === undefined ? [] : [wake(at)])];
}

/** The newest replica set and the deployment agree on revision, annotations and the progress condition. */
function withNewestKnown(deployment: Deployment, revisions: Revisions, now: number): Known {
  const { newest, old } = revisions;
  if (newest === undefined) return { deployment, revisions, changes: [] };
  const noted = withDeploymentFacts(deployment, newest, old);
  const changes = noted === newest ? [] : [update(ReplicaSet, noted)];
  let known = withRevision(deployment, noted);
  if (hasDeadline(known) && conditionOf(known.status?.conditions ?? [], "Progressing") === undefined) {
    const message = `Found new replica set "${newest.metadata.name}"`;
    known = withProgress(known, { status: "True", reason: "FoundNewReplicaSet", message }, now);
  }
  return { deployment: known, revisions: { newest: noted, old }, changes };
}

function createNewest(
  before: Deployment,
  deployment: Deployment,
  { old }: Revisions,
  view: View,
  moment: Moment,
): Change[] {
  const wanted = newReplicaSet(deployment, old);
  // Somebody else's replica set has the name: the next count gives another.
  if (view.get(ReplicaSet, wanted.metadata) !== undefined) return report(before, deployment, collided(deployment));
  const { name } = wanted.metadata;
  const size = wanted.spec?.replicas ?? 0;
  if (moment.failure !== undefined && hasDeadline(deployment)) {
    const message = `Failed to create new replica set "${name}": ${moment.failure.message}`;
    const failed = withProgress(deployment, { status: "False", reason: "ReplicaSetCreateError", message }, moment.now);
    const status = { ...failed.status, conditions: failed.status?.conditions ?? [] };
    return [creation(deployment, wanted, size), ...report(before, failed, status)];
  }
  let known = withRevision(deployment, wanted);
  if (hasDeadline(deployment)) {
    const message = `Created new replica set "${name}"`;
    known = withProgress(known, { status: "True", reason: "NewReplicaSetCreated", message }, moment.now);
  }
  const status = rolloutStatus(known, { newest: wanted, old }, moment.now);
  return [creation(deployment, wanted, size), ...report(before, known, status)];
}

function collided({ status }: Deployment): Deployment["status"] {
  return { ...status, collisionCount: (status?.collisionCount ?? 0) + 1 };
}

function creation(deployment: Deployment, wanted: ReplicaSet, size: number): Change {
  const { name } = wanted.metadata;
  return create(ReplicaSet, wanted, {
    report(outcome): EventSpec | undefined {
      if (!outcome.ok) {
        const message = `Failed to create new replica set "${name}": ${outcome.error.message}`;
        return { about: deployment, type: "Warning", reason: "ReplicaSetCreateError", message };
      }
      const message = `Scaled up replica set ${name} from 0 to ${size}`;
      return size === 0 ? undefined : { about: deployment, type: "Normal", reason: "ScalingReplicaSet", message };
    },
  });
}

function withRevision(deployment: Deployment, newest: ReplicaSet): Deployment {
  const revision = newest.metadata.annotations?.[revisionAnnotation];
  if (revision === undefined || deployment.metadata.annotations?.[revisionAnnotation] === revision) return deployment;
  const annotations = { ...deployment.metadata.annotations, [revisionAnnotation]: revision };
  return { ...deployment, metadata: { ...deployment.metadata, annotations } };
}

function withProgress(deployment: Deployment, condition: Omit<NewCondition, "type">, now: number): Deployment {
  const conditions = withCondition(deployment.status?.conditions ?? [], { type: "Progressing", ...condition }, now);
  return { ...deployment, status: { ...deployment.status, conditions: [...conditions] } };
}

/** Pausing stops the clock of the progress deadline, resuming starts it again. */
function withPause(deployment: Deployment, now: number): Deployment {
  const current = conditionOf(deployment.status?.conditions ?? [], "Progressing");
  if (!hasDeadline(deployment) || current?.reason === "ProgressDeadlineExceeded") return deployment;
  const paused = deployment.spec?.paused === true;
  const saysPaused = current?.reason === "DeploymentPaused";
  if (paused && !saysPaused) {
    const condition = { status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" } as const;
    return withProgress(deployment, condition, now);
  }
  if (paused || !saysPaused) return deployment;
  const condition = { status: "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed" } as const;
  return withProgress(deployment, condition, now);
}

/** The changes that give replica sets their sizes, and the replica sets as they will be. */
function applySizes({ deployment, revisions: { newest, old }, changes: noted }: Known, sizes: Sizes) {
  const resized = new Map<ReplicaSet, ReplicaSet>();
  const changes: Change[] = [];
  for (const [replicaSet, size] of sizes) {
    const current = wishedReplicas(replicaSet);
    const annotations = { ...replicaSet.metadata.annotations, ...sizeAnnotations(deployment) };
    if (current === size && canonical(annotations) === canonical(replicaSet.metadata.annotations ?? {})) continue;
    const metadata = { ...replicaSet.metadata, annotations };
    const next = { ...replicaSet, metadata, spec: { ...replicaSet.spec!, replicas: size } };
    const told = size === current ? undefined : scalingEvent(deployment, replicaSet, size);
    resized.set(replicaSet, next);
    changes.push(update(ReplicaSet, next, ({ ok }) => (ok ? told : undefined)));
  }
  const after = (each: ReplicaSet): ReplicaSet => resized.get(each) ?? each;
  // A replica set is written once: its new size comes with what `noted` would have written.
  const first = newest !== undefined && resized.has(newest) ? [] : noted;
  const revisions = { newest: newest === undefined ? undefined : after(newest), old: old.map(after) };
  return { changes: [...first, ...changes], revisions };
}

function scalingEvent(deployment: Deployment, replicaSet: ReplicaSet, size: number): EventSpec {
  const current = wishedReplicas(replicaSet);
  const direction = current < size ? "up" : "down";
  const message = `Scaled ${direction} replica set ${replicaSet.metadata.name} from ${current} to ${size}`;
  return { about: deployment, type: "Normal", reason: "ScalingReplicaSet", message };
}

/** Old replica sets beyond the history limit go, if nothing of them is left. */
function cleanedUp({ spec }: Deployment, old: readonly ReplicaSet[]): Change[] {
  const limit = spec?.revisionHistoryLimit;
  if (limit === undefined || limit === 2_147_483_647) return [];
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const sorted = [...alive].sort((a, b) => byRevision(a, b) || byAge(a, b));
  return sorted
    .slice(0, Math.max(0, sorted.length - limit))
    .filter((replicaSet) => {
      const { metadata, status } = replicaSet;
      const seen = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
      return seen && !isActive(replicaSet) && (status?.replicas ?? 0) === 0;
    })
    .map((replicaSet) => remove(ReplicaSet, replicaSet));
}

function report(before: Deployment, deployment: Deployment, status: Deployment["status"]): Change[] {
  const kept = status?.conditions?.length === 0 ? { ...status, conditions: undefined } : status;
  const sameRevision =
    before.metadata.annotations?.[revisionAnnotation] === deployment.metadata.annotations?.[revisionAnnotation];
  if (sameRevision && canonical(kept) === canonical(before.status ?? {})) return [];
  return [updateStatus(Deployment, { ...deployment, status: kept })];
}
