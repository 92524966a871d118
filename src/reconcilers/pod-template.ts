/** A pod as a controller makes it from its template. Upstream: pkg/controller/controller_utils.go (GetPodFromTemplate). */
import type { Pod } from "#api/core/pod.ts";
import { Pod as PodRef } from "#api/core/pod.ts";
import type { V1PodTemplateSpec } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { StatusError } from "#api/status-error.ts";
import { controllerReference } from "./ownership.ts";
import { create, remove, type AnyRef, type Change, type EventSpec } from "./reconciler.ts";

/** Longer generateNames leave no room for the suffix. */
const prefixLengthMax = 253;

export function podFromTemplate(template: Partial<V1PodTemplateSpec>, owner: KubernetesObject, ownerRef: AnyRef): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const { name = "", namespace } = owner.metadata;
  const prefix = `${name}-`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      namespace: namespace!,
      generateName: prefix.length <= prefixLengthMax ? prefix : name,
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [controllerReference(owner, ownerRef)],
    },
    spec: template.spec!,
  };
}

/** Creates a pod and tells the owner's story of it. */
export function createPod(pod: Pod, owner: KubernetesObject): Change {
  return create(PodRef, pod, {
    report(outcome): EventSpec | undefined {
      if (outcome.ok) {
        const message = `Created pod: ${outcome.object.metadata.name}`;
        return { about: owner, type: "Normal", reason: "SuccessfulCreate", message };
      }
      if (isNamespaceTerminating(outcome.error)) return undefined;
      const message = `Error creating: ${outcome.error.message}`;
      return { about: owner, type: "Warning", reason: "FailedCreate", message };
    },
  });
}

/** Deletes a pod and tells the owner's story of it. */
export function deletePod(pod: Pod, owner: KubernetesObject): Change {
  return remove(PodRef, pod, {
    report: (outcome) =>
      outcome.ok
        ? { about: owner, type: "Normal", reason: "SuccessfulDelete", message: `Deleted pod: ${pod.metadata.name}` }
        : {
            about: owner,
            type: "Warning",
            reason: "FailedDelete",
            message: `Error deleting: ${outcome.error.message}`,
          },
  });
}

/** Nothing can be created in a namespace that goes; that is nobody's failure. */
export function isNamespaceTerminating(error: Error | undefined): boolean {
  return (
    error instanceof StatusError &&
    (error.status.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating")
  );
}
