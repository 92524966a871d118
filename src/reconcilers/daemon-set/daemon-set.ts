/** One pod on every node that fits. Upstream: pkg/controller/daemon/daemon_controller.go, update.go. */
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1Affinity, V1PodSpec } from "#api/generated/types.ts";
import { labelSelectorOf, selectsEverything } from "#api/label-selector.ts";
import { forgotten, historyOf } from "#reconcilers/controller-history.ts";
import { scaledValue } from "#reconcilers/int-or-percent.ts";
import { ControllerRevision, DaemonSet } from "#reconcilers/kinds.ts";
import {
  adoptionInputs,
  candidatesOf,
  claim,
  possibleAdopters,
  requiredLabels,
  selectorIndex,
} from "#reconcilers/ownership.ts";
import { isPodAvailable, isPodReady, nextAvailableAt, timeOf } from "#reconcilers/pod-state.ts";
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
import { fitOf, withDaemonTolerations, type Fit } from "./node-fit.ts";

const hashLabel = "controller-revision-hash";
const generationLabel = "pod-template-generation";
const generationAnnotation = "deprecated.daemonset.template.generation";
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
    const state: State = {
      set,
      now: moment.now,
      nodes: view.list(Node).map((node) => ({ name: node.metadata.name!, fit: fitOf(template.spec!, node) })),
      pods: byNode(claimed),
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
      ...forgotten(history.revisions, used, set.spec?.revisionHistoryLimit ?? 10),
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

interface State {
  set: DaemonSet;
  now: number;
  nodes: readonly { name: string; fit: Fit }[];
  pods: ReadonlyMap<string, readonly Pod[]>;
  hash: string;
}

function byNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const found = new Map<string, Pod[]>();
  for (const pod of pods) {
    const name = targetNode(pod);
    found.set(name, [...(found.get(name) ?? []), pod]);
  }
  return found;
}

/** The node that has the pod, or for which it was made. */
function targetNode({ spec }: Pod): string {
  if (spec?.nodeName !== undefined && spec.nodeName !== "") return spec.nodeName;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const field = required?.nodeSelectorTerms.flatMap(({ matchFields }) => matchFields ?? [])[0];
  return field?.values?.[0] ?? "";
}

const isGoing = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
const isBound = ({ spec }: Pod): boolean => spec?.nodeName !== undefined && spec.nodeName !== "";

/** Missing pods are made and wrong ones deleted; when all is in place, old ones are replaced. */
function steps(state: State): Change[] {
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
  return set.spec?.updateStrategy?.type === "OnDelete" ? [] : rolling(state);
}

/** Pods that are done, and all but the oldest of those that run. */
function surplus({ set, now }: State, node: string, here: readonly Pod[]): Change[] {
  const staying = here.filter((pod) => !isGoing(pod));
  const done = staying.filter(({ status }) => status?.phase === "Failed" || status?.phase === "Succeeded");
  const running = staying
    .filter((pod) => !done.includes(pod))
    .sort((a, b) => timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp));
  const ended = done.flatMap((pod) => {
    const at = timeOf(pod.metadata.creationTimestamp) + failedPodMs;
    if (at > now) return [wake(at)];
    const failed = pod.status?.phase === "Failed";
    const { namespace, name } = pod.metadata;
    const message = `Found ${failed ? "failed" : "succeeded"} daemon pod ${namespace}/${name} on node ${node}, will try to ${failed ? "kill" : "delete"} it`;
    const type = failed ? "Warning" : "Normal";
    return [event(set, type, failed ? "FailedDaemonPod" : "SucceededDaemonPod", message), deletePod(pod, set)];
  });
  return [...ended, ...running.slice(1).map((pod) => deletePod(pod, set))];
}

function newPod({ set, hash }: State, node: string): Pod {
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

/** Old pods that serve nobody go at once, others as far as the update may make pods unavailable. */
function rolling(state: State): Change[] {
  const { set, nodes, pods, hash, now } = state;
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const running = nodes.filter(({ fit }) => fit.shouldRun);
  const maxUnavailable = set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  let room = Math.max(1, scaledValue(maxUnavailable, running.length, true));
  const useless: Pod[] = [];
  const candidates: Pod[] = [];
  for (const { name } of running) {
    const here = (pods.get(name) ?? []).filter((pod) => !isGoing(pod));
    const old = here.find(({ metadata }) => metadata.labels?.[hashLabel] !== hash);
    const current = here.find(({ metadata }) => metadata.labels?.[hashLabel] === hash);
    if ((old === undefined) === (current === undefined)) room -= 1;
    else if (current !== undefined) room -= isPodAvailable(current, minReadySeconds, now) ? 0 : 1;
    else if (old !== undefined && isPodAvailable(old, minReadySeconds, now)) candidates.push(old);
    else if (old !== undefined) useless.push(old);
  }
  const going = [...useless, ...candidates.slice(0, Math.max(0, room))];
  return going.slice(0, burstMax).map((pod) => deletePod(pod, set));
}

function report({ set, nodes, pods, hash, now }: State, collisionCount: number | undefined): Change[] {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  let [desired, current, misscheduled, ready, updated, available] = [0, 0, 0, 0, 0, 0];
  for (const { name, fit } of nodes) {
    const here = (pods.get(name) ?? []).toSorted(
      (a, b) => timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp),
    );
    const oldest = here.find((pod) => !isGoing(pod)) ?? here[0];
    if (!fit.shouldRun) {
      if (oldest !== undefined) misscheduled += 1;
      continue;
    }
    desired += 1;
    if (oldest === undefined) continue;
    current += 1;
    if (isPodReady(oldest)) ready += 1;
    if (isPodAvailable(oldest, minReadySeconds, now)) available += 1;
    if (oldest.metadata.labels?.[hashLabel] === hash) updated += 1;
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
