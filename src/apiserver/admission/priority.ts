/** Turns the name of a pod's priority class into a number. Upstream: plugin/pkg/admission/priority. */
import type { V1Pod, V1PodSpec, V1PriorityClass } from "#api/generated/types.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const defaultPolicy = "PreemptLowerPriority";

export const priority: AdmissionPlugin = {
  name: "Priority",
  mutate(request) {
    if (!isFor(request, "", "pods") || request.object === undefined) return;
    const { spec } = request.object as V1Pod;
    if (spec === undefined) return;
    if (request.operation === "UPDATE") {
      keepPriority(spec, (request.old as V1Pod).spec);
      return;
    }
    if (request.operation !== "CREATE") return;
    const refuse = (text: string) => forbiddenRequest(request.resource.resourceName, request.name, text);
    const found = classOf(request, spec.priorityClassName ?? "");
    if (found === undefined) throw refuse(`no PriorityClass with name ${spec.priorityClassName ?? ""} was found`);
    const { name, value, policy } = found;
    if (spec.priority !== undefined && spec.priority !== value)
      throw refuse(
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
      throw refuse(
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
      );
    spec.priority = value;
    spec.preemptionPolicy = policy;
    if (name !== "") spec.priorityClassName = name;
  },
  validate(request) {
    if (!isFor(request, "scheduling.k8s.io", "priorityclasses") || request.object === undefined) return;
    if (request.operation !== "CREATE" && request.operation !== "UPDATE") return;
    const { globalDefault, metadata } = request.object as V1PriorityClass;
    if (globalDefault !== true) return;
    const other = defaultClass(request);
    if (other === undefined || (request.operation === "UPDATE" && other.metadata.name === metadata.name)) return;
    const text = `PriorityClass ${other.metadata.name ?? ""} is already marked as default. Only one default can exist`;
    throw forbiddenRequest(request.resource.resourceName, request.name, text);
  },
};

/** An update that says nothing of what this plugin set leaves it as it is. */
function keepPriority(spec: V1PodSpec, old: V1PodSpec | undefined): void {
  if (spec.priority === undefined && old?.priority !== undefined) spec.priority = old.priority;
  if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined)
    spec.preemptionPolicy = old.preemptionPolicy;
}

const classes = ({ services }: AdmissionRequest): V1PriorityClass[] =>
  [...services.cache.resource("/registry/scheduling.k8s.io/priorityclasses/").entries.range("")].map(
    ({ object }) => object as V1PriorityClass,
  );

/** Of several, the lowest. */
const defaultClass = (request: AdmissionRequest): V1PriorityClass | undefined =>
  classes(request)
    .filter(({ globalDefault }) => globalDefault === true)
    .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];

function classOf(request: AdmissionRequest, name: string): { name: string; value: number; policy: string } | undefined {
  if (name === "") {
    const usual = defaultClass(request);
    return usual === undefined ? { name: "", value: 0, policy: defaultPolicy } : factsOf(usual);
  }
  const found = classes(request).find(({ metadata }) => metadata.name === name);
  return found === undefined ? undefined : factsOf(found);
}

const factsOf = ({ metadata, value = 0, preemptionPolicy = defaultPolicy }: V1PriorityClass) => ({
  name: metadata.name ?? "",
  value,
  policy: preemptionPolicy,
});
