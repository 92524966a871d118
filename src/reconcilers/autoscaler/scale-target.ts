/** Finds the scale of what an autoscaler points at, whatever kind that is. */
import type { V1Scale, V2HorizontalPodAutoscaler } from "#api/generated/types.ts";
import { StatusError } from "#api/status-error.ts";
import { groupVersionPath, objectPath } from "#client/resource-path.ts";
import type { AnyRef, InputRequest, Inputs } from "#reconcilers/reconciler.ts";

export type Scale = V1Scale & { metadata: object };

export type Target = { ok: true; ref: AnyRef; scale: Scale } | { ok: false; message: string };

/** First which resource the kind is, then its scale. */
export function targetRequests(autoscaler: V2HorizontalPodAutoscaler, given: Inputs): Map<string, InputRequest> {
  const group = groupVersionOf(autoscaler);
  if (group === undefined) return new Map();
  const resources: InputRequest = { type: "call", path: groupVersionPath(group) };
  const ref = refOf(autoscaler, given);
  if (ref === undefined) return new Map([["resources", resources]]);
  const { namespace } = autoscaler.metadata;
  const path = objectPath(ref, { namespace, name: autoscaler.spec.scaleTargetRef.name }, "scale");
  return new Map<string, InputRequest>([["scale", { type: "call", path }]]);
}

export function targetOf(autoscaler: V2HorizontalPodAutoscaler, given: Inputs): Target {
  const { kind, apiVersion = "", name } = autoscaler.spec.scaleTargetRef;
  const group = groupVersionOf(autoscaler);
  if (group === undefined)
    return {
      ok: false,
      message: `invalid API version in scale target reference: unexpected GroupVersion string: ${apiVersion}`,
    };
  const resources = given.get("resources");
  if (resources?.ok === false && !isMissing(resources.error)) return { ok: false, message: resources.error.message };
  const ref = refOf(autoscaler, given);
  if (ref === undefined) {
    const words = `no matches for kind "${kind}" in group "${group.group}"`;
    return { ok: false, message: `unable to determine resource for scale target reference: ${words}` };
  }
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
  const answer = given.get("resources");
  if (group === undefined || answer?.ok !== true) return undefined;
  const { kind } = autoscaler.spec.scaleTargetRef;
  const { resources } = answer.value as { resources?: { name: string; kind: string; namespaced: boolean }[] };
  const found = resources?.find((each) => each.kind === kind && !each.name.includes("/"));
  if (found === undefined) return undefined;
  return { ...group, kind, plural: found.name, scope: found.namespaced ? "Namespaced" : "Cluster" };
}
