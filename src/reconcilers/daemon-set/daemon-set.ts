/** One pod on every node that fits. Upstream: pkg/controller/daemon/daemon_controller.go, update.go. */
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1Affinity, V1PodSpec } from "#api/generated/types.ts";
import { labelSelectorOf, selectsEverything } from "#api/label-selector.ts";
import { forgotten, historyOf } from "#reconcilers/controller-history.ts";
import { ControllerRevision, DaemonSet } from "#reconcilers/kinds.ts";
import {
  adoptionInputs,
  candidatesOf,
  claim,
  possibleAdopters,
  requiredLabels,
  selectorIndex,
} from "#reconcilers/ownership.ts";
import { isPodReady, nextAvailableAt, timeOf } from "#reconcilers/pod-state.ts";
import { createPod, deletePod, podFromTemplate } from "#reconcilers/pod-template.ts";
import {
  defineReconciler,
  event,
  trigger,
  updateStatus,
  wake,
  type Change,
  type ObjectKey,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import {
  byPlaceAndAge,
  generationAnnotation,
  generationLabel,
  hashLabel,
  isAvailable,
  isBound,
  isGoing,
  isUpdated,
  podsByNode,
  type DaemonState,
} from "./daemon-pods.ts";
import { fitOf, withDaemonTolerations } from "./node-fit.ts";
import { allowsSurge, exchange } from "./rolling-update.ts";

/** Pods that one plan creates or deletes. */
export const burstMax = 250;
/** A pod that failed at once is not replaced sooner than this after it was made. */
const failedPodMs = 1_000;

const bySelector = selectorIndex<DaemonSet>("daemonset-selector", ({ spec }) => spec?.selector);

export const daemonSetReconciler = defineReconciler<DaemonSet>({
  name: "daemonset",
  watches: DaemonSet,
  owns: [Pod, ControllerRevision],
  also: [trigger(Pod, possibleAdopters(DaemonSet, bySelector)), trigger(Node, setsForNode)],
  inputs: (set, view) => adoptionInputs(claiming(set, view)),
  reconcile(set, view, moment) {
    if (selectsEverything(labelSelectorOf(set.spec?.selector))) {
      const message = "This daemon set is selecting all pods. A non-empty selector is required.";
      return [event(set, "Warning", "SelectingAll", message)];
    }
    const { claimed, changes } = claim({ ...claiming(set, view), inputs: moment.inputs });
    const collisionCount = set.status?.collisionCount ?? 0;
    const template = set.spec!.template;
    const history = historyOf({ owner: set, ownerRef: DaemonSet, template, collisionCount, hashLabel, view });
    const state: DaemonState = {
      set,
      now: moment.now,
      nodes: view.list(Node).map((node) => ({ name: node.metadata.name!, fit: fitOf(template.spec!, node) })),
      pods: podsByNode(claimed),
      hash: history.newest.metadata.labels?.[hashLabel] ?? "",
    };
    const at = nextAvailableAt(claimed, set.spec?.minReadySeconds ?? 0, moment.now);
    const used = new Set(claimed.map(({ metadata }) => `${set.metadata.name}-${metadata.labels?.[hashLabel]}`));
    used.add(history.newest.metadata.name!);
    return [
      ...changes,
      ...history.changes,
      ...(set.metadata.deletionTimestamp === undefined ? steps(state) : []),
      ...report(state, history.collided ? collisionCount + 1 : set.status?.collisionCount),
      // All old revisions count, those that pods are still of too.
      ...forgotten(history.revisions, used, set.spec?.revisionHistoryLimit ?? 10, (each) => each !== history.newest),
      ...(at === undefined ? [] : [wake(at)]),
    ];
  },
});

function claiming(set: DaemonSet, view: View) {
  const labels = requiredLabels(set.spec?.selector ?? {});
  return {
    owner: set,
    ownerRef: DaemonSet,
    ref: Pod,
    selector: labelSelectorOf(set.spec?.selector),
    candidates: candidatesOf<Pod>(view, set, Pod, labels),
  };
}

/** Sets whose mind a change of a node changes. */
function setsForNode(node: Node, view: View, other: Node | undefined): ObjectKey[] {
  const facts = ({ metadata, spec }: Node): string => canonical([metadata.labels, spec?.taints]);
  if (other !== undefined && facts(node) === facts(other)) return [];
  const fits = (set: DaemonSet, each: Node | undefined): string =>
    each === undefined ? "" : canonical(fitOf(set.spec!.template.spec!, each));
  return view
    .list(DaemonSet)
    .filter((set) => other === undefined || fits(set, node) !== fits(set, other))
    .map(({ metadata }) => metadata);
}

/** Missing pods are made and wrong ones deleted; when all is in place, old ones are replaced. */
function steps(state: DaemonState): Change[] {
  const { set, nodes, pods } = state;
  const creates: Change[] = [];
  const deletes: Change[] = [];
  for (const { name, fit } of nodes) {
    const here = pods.get(name) ?? [];
    if (fit.shouldRun && here.length === 0) creates.push(createPod(newPod(state, name), set));
    else if (!fit.mayStay)
      deletes.push(...here.filter((pod) => !isGoing(pod) && isBound(pod)).map((pod) => deletePod(pod, set)));
    else deletes.push(...surplus(state, name, here));
  }
  const known = new Set(nodes.map(({ name }) => name));
  const homeless = [...pods].filter(([name]) => !known.has(name)).flatMap(([, here]) => here);
  deletes.push(...homeless.filter((pod) => !isGoing(pod) && !isBound(pod)).map((pod) => deletePod(pod, set)));
  if (creates.length + deletes.length > 0) return [...deletes.slice(0, burstMax), ...creates.slice(0, burstMax)];
  if (set.spec?.updateStrategy?.type === "OnDelete") return [];
  const { going, growing } = exchange(state);
  return [
    ...going.slice(0, burstMax).map((pod) => deletePod(pod, set)),
    ...growing.slice(0, burstMax).map((name) => createPod(newPod(state, name), set)),
  ];
}

/** Pods that are done, and those that run beside another for no reason. */
function surplus(state: DaemonState, node: string, here: readonly Pod[]): Change[] {
  const { set, now } = state;
  const staying = here.filter((pod) => !isGoing(pod));
  const done = staying.filter(({ status }) => status?.phase === "Failed" || status?.phase === "Succeeded");
  const running = staying.filter((pod) => !done.includes(pod)).sort(byPlaceAndAge);
  const ended = done.flatMap((pod) => {
    const at = timeOf(pod.metadata.creationTimestamp) + failedPodMs;
    if (at > now) return [wake(at)];
    const failed = pod.status?.phase === "Failed";
    const { namespace, name } = pod.metadata;
    const message = `Found ${failed ? "failed" : "succeeded"} daemon pod ${namespace}/${name} on node ${node}, will try to ${failed ? "kill" : "delete"} it`;
    const type = failed ? "Warning" : "Normal";
    return [event(set, type, failed ? "FailedDaemonPod" : "SucceededDaemonPod", message), deletePod(pod, set)];
  });
  const spare = allowsSurge(set) ? beyondPair(running, state) : running.slice(1);
  return [...ended, ...spare.map((pod) => deletePod(pod, set))];
}

/** An update that surges has two pods on a node, an old and a new one, until the old is of no more use. */
function beyondPair(running: readonly Pod[], state: DaemonState): Pod[] {
  const current = running.find((pod) => isUpdated(pod, state));
  const old = running.find((pod) => !isUpdated(pod, state));
  const spare = running.filter((pod) => pod !== current && pod !== old);
  const isReplaced = current !== undefined && old !== undefined && (!isPodReady(old) || isAvailable(current, state));
  return isReplaced ? [...spare, old] : spare;
}

function newPod({ set, hash }: DaemonState, node: string): Pod {
  const pod = podFromTemplate(set.spec!.template, set, DaemonSet);
  const generation = set.metadata.annotations?.[generationAnnotation];
  const labels = {
    ...pod.metadata.labels,
    [hashLabel]: hash,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
  };
  const spec: V1PodSpec = {
    ...pod.spec!,
    affinity: boundTo(node, pod.spec?.affinity),
    tolerations: withDaemonTolerations(pod.spec!),
  };
  return { ...pod, metadata: { ...pod.metadata, labels }, spec };
}

/** The scheduler is left no choice of node; preferences and pod affinity stay. */
function boundTo(node: string, affinity: V1Affinity | undefined): V1Affinity {
  const matchFields = [{ key: "metadata.name", operator: "In", values: [node] }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  return {
    ...affinity,
    nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
  };
}

function report(state: DaemonState, collisionCount: number | undefined): Change[] {
  const { set, nodes, pods } = state;
  let [desired, current, misscheduled, ready, updated, available] = [0, 0, 0, 0, 0, 0];
  for (const { name, fit } of nodes) {
    const oldest = (pods.get(name) ?? []).toSorted(byPlaceAndAge)[0];
    if (!fit.shouldRun) {
      if (oldest !== undefined) misscheduled += 1;
      continue;
    }
    desired += 1;
    if (oldest === undefined) continue;
    current += 1;
    if (isPodReady(oldest)) ready += 1;
    if (isAvailable(oldest, state)) available += 1;
    if (isUpdated(oldest, state)) updated += 1;
  }
  const unavailable = desired - available;
  const status = {
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: desired,
    numberReady: ready,
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(unavailable === 0 ? {} : { numberUnavailable: unavailable }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
  return canonical(status) === canonical(set.status ?? {}) ? [] : [updateStatus(DaemonSet, { ...set, status })];
}
