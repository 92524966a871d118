/**
 * How many pods the owners of some pods wish to have. What is not built in is asked for its scale, whatever kind that is.
 * Upstream: getExpectedScale and the finders of pkg/controller/disruption.
 */
import { Deployment } from "#api/apps/deployment.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import type { Pod } from "#api/core/pod.ts";
import type { V1Scale } from "#api/generated/types.ts";
import type { OwnerReference } from "#api/object.ts";
import { StatusError } from "#api/status-error.ts";
import { groupVersionPath, objectPath } from "#client/resource-path.ts";
import { controllerOf } from "#client/view.ts";
import { ReplicationController, StatefulSet } from "./kinds.ts";
import type { AnyRef, InputRequest, Inputs, View } from "./reconciler.ts";

export interface ExpectedPods {
  scale: number;
  /** Some pod has no owner. */
  unmanaged: boolean;
}

/** What must be asked about owners that the view does not show. */
export function scaleRequests(pods: readonly Pod[], view: View, given: Inputs): Map<string, InputRequest> {
  const requests = new Map<string, InputRequest>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined || knownSize(owner, view) !== undefined) continue;
    requests.set(owner.apiVersion, { type: "call", path: groupVersionPath(groupVersionOf(owner)) });
    const ref = scalableRef(owner, given);
    if (ref === undefined || typeof ref === "string") continue;
    const path = objectPath(ref, { namespace: pod.metadata.namespace, name: owner.name }, "scale");
    requests.set(owner.uid, { type: "call", path });
  }
  return requests;
}

/** The sum over all owners, or why it cannot be told. */
export function expectedPods(pods: readonly Pod[], view: View, inputs: Inputs): ExpectedPods | string {
  const sizes = new Map<string, number>();
  const seen = new Set<string>();
  let unmanaged = false;
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) unmanaged = true;
    else if (!seen.has(owner.uid)) {
      seen.add(owner.uid);
      const found = knownSize(owner, view) ?? askedSize(owner, inputs);
      if (typeof found === "string") return found;
      if (found === undefined) return `found no controllers for pod "${pod.metadata.name}"`;
      sizes.set(found.uid, found.size);
    }
  }
  return { scale: [...sizes.values()].reduce((sum, size) => sum + size, 0), unmanaged };
}

interface Size {
  uid: string;
  size: number;
}

const builtIn: Readonly<Record<string, AnyRef>> = {
  "apps/ReplicaSet": ReplicaSet,
  "apps/StatefulSet": StatefulSet,
  "/ReplicationController": ReplicationController,
};

/** A replica set's deployment speaks for it. */
function knownSize(owner: OwnerReference, view: View): Size | undefined {
  const ref = builtIn[`${groupVersionOf(owner).group}/${owner.kind}`];
  const found = ref === undefined ? undefined : view.byUid(ref as typeof ReplicaSet, owner.uid);
  if (found === undefined) return undefined;
  const above = owner.kind === "ReplicaSet" ? controllerOf(found) : undefined;
  if (above?.kind !== "Deployment") return { uid: owner.uid, size: found.spec?.replicas ?? 1 };
  const deployment = view.byUid(Deployment, above.uid);
  return deployment === undefined ? undefined : { uid: above.uid, size: deployment.spec?.replicas ?? 1 };
}

function askedSize(owner: OwnerReference, inputs: Inputs): Size | string | undefined {
  const ref = scalableRef(owner, inputs);
  if (ref === undefined || typeof ref === "string") return ref;
  const answer = inputs.get(owner.uid);
  if (answer?.ok === false)
    return answer.error instanceof StatusError && answer.error.code === 404 ? undefined : answer.error.message;
  const { metadata, spec } = (answer?.value ?? {}) as V1Scale;
  return metadata?.uid === owner.uid ? { uid: owner.uid, size: spec?.replicas ?? 0 } : undefined;
}

/** The kind, if its objects have a scale; else why not. Undefined if nobody was asked yet. */
function scalableRef(owner: OwnerReference, inputs: Inputs): AnyRef | string | undefined {
  const { apiVersion, kind } = owner;
  const answer = inputs.get(apiVersion);
  if (answer === undefined) return undefined;
  const isMissing = !answer.ok && answer.error instanceof StatusError && answer.error.code === 404;
  if (!answer.ok && !isMissing) return answer.error.message;
  const { resources = [] } = (answer.ok ? answer.value : {}) as {
    resources?: { name: string; kind: string; namespaced: boolean }[];
  };
  const found = resources.find((each) => each.kind === kind && !each.name.includes("/"));
  if (found === undefined) return `no matches for kind "${kind}" in version "${apiVersion}"`;
  const group = groupVersionOf(owner);
  const plural = found.name;
  if (!resources.some(({ name }) => name === `${plural}/scale`))
    return `${group.group === "" ? plural : `${plural}.${group.group}`} does not implement the scale subresource`;
  return { ...group, kind, plural, scope: found.namespaced ? "Namespaced" : "Cluster" };
}

function groupVersionOf({ apiVersion }: OwnerReference): { group: string; version: string } {
  const [first = "", second] = apiVersion.split("/");
  return second === undefined ? { group: "", version: first } : { group: first, version: second };
}
