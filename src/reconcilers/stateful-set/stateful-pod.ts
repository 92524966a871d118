/** Pods and claims of a stateful set: their names, and what makes them the set's. Upstream: stateful_set_utils.go. */
import type { Pod } from "#api/core/pod.ts";
import type { V1PodTemplateSpec, V1Volume } from "#api/generated/types.ts";
import { PersistentVolumeClaim, StatefulSet } from "#reconcilers/kinds.ts";
import { controllerReference } from "#reconcilers/ownership.ts";
import { podFromTemplate } from "#reconcilers/pod-template.ts";

export const podNameLabel = "statefulset.kubernetes.io/pod-name";
export const podIndexLabel = "apps.kubernetes.io/pod-index";
export const revisionLabel = "controller-revision-hash";

/** The number at the end of a pod's name; undefined if the pod cannot be the set's. */
export function ordinalOf({ metadata }: Pod, { metadata: set }: StatefulSet): number | undefined {
  const found = /^(.*)-(\d+)$/.exec(metadata.name ?? "");
  return found?.[1] === set.name ? Number(found?.[2]) : undefined;
}

export const firstOrdinal = ({ spec }: StatefulSet): number => spec?.ordinals?.start ?? 0;
export const podName = ({ metadata }: StatefulSet, ordinal: number): string => `${metadata.name}-${ordinal}`;

/** The pod with this number, by a template of one of the set's revisions. */
export function newStatefulPod(set: StatefulSet, template: V1PodTemplateSpec, revision: string, ordinal: number): Pod {
  const pod = podFromTemplate(template, set, StatefulSet);
  const name = podName(set, ordinal);
  const labels = { ...pod.metadata.labels, ...identityLabels(set, ordinal), [revisionLabel]: revision };
  const subdomain = set.spec?.serviceName;
  return {
    ...pod,
    metadata: { ...pod.metadata, name, labels },
    spec: {
      ...pod.spec!,
      hostname: name,
      ...(subdomain === undefined || subdomain === "" ? {} : { subdomain }),
      ...volumesOf(set, pod.spec?.volumes ?? [], ordinal),
    },
  };
}

function identityLabels(set: StatefulSet, ordinal: number): Record<string, string> {
  return { [podNameLabel]: podName(set, ordinal), [podIndexLabel]: String(ordinal) };
}

/** Volumes of claims take the place of the template's volumes of the same name. */
function volumesOf(set: StatefulSet, others: readonly V1Volume[], ordinal: number): { volumes?: V1Volume[] } {
  const claims = (set.spec?.volumeClaimTemplates ?? []).map(({ metadata }): V1Volume => {
    const name = metadata.name ?? "";
    return { name, persistentVolumeClaim: { claimName: claimName(set, name, ordinal) } };
  });
  const names = new Set(claims.map(({ name }) => name));
  const volumes = [...claims, ...others.filter(({ name }) => !names.has(name))];
  return volumes.length === 0 ? {} : { volumes };
}

const claimName = (set: StatefulSet, template: string, ordinal: number): string =>
  `${template}-${podName(set, ordinal)}`;

export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map(({ metadata, spec }) => {
    const name = claimName(set, metadata.name ?? "", ordinal);
    const labels = { ...metadata.labels, ...set.spec?.selector.matchLabels };
    const owned = set.spec?.persistentVolumeClaimRetentionPolicy?.whenDeleted === "Delete";
    return {
      metadata: {
        name,
        namespace: set.metadata.namespace!,
        labels,
        ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
        ...(owned ? { ownerReferences: [controllerReference(set, StatefulSet)] } : {}),
      },
      ...(spec === undefined ? {} : { spec }),
    };
  });
}

/** Labels that the pod must have and has not. Only a wrong name is reason to look: a missing number alone stays missing. */
export function missingLabels(set: StatefulSet, { metadata }: Pod, ordinal: number): Record<string, string> {
  const wanted = identityLabels(set, ordinal);
  if (metadata.labels?.[podNameLabel] === wanted[podNameLabel]) return {};
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => metadata.labels?.[key] !== value));
}
