/** Numbered pods with volumes of their own, made and replaced in order. Upstream: pkg/controller/statefulset. */
import { Pod } from "#api/core/pod.ts";
import { labelSelectorOf } from "#api/label-selector.ts";
import { isAlreadyExists } from "#api/status-error.ts";
import { forgotten, historyOf, templateOf } from "#reconcilers/controller-history.ts";
import { ControllerRevision, PersistentVolumeClaim, StatefulSet } from "#reconcilers/kinds.ts";
import {
  adoptionInputs,
  candidatesOf,
  claim,
  possibleAdopters,
  requiredLabels,
  selectorIndex,
} from "#reconcilers/ownership.ts";
import { isPodAvailable, isPodReady, isPodTerminal, nextAvailableAt, timeOf } from "#reconcilers/pod-state.ts";
import {
  create,
  defineReconciler,
  event,
  patch,
  remove,
  trigger,
  updateStatus,
  wake,
  type Change,
  type EventSpec,
  type Outcome,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import {
  claimsOf,
  firstOrdinal,
  missingLabels,
  newStatefulPod,
  ordinalOf,
  podName,
  revisionLabel,
} from "./stateful-pod.ts";
import { claimOwnerChanges, hasStaleClaim, leavingClaims, mayOwnClaim } from "./claim-retention.ts";

const bySelector = selectorIndex<StatefulSet>("statefulset-selector", ({ spec }) => spec?.selector);

export const statefulSetReconciler = defineReconciler<StatefulSet>({
  name: "statefulset",
  watches: StatefulSet,
  owns: [Pod, ControllerRevision],
  reads: [PersistentVolumeClaim],
  also: [
    trigger(Pod, possibleAdopters(StatefulSet, bySelector)),
    // A pod may have waited for a claim of its name to be gone.
    trigger<PersistentVolumeClaim>(PersistentVolumeClaim, (gone, view) =>
      view.get(PersistentVolumeClaim, gone.metadata) === undefined
        ? view
            .list(StatefulSet, gone.metadata.namespace)
            .filter((set) => mayOwnClaim(set, gone))
            .map(({ metadata }) => metadata)
        : [],
    ),
  ],
  inputs: (set, view) => adoptionInputs(claiming(set, view)),
  reconcile(set, view, moment) {
    const { claimed, changes } = claim({ ...claiming(set, view), inputs: moment.inputs });
    const collisionCount = set.status?.collisionCount ?? 0;
    const template = set.spec!.template;
    const hashLabel = "controller.kubernetes.io/hash";
    const history = historyOf({ owner: set, ownerRef: StatefulSet, template, collisionCount, hashLabel, view });
    const newest = history.newest.metadata.name!;
    const known = history.revisions.some(({ metadata }) => metadata.name === set.status?.currentRevision);
    const current = known ? set.status!.currentRevision! : newest;
    const state: State = {
      set,
      view,
      now: moment.now,
      pods: new Map(claimed.map((pod) => [ordinalOf(pod, set) ?? -1, pod])),
      current,
      newest,
      template: (name) =>
        templateOf(history.revisions.find(({ metadata }) => metadata.name === name) ?? history.newest),
    };
    const used = new Set([current, newest, ...claimed.map(revisionOf)]);
    const steps = set.metadata.deletionTimestamp === undefined && !history.collided ? stepsOf(state) : [];
    const at = nextAvailableAt(claimed, set.spec?.minReadySeconds ?? 0, moment.now);
    return [
      ...changes,
      ...history.changes,
      ...steps,
      ...report(state, collisionCount + (history.collided ? 1 : 0)),
      ...forgotten(history.revisions, used, set.spec?.revisionHistoryLimit ?? 10),
      ...(at === undefined ? [] : [wake(at)]),
    ];
  },
});

/** A pod that ended is not replaced sooner than this after it was made. Upstream has no such pause. */
const endedPodMs = 1_000;
/** A claim that is being deleted keeps its pod from being made; that is told again after this. */
const leavingClaimMs = 5_000;

function claiming(set: StatefulSet, view: View) {
  return {
    owner: set,
    ownerRef: StatefulSet,
    ref: Pod,
    selector: labelSelectorOf(set.spec?.selector),
    candidates: candidatesOf<Pod>(view, set, Pod, requiredLabels(set.spec?.selector ?? {})).filter(
      (pod) => ordinalOf(pod, set) !== undefined,
    ),
  };
}

interface State {
  set: StatefulSet;
  view: View;
  now: number;
  /** By number. */
  pods: ReadonlyMap<number, Pod>;
  /** Names of the revisions that the set comes from and goes to. */
  current: string;
  newest: string;
  template(revision: string): ReturnType<typeof templateOf>;
}

const revisionOf = ({ metadata }: Pod): string => metadata.labels?.[revisionLabel] ?? "";
const isTerminating = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === "Running" && isPodReady(pod);

function isHealthy({ set, now }: State, pod: Pod): boolean {
  return isRunningAndReady(pod) && !isTerminating(pod) && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now);
}

const isOrdered = ({ spec }: StatefulSet): boolean => spec?.podManagementPolicy !== "Parallel";

function ordinalsOf(set: StatefulSet): number[] {
  return Array.from({ length: set.spec?.replicas ?? 1 }, (_, index) => firstOrdinal(set) + index);
}

/** First what is missing, then what is too much, then what is old; ordered sets take one step at a time. */
function stepsOf(state: State): Change[] {
  const { set, pods } = state;
  const steps: Change[] = [];
  for (const ordinal of ordinalsOf(set)) {
    const { changes, waits } = replicaStep(state, ordinal);
    steps.push(...changes);
    if (waits) return steps;
  }
  const wished = new Set(ordinalsOf(set));
  const claims = [...pods].flatMap(([ordinal, pod]) =>
    wished.has(ordinal) ? [] : claimOwnerChanges(set, state.view, ordinal, pod, true),
  );
  const condemned = condemnedStep(state);
  steps.push(...claims, ...condemned.changes);
  if (condemned.waits || steps.length > claims.length) return steps;
  return set.spec?.updateStrategy?.type === "OnDelete" ? steps : [...steps, ...rollingStep(state)];
}

interface Step {
  changes: Change[];
  /** Nothing after this may be done now. */
  waits: boolean;
}

function replicaStep(state: State, ordinal: number): Step {
  const { set, pods } = state;
  const pod = pods.get(ordinal);
  const ordered = isOrdered(set);
  if (pod === undefined) return { changes: creation(state, ordinal), waits: ordered };
  if (isPodTerminal(pod)) return { changes: isTerminating(pod) ? [] : replacement(state, pod), waits: ordered };
  const claims = pod.status?.phase === "Pending" ? missingClaims(state, ordinal) : [];
  if (ordered && !isHealthy(state, pod)) return { changes: claims, waits: true };
  return { changes: isTerminating(pod) ? claims : [...claims, ...repair(state, ordinal, pod)], waits: false };
}

/** What makes the pod and its claims the set's again, told as one update of the pod. */
function repair({ set, view }: State, ordinal: number, pod: Pod): Change[] {
  const about = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  const report = told(set, "Update", (outcome) =>
    outcome.ok ? `Update ${about} successful` : `Update ${about} failed error: ${outcome.error.message}`,
  );
  const labels = missingLabels(set, pod, ordinal);
  const claims = claimOwnerChanges(set, view, ordinal, pod, false);
  const isLabelled = Object.keys(labels).length === 0;
  if (!isLabelled) return [...claims, patch(Pod, pod, "merge", { metadata: { labels } }, { report })];
  return claims.map((change, at) => (at === claims.length - 1 ? { ...change, report } : change));
}

/** A node that refuses a pod refuses the next one as fast. */
function replacement({ set, now }: State, pod: Pod): Change[] {
  const at = timeOf(pod.metadata.creationTimestamp) + endedPodMs;
  return at > now ? [wake(at)] : [deletion(set, pod)];
}

function creation(state: State, ordinal: number): Change[] {
  const { set, view, now } = state;
  if (hasStaleClaim(set, ordinal, view)) return [wake(now + leavingClaimMs)];
  const revision = ordinal < firstOrdinal(set) + partitionOf(set) ? state.current : state.newest;
  const pod = newStatefulPod(set, state.template(revision), revision, ordinal);
  const about = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  const claims = missingClaims(state, ordinal);
  const going = leavingClaims(set, ordinal, view);
  if (going.length > 0) {
    const why = going.map((name) => `pvc ${name} is being deleted`);
    const all = why.length === 1 ? why[0] : `[${why.join(", ")}]`;
    const message = `Create ${about} failed error: ${all}`;
    return [...claims, event(set, "Warning", "FailedCreate", message), wake(now + leavingClaimMs)];
  }
  const say = told(set, "Create", (outcome) =>
    outcome.ok ? `Create ${about} successful` : `Create ${about} failed error: ${outcome.error.message}`,
  );
  return [...claims, create(Pod, pod, { report: say, waits: true })];
}

/** Makes the claims that a pod needs and that are not there. Without them there is no pod. */
function missingClaims({ set, view }: State, ordinal: number): Change[] {
  const about = `Pod ${podName(set, ordinal)} in StatefulSet ${set.metadata.name}`;
  return claimsOf(set, ordinal)
    .filter(({ metadata }) => view.get(PersistentVolumeClaim, metadata) === undefined)
    .map((claimed) => {
      const { name } = claimed.metadata;
      const ofClaim = told(set, "Create", (outcome) =>
        outcome.ok
          ? `Create Claim ${name} ${about} success`
          : `Create Claim ${name} for ${about} failed error: ${outcome.error.message}`,
      );
      const ofPod = told(set, "Create", (outcome) =>
        outcome.ok ? "" : `Create ${about} failed error: failed to create PVC ${name}: ${outcome.error.message}`,
      );
      const report = (outcome: Outcome): EventSpec[] =>
        [ofClaim(outcome), outcome.ok ? undefined : ofPod(outcome)].filter((each) => each !== undefined);
      return create(PersistentVolumeClaim, claimed, { existsIsFine: true, report });
    });
}

/** Only a rolling update holds pods back at the old revision. */
function partitionOf({ spec }: StatefulSet): number {
  return spec?.updateStrategy?.type === "OnDelete" ? 0 : (spec?.updateStrategy?.rollingUpdate?.partition ?? 0);
}

function deletion(set: StatefulSet, pod: Pod): Change {
  const about = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  const say = told(set, "Delete", (outcome) =>
    outcome.ok ? `Delete ${about} successful` : `Delete ${about} failed error: ${outcome.error.message}`,
  );
  return remove(Pod, pod, { report: say });
}

function told(set: StatefulSet, verb: "Create" | "Update" | "Delete", message: (outcome: Outcome) => string) {
  return (outcome: Outcome): EventSpec | undefined => {
    // A released pod may still have the name; that is no failure worth a word.
    if (!outcome.ok && isAlreadyExists(outcome.error)) return undefined;
    const type = outcome.ok ? "Normal" : "Warning";
    return { about: set, type, reason: `${outcome.ok ? "Successful" : "Failed"}${verb}`, message: message(outcome) };
  };
}

/** Pods beyond the wished numbers, the highest first. */
function condemnedStep(state: State): Step {
  const { set, pods } = state;
  const wished = new Set(ordinalsOf(set));
  const condemned = [...pods].filter(([ordinal]) => !wished.has(ordinal)).sort(([a], [b]) => b - a);
  const firstUnhealthy = [...pods].sort(([a], [b]) => a - b).find(([, pod]) => !isHealthy(state, pod))?.[1];
  const changes: Change[] = [];
  for (const [, pod] of condemned) {
    const ordered = isOrdered(set);
    if (isTerminating(pod)) {
      if (ordered) return { changes, waits: true };
      continue;
    }
    if (ordered && !isHealthy(state, pod) && pod !== firstUnhealthy) return { changes, waits: true };
    changes.push(deletion(set, pod));
    if (ordered) return { changes, waits: true };
  }
  return { changes, waits: false };
}

/** The highest pod of an old revision goes, if all above it are well. */
function rollingStep(state: State): Change[] {
  const { set, pods } = state;
  for (const ordinal of ordinalsOf(set).slice(partitionOf(set)).reverse()) {
    const pod = pods.get(ordinal);
    if (pod === undefined) return [];
    if (revisionOf(pod) !== state.newest && !isTerminating(pod)) return [deletion(set, pod)];
    if (!isHealthy(state, pod)) return [];
  }
  return [];
}

function report(state: State, collisionCount: number): Change[] {
  const { set, now, newest } = state;
  const pods = [...state.pods.values()].filter(({ status }) => status?.phase !== undefined && status.phase !== "");
  const staying = pods.filter((pod) => !isTerminating(pod));
  const count = (test: (pod: Pod) => boolean, among = pods): number => among.filter(test).length;
  const readyReplicas = count(isRunningAndReady);
  const updatedReplicas = count((pod) => revisionOf(pod) === newest, staying);
  const wished = set.spec?.replicas ?? 1;
  const done = [pods.length, updatedReplicas, readyReplicas].every((each) => each === wished);
  const currentRevision = done && set.spec?.updateStrategy?.type !== "OnDelete" ? newest : state.current;
  const status = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    ...positive("readyReplicas", readyReplicas),
    ...positive(
      "currentReplicas",
      count((pod) => revisionOf(pod) === currentRevision, staying),
    ),
    ...positive("updatedReplicas", updatedReplicas),
    currentRevision,
    updateRevision: newest,
    collisionCount,
    availableReplicas: count(
      (pod) => isRunningAndReady(pod) && isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now),
    ),
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
  return canonical(status) === canonical(set.status ?? {}) ? [] : [updateStatus(StatefulSet, { ...set, status })];
}

function positive<K extends string>(name: K, count: number): Partial<Record<K, number>> {
  return count === 0 ? {} : ({ [name]: count } as Partial<Record<K, number>>);
}
