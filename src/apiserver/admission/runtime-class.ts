/** A pod takes its runtime class's overhead and place. Upstream: plugin/pkg/admission/runtimeclass. */
import type { V1Pod, V1RuntimeClass, V1Toleration } from "#api/generated/types.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { goQuote } from "#api/go-text.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { compareQuantities } from "#api/quantity.ts";
import { objectAt } from "./lookup.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const prefix = "/registry/node.k8s.io/runtimeclasses/";
const differs = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const unfounded = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

export const runtimeClass: AdmissionPlugin = {
  name: "RuntimeClass",
  mutate(request) {
    if (!isNewPod(request)) return;
    const pod = request.object as V1Pod;
    const found = classOf(request, pod);
    if (found?.overhead !== undefined) setOverhead(request, pod, found.overhead.podFixed ?? {});
    if (found?.scheduling !== undefined) setScheduling(request, pod, found.scheduling);
  },
  validate(request) {
    if (!isNewPod(request)) return;
    const pod = request.object as V1Pod;
    const wanted = classOf(request, pod)?.overhead;
    const given = pod.spec?.overhead;
    if (wanted === undefined) {
      if (given !== undefined) throw refuse(request, unfounded);
    } else if (!sameAmounts(wanted.podFixed ?? {}, given ?? {})) throw refuse(request, differs);
  },
};

const isNewPod = (request: AdmissionRequest): boolean =>
  request.operation === "CREATE" && request.object !== undefined && isFor(request, "", "pods");

const refuse = ({ resource, name }: AdmissionRequest, text: string) =>
  forbiddenRequest(resource.resourceName, name, text);

function classOf(request: AdmissionRequest, { spec }: V1Pod): V1RuntimeClass | undefined {
  const name = spec?.runtimeClassName;
  if (name === undefined) return undefined;
  const found = objectAt<V1RuntimeClass>(request.services, prefix, name);
  if (found === undefined) throw refuse(request, `pod rejected: RuntimeClass ${goQuote(name)} not found`);
  return found;
}

type Amounts = Readonly<Record<string, string>>;

function sameAmounts(a: Amounts, b: Amounts): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => b[name] !== undefined && compareQuantities(a[name]!, b[name]) === 0)
  );
}

function setOverhead(request: AdmissionRequest, { spec }: V1Pod, wanted: Amounts): void {
  if (spec?.overhead !== undefined && !sameAmounts(wanted, spec.overhead)) throw refuse(request, differs);
  spec!.overhead = { ...wanted };
}

function setScheduling(
  request: AdmissionRequest,
  { spec }: V1Pod,
  { nodeSelector, tolerations }: NonNullable<V1RuntimeClass["scheduling"]>,
): void {
  const own = spec!.nodeSelector ?? {};
  for (const [key, value] of Object.entries(nodeSelector ?? {}))
    if (own[key] !== undefined && own[key] !== value)
      throw refuse(
        request,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`,
      );
  if (nodeSelector !== undefined) spec!.nodeSelector = { ...own, ...nodeSelector };
  const merged = mergeTolerations(spec!.tolerations ?? [], tolerations ?? []);
  if (merged.length > 0) spec!.tolerations = merged;
}

/** Both lists without those that another one covers. Upstream: pkg/util/tolerations. */
function mergeTolerations(first: readonly V1Toleration[], second: readonly V1Toleration[]): V1Toleration[] {
  const all = [...first, ...second];
  const merged: V1Toleration[] = [];
  for (const [index, one] of all.entries()) {
    if (merged.some((earlier) => covers(earlier, one))) continue;
    if (all.slice(index + 1).some((later) => !semanticEqual(later, one) && covers(later, one))) continue;
    merged.push({ ...one });
  }
  return merged;
}

/** Whether everything that `narrow` tolerates is tolerated by `wide`. */
function covers(wide: V1Toleration, narrow: V1Toleration): boolean {
  if (semanticEqual(wide, narrow)) return true;
  const { key = "", operator = "Equal", value = "", effect = "", tolerationSeconds } = wide;
  if (key !== "" && key !== (narrow.key ?? "")) return false;
  if (key === "" && operator !== "Exists") return false;
  if (effect !== "" && effect !== (narrow.effect ?? "")) return false;
  if (effect === "NoExecute" && tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || tolerationSeconds < narrow.tolerationSeconds) return false;
  }
  if (operator === "Exists") return true;
  return (narrow.operator ?? "Equal") === "Equal" && value === (narrow.value ?? "");
}
