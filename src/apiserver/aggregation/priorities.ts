/**
 * In which order groups and their versions are listed, and the API services of those that this server serves itself.
 * Upstream: pkg/controlplane/apiserver/aggregator.go, kube-aggregator/pkg/controllers/autoregister.
 */
import type { V1APIService } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";

export type ApiService = V1APIService & KubernetesObject;

export interface GroupVersion {
  group: string;
  version: string;
}

export interface Priority {
  group: number;
  version: number;
}

/** The aggregator's own group comes first. */
const ownGroup = "apiregistration.k8s.io";
const groups: ReadonlyMap<string, number> = new Map([
  [ownGroup, 20_000],
  ["", 18_000],
  ["apps", 17_800],
  ["events.k8s.io", 17_750],
  ["authentication.k8s.io", 17_700],
  ["authorization.k8s.io", 17_600],
  ["autoscaling", 17_500],
  ["batch", 17_400],
  ["certificates.k8s.io", 17_300],
  ["networking.k8s.io", 17_200],
  ["policy", 17_100],
  ["rbac.authorization.k8s.io", 17_000],
  ["storage.k8s.io", 16_800],
  ["admissionregistration.k8s.io", 16_700],
  ["apiextensions.k8s.io", 16_700],
  ["scheduling.k8s.io", 16_600],
  ["coordination.k8s.io", 16_500],
  ["node.k8s.io", 16_300],
  ["discovery.k8s.io", 16_200],
  ["resource.k8s.io", 16_200],
  ["flowcontrol.apiserver.k8s.io", 16_100],
  ["internal.apiserver.k8s.io", 16_000],
  ["storagemigration.k8s.io", 15_800],
]);
const versions: ReadonlyMap<string, number> = new Map([
  ["/v1", 1],
  ["autoscaling/v2", 30],
  ["flowcontrol.apiserver.k8s.io/v1", 21],
]);
const versionDefault = 15;
const custom: Priority = { group: 1000, version: 100 };

/** Of a group and version that this server serves itself; custom kinds are far behind the others. */
export function localPriority({ group, version }: GroupVersion): Priority {
  const found = groups.get(group);
  if (found === undefined) return custom;
  return { group: found, version: versions.get(`${group}/${version}`) ?? versionDefault };
}

export const managedLabel = "kube-aggregator.kubernetes.io/automanaged";

/** What must be registered for what is served: built-in versions once at start, custom ones as they come and go. */
export function localApiServices(
  builtIn: Iterable<GroupVersion>,
  customKinds: Iterable<GroupVersion>,
): Map<string, ApiService> {
  const services = new Map<string, ApiService>();
  const add = (one: GroupVersion, managed: "onstart" | "true") => {
    if (one.group === ownGroup) return;
    const service = localApiService(one, managed);
    services.set(service.metadata.name!, service);
  };
  for (const one of customKinds) add(one, "true");
  for (const one of builtIn) add(one, "onstart");
  return services;
}

function localApiService({ group, version }: GroupVersion, managed: "onstart" | "true"): ApiService {
  const priority = localPriority({ group, version });
  return {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `${version}.${group}`, labels: { [managedLabel]: managed } },
    spec: { group, version, groupPriorityMinimum: priority.group, versionPriority: priority.version },
  };
}
