/** Finds the scale of what an autoscaler points at, whatever kind that is. */
import type { V1Scale, V2HorizontalPodAutoscaler } from "#api/generated/types.ts";
import { StatusError } from "#api/status-error.ts";
import { groupVersionPath, objectPath } from "#client/resource-path.ts";
import type { AnyRef, InputRequest, Inputs } from "#reconcilers/reconciler.ts";

export type Scale = V1Scale & { metadata: object };

export type Target = { ok: true; ref: AnyRef; scale: Scale } | { ok: false; message: string };

/**
 * First which resource the kind is, then its scale. A version that is not served is no obstacle: the group's preferred one
 * is taken then.
 */
export function targetRequests(autoscaler: V2HorizontalPodAutoscaler, given: Inputs): Map<string, InputRequest> {
  const group = groupVersionOf(autoscaler);
  if (group === undefined) return new Map();
  const requests = new Map<string, InputRequest>([["resources", { type: "call", path: groupVersionPath(group) }]]);
  const ref = refOf(autoscaler, given);
  if (ref !== undefined) {
    const { namespace } = autoscaler.metadata;
    const path = objectPath(ref, { namespace, name: autoscaler.spec.scaleTargetRef.name }, "scale");
    return requests.set("scale", { type: "call", path });
  }
  if (!given.has("resources") || group.group === "") return requests;
  requests.set("group", { type: "call", path: `/apis/${group.group}` });
  const version = preferredVersion(given);
  if (version !== undefined)
    requests.set("preferred", { type: "call", path: groupVersionPath({ group: group.group, version }) });
  return requests;
}

export function targetOf(autoscaler: V2HorizontalPodAutoscaler, given: Inputs): Target {
  const { kind, apiVersion = "", name } = autoscaler.spec.scaleTargetRef;
  const group = groupVersionOf(autoscaler);
  if (group === undefined) return { ok: false, message: `unexpected GroupVersion string: ${apiVersion}` };
  const resources = given.get("resources");
  if (resources?.ok === false && !isMissing(resources.error)) return { ok: false, message: resources.error.message };
  const ref = refOf(autoscaler, given);
  if (ref === undefined) return { ok: false, message: `no matches for kind "${kind}" in group "${group.group}"` };
  const scale = given.get("scale");
  if (scale?.ok === true) return { ok: true, ref, scale: scale.value as Scale };
  const message = scale?.ok === false ? scale.error.message : `${ref.plural} "${name}" not found`;
  return { ok: false, message };
}

const isMissing = (error: Error): boolean => error instanceof StatusError && error.code === 404;

function groupVersionOf({ spec }: V2HorizontalPodAutoscaler): { group: string; version: string } | undefined {
  const parts = (spec.scaleTargetRef.apiVersion ?? "").split("/");
  if (parts.length > 2) return undefined;
  const [first = "", second] = parts;
  return second === undefined ? { group: "", version: first === "" ? "v1" : first } : { group: first, version: second };
}

function refOf(autoscaler: V2HorizontalPodAutoscaler, given: Inputs): AnyRef | undefined {
  const group = groupVersionOf(autoscaler);
  if (group === undefined) return undefined;
  const { kind } = autoscaler.spec.scaleTargetRef;
  const versions = [
    ["resources", group.version],
    ["preferred", preferredVersion(given) ?? group.version],
  ] as const;
  for (const [input, version] of versions) {
    const answer = given.get(input);
    const { resources = [] } = (answer?.ok === true ? answer.value : {}) as { resources?: ServedResource[] };
    const found = resources.find((each) => each.kind === kind && !each.name.includes("/"));
    if (found === undefined) continue;
    return {
      group: group.group,
      version,
      kind,
      plural: found.name,
      scope: found.namespaced ? "Namespaced" : "Cluster",
    };
  }
  return undefined;
}

interface ServedResource {
  name: string;
  kind: string;
  namespaced: boolean;
}

function preferredVersion(given: Inputs): string | undefined {
  const answer = given.get("group");
  if (answer?.ok !== true) return undefined;
  return (answer.value as { preferredVersion?: { version?: string } }).preferredVersion?.version;
}
