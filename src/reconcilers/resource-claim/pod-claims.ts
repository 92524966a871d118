/** Which claims for devices belong to a pod. Upstream: k8s.io/dynamic-resource-allocation/resourceclaim. */
import type { Pod } from "#api/core/pod.ts";
import type { ResourceClaim } from "#api/devices/resource-claim.ts";
import { controllerOf } from "#client/view.ts";
import { isPodTerminal } from "#reconcilers/pod-state.ts";

export const podClaimAnnotation = "resource.kubernetes.io/pod-claim-name";
export const claimFinalizer = "resource.kubernetes.io/delete-protection";
/** Pods that may share one claim at a time. */
export const reservationsMax = 256;

/** What a pod says of one of its claims. */
export type PodClaim = NonNullable<NonNullable<Pod["spec"]>["resourceClaims"]>[number];

/** The claim's name if it has one yet. A template's claim that is not needed has "". */
export function claimNameOf({ status }: Pod, { name, resourceClaimName }: PodClaim): string | undefined {
  if (resourceClaimName !== undefined) return resourceClaimName;
  const made = status?.resourceClaimStatuses?.find((each) => each.name === name);
  return made === undefined ? undefined : (made.resourceClaimName ?? "");
}

/** A claim that was made from a template is its pod's alone. */
export function mayUse(pod: Pod, { resourceClaimName }: PodClaim, claim: ResourceClaim): boolean {
  return resourceClaimName !== undefined || controllerOf(claim)?.uid === pod.metadata.uid;
}

/** The pod needs its claims no longer. */
export function isPodDone(pod: Pod): boolean {
  return isPodTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && (pod.spec?.nodeName ?? "") === "");
}

/** Both names stay readable if they are too long together. */
export function generateNameFor(podName: string, claimName: string): string {
  const lengthMax = 57;
  const length = podName.length + 1 + claimName.length;
  if (length <= lengthMax) return `${podName}-${claimName}-`;
  const cut = (text: string): string => text.slice(0, Math.floor((text.length * lengthMax) / length));
  return `${cut(podName)}-${cut(claimName)}-`;
}
