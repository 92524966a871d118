/**
 * Scales what an autoscaler points at by what its pods use. It looks every 15 seconds; what it recommended lately is
 * remembered by the process. Upstream: pkg/controller/podautoscaler/horizontal.go.
 */
import { formatTime } from "#lib/clock.ts";
import { HorizontalPodAutoscaler } from "#api/autoscaling/horizontal-pod-autoscaler.ts";
import { Pod } from "#api/core/pod.ts";
import type { V2HorizontalPodAutoscalerCondition, V2MetricStatus } from "#api/generated/types.ts";
import { matchesLabels, parseLabelSelector, type LabelSelector } from "#api/label-selector.ts";
import { isConflict } from "#api/status-error.ts";
import { keyText } from "#client/resource-path.ts";
import {
  defineReconciler,
  event,
  updateStatus,
  wake,
  type AnyRef,
  type Change,
  type EventSpec,
  type Moment,
  type View,
} from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { metricRequests } from "./metric-inputs.ts";
import { proposalOf, type Failed, type Proposal } from "./metric-proposals.ts";
import { targetOf, targetRequests, type Scale } from "./scale-target.ts";
import { stabilize, withChange, type ScalingHistory } from "./stabilization.ts";

export const syncPeriodMs = 15_000;

const none: ScalingHistory = { recommendations: [], ups: [], downs: [] };

export function horizontalPodAutoscalerReconciler() {
  const histories = new Map<string, ScalingHistory>();
  const looks = new Map<string, { at: number; spec: string }>();
  const selectors: Selectors = new Map();
  return defineReconciler<HorizontalPodAutoscaler>({
    name: "horizontalpodautoscaler",
    component: "horizontal-pod-autoscaler",
    watches: HorizontalPodAutoscaler,
    reads: [Pod],
    ignores: ({ spec, metadata }, old) =>
      canonical(spec) === canonical(old.spec) && metadata.deletionTimestamp === old.metadata.deletionTimestamp,
    inputs(autoscaler, _, __, given) {
      const requests = targetRequests(autoscaler, given);
      const target = targetOf(autoscaler, given);
      if (!target.ok) return requests;
      const selector = target.scale.status?.selector ?? "";
      return new Map([...requests, ...(selector === "" ? [] : metricRequests(autoscaler, selector))]);
    },
    reconcile(autoscaler, view, moment) {
      if (autoscaler.metadata.deletionTimestamp !== undefined) return [];
      const key = keyText(autoscaler.metadata);
      const last = looks.get(key);
      const spec = canonical(autoscaler.spec);
      const isEarly = last?.spec === spec && last.at + syncPeriodMs > moment.now;
      if (isEarly && moment.failure === undefined) return [wake(last.at + syncPeriodMs)];
      looks.set(key, { at: moment.now, spec });
      const { changes, history } = plan(autoscaler, view, moment, histories.get(key) ?? none, selectors);
      histories.set(key, history);
      return [...changes, wake(moment.now + syncPeriodMs)];
    },
    gone(key) {
      histories.delete(keyText(key));
      looks.delete(keyText(key));
      selectors.delete(keyText(key));
      return [];
    },
  });
}

/** What each autoscaler's target selected when it was looked at last. */
export type Selectors = Map<string, { namespace: string; name: string; selector: LabelSelector }>;

interface Planned {
  changes: Change[];
  history: ScalingHistory;
}

/** What one look comes to. */
export function plan(
  autoscaler: HorizontalPodAutoscaler,
  view: View,
  moment: Moment,
  history: ScalingHistory,
  selectors: Selectors = new Map(),
): Planned {
  const { now } = moment;
  const report = new StatusReport(autoscaler, now);
  const target = targetOf(autoscaler, moment.inputs);
  if (!target.ok) {
    const start = "the HPA controller was unable to get the target's current scale:";
    report.condition("AbleToScale", "False", "FailedGetScale", `${start} ${target.message}`);
    const told = event(autoscaler, "Warning", "FailedGetScale", target.message);
    return { changes: [told, ...report.written()], history };
  }
  const { ref, scale } = target;
  report.condition(
    "AbleToScale",
    "True",
    "SucceededGetScale",
    "the HPA controller was able to get the target's current scale",
  );
  const current = scale.spec?.replicas ?? 0;
  const known =
    history.recommendations.length > 0 ? history : { ...history, recommendations: [{ replicas: current, at: now }] };
  const wish = wished({ autoscaler, scale, view, moment, history: known, report, selectors });
  if (wish.desired === undefined) {
    report.replicas(current, autoscaler.status?.desiredReplicas ?? 0, wish.metrics);
    return { changes: [...wish.events, ...report.written()], history: wish.history };
  }
  if (!wish.rescale) {
    report.replicas(current, wish.desired, wish.metrics);
    return { changes: [...wish.events, ...report.written()], history: wish.history };
  }
  return rescaled({ autoscaler, ref, scale, current, desired: wish.desired, wish, report, moment });
}

interface Wish {
  /** Undefined if it cannot be told. */
  desired: number | undefined;
  rescale: boolean;
  reason: string;
  events: Change[];
  metrics: V2MetricStatus[] | undefined;
  history: ScalingHistory;
}

interface Look {
  autoscaler: HorizontalPodAutoscaler;
  scale: Scale;
  view: View;
  moment: Moment;
  history: ScalingHistory;
  report: StatusReport;
  selectors: Selectors;
}

function wished(look: Look): Wish {
  const { autoscaler, scale, moment, history, report } = look;
  const current = scale.spec?.replicas ?? 0;
  const { maxReplicas: max, minReplicas: min = 1 } = autoscaler.spec;
  const plain = { rescale: true, events: [], metrics: undefined, history };
  if (current === 0 && min !== 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    report.condition("ScalingActive", "False", "ScalingDisabled", message);
    return { ...plain, desired: 0, rescale: false, reason: "" };
  }
  if (current > max) return { ...plain, desired: max, reason: "Current number of replicas above Spec.MaxReplicas" };
  if (current < min) return { ...plain, desired: min, reason: "Current number of replicas below Spec.MinReplicas" };
  const measured = measuredWish(look);
  if (measured.desired === undefined) return { ...measured, rescale: false, reason: "", history };
  const bounds = { current, desired: measured.desired, min, max };
  const stable = stabilize(bounds, autoscaler.spec.behavior, history, moment.now);
  report.condition("AbleToScale", "True", stable.able.reason, stable.able.message);
  const { isLimited, reason: limit, message } = stable.limited;
  report.condition("ScalingLimited", isLimited ? "True" : "False", limit, message);
  const { desired } = stable;
  const reason =
    measured.desired > current ? `${measured.name} above target` : desired < current ? "All metrics below target" : "";
  return {
    desired,
    rescale: desired !== current,
    reason,
    events: measured.events,
    metrics: measured.metrics,
    history: stable.history,
  };
}

interface MeasuredWish {
  desired: number | undefined;
  name: string;
  events: Change[];
  metrics: V2MetricStatus[] | undefined;
}

function measuredWish({ autoscaler, scale, view, moment, report, selectors }: Look): MeasuredWish {
  const { inputs, now } = moment;
  const text = scale.status?.selector ?? "";
  if (text === "") {
    report.condition("ScalingActive", "False", "InvalidSelector", "the HPA target's scale is missing a selector");
    const events = ["SelectorRequired", "FailedComputeMetricsReplicas"].map((reason) =>
      event(autoscaler, "Warning", reason, "selector is required"),
    );
    return { desired: undefined, name: "", events, metrics: undefined };
  }
  const selector = parseLabelSelector(text);
  const pods = view
    .list(Pod, autoscaler.metadata.namespace)
    .filter(({ metadata }) => matchesLabels(selector, metadata.labels));
  const { namespace = "", name = "" } = autoscaler.metadata;
  selectors.set(keyText(autoscaler.metadata), { namespace, name, selector });
  const rivals = selecting(pods, namespace, selectors);
  if (rivals.length > 1) {
    const message = `pods by selector ${text} are controlled by multiple HPAs: [${rivals.join(" ")}]`;
    report.condition("ScalingActive", "False", "AmbiguousSelector", message);
    const events = ["AmbiguousSelector", "FailedComputeMetricsReplicas"].map((reason) =>
      event(autoscaler, "Warning", reason, message),
    );
    return { desired: undefined, name: "", events, metrics: undefined };
  }
  const specReplicas = scale.spec?.replicas ?? 0;
  const measured = { autoscaler, specReplicas, statusReplicas: scale.status?.replicas ?? 0, pods, inputs, now };
  const found = (autoscaler.spec.metrics ?? []).map((metric, at) => proposalOf(metric, at, measured));
  const failures = found.filter(isFailed);
  const proposals = found.filter((each): each is Proposal => !isFailed(each));
  const best = proposals.reduce<Proposal | undefined>(
    (most, each) => (most === undefined || each.replicas > most.replicas ? each : most),
    undefined,
  );
  const metrics = found.map((each) => (isFailed(each) ? { type: "" } : each.status));
  const events = failures.map(({ reason, message }) => event(autoscaler, "Warning", reason, message));
  const [first] = failures;
  if (best === undefined || (first !== undefined && best.replicas < specReplicas)) {
    if (first === undefined) return { desired: undefined, name: "", events, metrics };
    const message = `the HPA was unable to compute the replica count: ${first.message}`;
    report.condition("ScalingActive", "False", first.reason, message);
    const told = `invalid metrics (${failures.length} invalid out of ${found.length}), first error is: ${first.told}`;
    events.push(event(autoscaler, "Warning", "FailedComputeMetricsReplicas", told));
    return { desired: undefined, name: "", events, metrics };
  }
  const message = `the HPA was able to successfully calculate a replica count from ${best.name}`;
  report.condition("ScalingActive", "True", "ValidMetricFound", message);
  return { desired: best.replicas, name: best.name, events, metrics };
}

/** The autoscalers whose targets have some of these pods, as Go prints them. */
function selecting(pods: readonly Pod[], namespace: string, selectors: Selectors): string[] {
  return [...selectors.values()]
    .filter((each) => each.namespace === namespace)
    .filter(({ selector }) => pods.some(({ metadata }) => matchesLabels(selector, metadata.labels)))
    .map((each) => `{${each.name} ${each.namespace}}`)
    .sort();
}

const isFailed = (found: Proposal | Failed): found is Failed => "told" in found;

interface Rescale {
  autoscaler: HorizontalPodAutoscaler;
  ref: AnyRef;
  scale: Scale;
  current: number;
  desired: number;
  wish: Wish;
  report: StatusReport;
  moment: Moment;
}

function rescaled({ autoscaler, ref, scale, current, desired, wish, report, moment }: Rescale): Planned {
  const { now, failure } = moment;
  const told = (reason: string, type: EventSpec["type"], more: string): EventSpec => ({
    about: autoscaler,
    type,
    reason,
    message: `New size: ${desired}; reason: ${wish.reason}${more}`,
  });
  const write: Change = {
    type: "update",
    ref,
    object: { ...scale, spec: { ...scale.spec, replicas: desired } } as Scale,
    subresource: "scale",
    report(outcome) {
      if (outcome.ok) return told("SuccessfulRescale", "Normal", "");
      // A conflict only means that the scale changed between reading and writing: the next try is under way.
      return isConflict(outcome.error)
        ? undefined
        : told("FailedRescale", "Warning", `; error: ${outcome.error.message}`);
    },
  };
  if (failure !== undefined && !isConflict(failure)) {
    const message = `the HPA controller was unable to update the target scale: ${failure.message}`;
    report.condition("AbleToScale", "False", "FailedUpdateScale", message);
    report.replicas(current, autoscaler.status?.desiredReplicas ?? 0, wish.metrics);
    return { changes: [...report.written(), write], history: wish.history };
  }
  const message = `the HPA controller was able to update the target scale to ${desired}`;
  report.condition("AbleToScale", "True", "SucceededRescale", message);
  report.replicas(current, desired, wish.metrics, now);
  const history = withChange(wish.history, current, desired, now);
  return { changes: [...wish.events, write, ...report.written()], history };
}

/** Gathers what a look finds out into a new status. */
class StatusReport {
  readonly #autoscaler: HorizontalPodAutoscaler;
  readonly #now: number;
  #status: NonNullable<HorizontalPodAutoscaler["status"]>;

  constructor(autoscaler: HorizontalPodAutoscaler, now: number) {
    this.#autoscaler = autoscaler;
    this.#now = now;
    this.#status = autoscaler.status ?? { desiredReplicas: 0 };
  }

  condition(type: string, status: string, reason: string, message: string): void {
    const conditions: V2HorizontalPodAutoscalerCondition[] = [...(this.#status.conditions ?? [])];
    const at = conditions.findIndex((each) => each.type === type);
    const same = conditions[at]?.status === status ? conditions[at].lastTransitionTime : undefined;
    const next = { type, status, lastTransitionTime: same ?? formatTime(this.#now), reason, message };
    if (at < 0) conditions.push(next);
    else conditions[at] = next;
    this.#status = { ...this.#status, conditions };
  }

  replicas(current: number, desired: number, metrics: V2MetricStatus[] | undefined, scaledAt?: number): void {
    this.#status = {
      ...this.#status,
      ...(scaledAt === undefined ? {} : { lastScaleTime: formatTime(scaledAt) }),
      currentReplicas: current,
      desiredReplicas: desired,
      // Null, not absence, says that no metric was looked at.
      currentMetrics: (metrics ?? null) as V2MetricStatus[],
    };
  }

  written(): Change[] {
    if (canonical(this.#status) === canonical(this.#autoscaler.status ?? {})) return [];
    return [updateStatus(HorizontalPodAutoscaler, { ...this.#autoscaler, status: this.#status })];
  }
}
