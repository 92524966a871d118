/**
 * Makes the claims that pods want from templates, and reserves allocated claims for pods that were bound without the
 * scheduler's help. Upstream: pkg/controller/resourceclaim.
 */
import { Pod } from "#api/core/pod.ts";
import { ResourceClaim } from "#api/devices/resource-claim.ts";
import { ResourceClaimTemplate } from "#api/devices/resource-claim-template.ts";
import { defineIndex } from "#client/object-set.ts";
import {
  create,
  defineReconciler,
  event,
  patch,
  trigger,
  updateStatus,
  type Change,
  type View,
} from "#reconcilers/reconciler.ts";
import { claimNameOf, generateNameFor, isPodDone, mayUse, podClaimAnnotation, reservationsMax } from "./pod-claims.ts";
import type { PodClaim } from "./pod-claims.ts";

const podsByTemplate = defineIndex<Pod>("pod-claim-template", ({ metadata, spec }) =>
  (spec?.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName }) =>
    resourceClaimTemplateName === undefined ? [] : [`${metadata.namespace}/${resourceClaimTemplateName}`],
  ),
);

const podsByClaimName = defineIndex<Pod>("pod-resource-claim", (pod) =>
  (pod.spec?.resourceClaims ?? []).flatMap((podClaim) => {
    const name = claimNameOf(pod, podClaim);
    return name === undefined || name === "" ? [] : [`${pod.metadata.namespace}/${name}`];
  }),
);

export const podResourceClaimsReconciler = defineReconciler<Pod>({
  name: "resourceclaim",
  component: "resource_claim",
  watches: Pod,
  owns: [ResourceClaim],
  also: [
    trigger(ResourceClaimTemplate, ({ metadata: { namespace, name } }, view, other) =>
      other === undefined ? view.byIndex(Pod, podsByTemplate, `${namespace}/${name}`).map(keyOf) : [],
    ),
    trigger(ResourceClaim, ({ metadata: { namespace, name } }, view) =>
      view.byIndex(Pod, podsByClaimName, `${namespace}/${name}`).map(keyOf),
    ),
  ],
  reconcile(pod, view) {
    const wanted = pod.spec?.resourceClaims ?? [];
    if (wanted.length === 0 || pod.metadata.deletionTimestamp !== undefined || isPodDone(pod)) return [];
    const found = wanted.map((podClaim) => lookUp(pod, podClaim, view));
    const named = found.flatMap(({ status }) => (status === undefined ? [] : [status]));
    return [
      ...found.flatMap(({ changes }) => changes),
      ...(named.length === 0 ? [] : [namesReported(pod, named)]),
      ...reservations(pod, view),
    ];
  },
});

const keyOf = ({ metadata }: Pod): Pod["metadata"] => metadata;

interface LookUp {
  changes: Change[];
  /** What the pod's status lacks. */
  status?: { name: string; resourceClaimName: string };
}

function lookUp(pod: Pod, podClaim: PodClaim, view: View): LookUp {
  const { resourceClaimTemplateName: template, name } = podClaim;
  const { namespace, uid } = pod.metadata;
  if (template === undefined) return { changes: [] };
  const known = claimNameOf(pod, podClaim);
  if (known === "" || (known !== undefined && view.get(ResourceClaim, { namespace, name: known }) !== undefined))
    return { changes: [] };
  const made = view
    .ownedBy(pod, ResourceClaim)
    .find(
      ({ metadata }) => metadata.annotations?.[podClaimAnnotation] === name && metadata.deletionTimestamp === undefined,
    );
  if (made !== undefined) return { changes: [], status: { name, resourceClaimName: made.metadata.name! } };
  const found = view.get(ResourceClaimTemplate, { namespace, name: template });
  if (found !== undefined && uid !== undefined)
    return { changes: [create(ResourceClaim, claimFrom(found, pod, name))] };
  const message = `PodResourceClaim ${name}: resource claim template "${template}": resourceclaimtemplate.resource.k8s.io "${template}" not found`;
  return { changes: [event(pod, "Warning", "FailedResourceClaimCreation", message)] };
}

function claimFrom({ spec }: ResourceClaimTemplate, { metadata }: Pod, name: string): ResourceClaim {
  const { labels, annotations } = spec.metadata ?? {};
  const owner = { apiVersion: "v1", kind: "Pod", name: metadata.name!, uid: metadata.uid!, controller: true };
  return {
    metadata: {
      generateName: generateNameFor(metadata.name!, name),
      namespace: metadata.namespace!,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [podClaimAnnotation]: name },
      ownerReferences: [owner],
    },
    spec: spec.spec,
  };
}

function namesReported(pod: Pod, named: readonly { name: string; resourceClaimName: string }[]): Change {
  const body = { metadata: { uid: pod.metadata.uid }, status: { resourceClaimStatuses: named } };
  return patch(Pod, pod, "strategic", body, { subresource: "status" });
}

/** The scheduler reserves what it binds; a pod that named its node itself has nobody else to do it. */
function reservations(pod: Pod, view: View): Change[] {
  const { namespace, name, uid } = pod.metadata;
  if ((pod.spec?.nodeName ?? "") === "") return [];
  return (pod.spec?.resourceClaims ?? []).flatMap((podClaim) => {
    const claim = view.get(ResourceClaim, { namespace, name: claimNameOf(pod, podClaim) ?? "" });
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined || !mayUse(pod, podClaim, claim))
      return [];
    const reservedFor = claim.status?.reservedFor ?? [];
    if (claim.status?.allocation === undefined || reservedFor.some((each) => each.uid === uid)) return [];
    if (reservedFor.length >= reservationsMax) return [];
    const added = { resource: "pods", name: name!, uid: uid! };
    return [
      updateStatus(ResourceClaim, { ...claim, status: { ...claim.status, reservedFor: [...reservedFor, added] } }),
    ];
  });
}
