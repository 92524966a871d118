/** What services see of pods: which pods, under which addresses and ports. Upstream: endpointslice/util, endpoints. */
import { createHash } from "node:crypto";
import { Pod } from "#api/core/pod.ts";
import { Service } from "#api/core/service.ts";
import type { V1ServicePort } from "#api/generated/types.ts";
import { defineIndex } from "#client/object-set.ts";
import { possibleSelectors, selectorIndex } from "#reconcilers/ownership.ts";
import { isPodReady, isPodTerminal, podCondition, timeOf } from "#reconcilers/pod-state.ts";
import type { ObjectKey, View } from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";

export const headlessLabel = "service.kubernetes.io/headless";
export const triggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

export const servicesBySelector = selectorIndex<Service>("service-selector", ({ spec }) =>
  Object.keys(spec?.selector ?? {}).length === 0 ? undefined : { matchLabels: spec?.selector ?? {} },
);
export const podsByNode = defineIndex<Pod>("pod-node", ({ spec }) =>
  spec?.nodeName === undefined || spec.nodeName === "" ? [] : [spec.nodeName],
);

/** The pods that a service with a selector selects. */
export function selectedPods(service: Service, view: View): readonly Pod[] {
  return view.byLabels(Pod, service.metadata.namespace ?? "", service.spec?.selector ?? {});
}

/** Services that may select a pod, unless nothing changed that they could see. */
export function servicesOfPod(pod: Pod, view: View, other: Pod | undefined): ObjectKey[] {
  if (other !== undefined && canonical(visible(pod)) === canonical(visible(other))) return [];
  return possibleSelectors(view, Service, servicesBySelector, pod)
    .filter(({ spec }) =>
      Object.entries(spec?.selector ?? {}).every(([key, value]) => pod.metadata.labels?.[key] === value),
    )
    .map(({ metadata }) => metadata);
}

function visible(pod: Pod): unknown {
  const { hostname, subdomain, nodeName } = pod.spec ?? {};
  const { labels, deletionTimestamp, uid } = pod.metadata;
  const { podIP, podIPs, phase } = pod.status ?? {};
  const ready = podCondition(pod, "Ready");
  return [labels, deletionTimestamp, uid, hostname, subdomain, nodeName, podIP, podIPs, phase, ready?.status];
}

/** A pod that is done, or that has no address, serves nobody. */
export function canServe(pod: Pod): boolean {
  return !isPodTerminal(pod) && addressesOf(pod).length > 0;
}

export function addressesOf({ status }: Pod): string[] {
  const all = (status?.podIPs ?? []).map(({ ip }) => ip);
  return all.length > 0 || status?.podIP === undefined || status.podIP === "" ? all : [status.podIP];
}

export function isReadyFor(service: Service, pod: Pod): boolean {
  return (
    service.spec?.publishNotReadyAddresses === true || (isPodReady(pod) && pod.metadata.deletionTimestamp === undefined)
  );
}

/** The number that a service port means in a pod; undefined if the pod has no port of that name and protocol. */
export function portNumber(pod: Pod, { port, targetPort, protocol = "TCP" }: V1ServicePort): number | undefined {
  if (typeof targetPort === "number") return targetPort;
  if (targetPort === undefined || targetPort === "") return port;
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const each of container.ports ?? [])
      if (each.name === targetPort && (each.protocol ?? "TCP") === protocol) return each.containerPort;
  return undefined;
}

/** The host name that DNS gives a pod within this service; undefined if it has none there. */
export function hostnameIn({ metadata, spec }: Pod, service: Service): string | undefined {
  const named = spec?.hostname !== undefined && spec.hostname !== "" && spec.subdomain === service.metadata.name;
  return named && metadata.namespace === service.metadata.namespace ? spec.hostname : undefined;
}

export function podReference({ metadata: { namespace, name, uid } }: Pod) {
  return { kind: "Pod", namespace: namespace!, name: name!, uid: uid! };
}

export const isHeadless = ({ spec }: Service): boolean => spec?.clusterIP === "None";

/** When the newest of the changes that show in a service's endpoints happened. */
export function triggerTime(service: Service, pods: readonly Pod[]): string {
  const times = pods.map((pod) => timeOf(podCondition(pod, "Ready")?.lastTransitionTime));
  const newest = Math.max(timeOf(service.metadata.creationTimestamp), ...times.filter((time) => Number.isFinite(time)));
  return new Date(newest).toISOString().replace(/\.000Z$/, "Z");
}

/** Upstream's order of ports is by a digest of how Go prints them; clients see that order. */
export function goDigest(
  type: string,
  fields: readonly (readonly [name: string, type: string, value: unknown])[],
): string {
  const printed = fields.map(
    ([name, kind, value]) => `${name}:(${kind})${value === undefined ? "<nil>" : String(value)}`,
  );
  return createHash("md5")
    .update(`(${type}){${printed.join(" ")}}`)
    .digest("hex");
}
