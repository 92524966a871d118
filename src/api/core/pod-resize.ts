/** Changing the cpu and memory of a running pod. Upstream: podResizeStrategy, ValidatePodResize. */
import type { V1Container, V1Pod, V1PodSpec, V1ResourceRequirements } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid } from "#api/validation/field-errors.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { mirrorPod } from "./pod-annotations.ts";
import { qosClassOf } from "./pod-resources.ts";

/** The old spec with the resources and resize policies that the new one asks for. Changes `pod`. */
export function keepAllButResources(pod: V1Pod, old: V1Pod): void {
  const asked = pod.spec!;
  const spec: V1PodSpec = structuredClone(old.spec!);
  for (const field of ["containers", "initContainers"] as const) {
    const wanted = asked[field] ?? [];
    const containers = spec[field] ?? [];
    // A list of another length is for validation to refuse.
    if (wanted.length !== containers.length) spec[field] = wanted;
    else for (const [index, container] of containers.entries()) takeResources(container, wanted[index]!);
  }
  if (asked.resources !== undefined) spec.resources = asked.resources;
  pod.spec = spec;
}

function takeResources(container: V1Container, wanted: V1Container): void {
  if (container.name !== wanted.name) return;
  container.resources = wanted.resources ?? {};
  if (wanted.resizePolicy === undefined) delete container.resizePolicy;
  else container.resizePolicy = wanted.resizePolicy;
}

export function podResizeErrors(pod: V1Pod, old: V1Pod): FieldError[] {
  const spec = pod.spec!;
  const oldSpec = old.spec!;
  if (old.metadata.annotations?.[mirrorPod] !== undefined) return [forbidden("", "static pods cannot be resized")];
  if (oldSpec.os?.name === "windows") return [forbidden("", "windows pods cannot be resized")];
  for (const field of ["containers", "initContainers"] as const)
    if ((spec[field] ?? []).length !== (oldSpec[field] ?? []).length)
      return [forbidden(`spec.${field}`, `${field} may not be added or removed on resize`)];
  const errors: FieldError[] = [];
  const before = old.status?.qosClass ?? qosClassOf(oldSpec);
  if (before !== qosClassOf(spec))
    errors.push(invalid("spec", before, "Pod QOS Class may not change as a result of resizing"));
  if (!isResizeSupported(old)) errors.push(forbidden("spec", "Pod running on node without support for resize"));
  for (const field of ["initContainers", "containers"] as const)
    for (const [index, container] of (spec[field] ?? []).entries())
      errors.push(
        ...removedErrors(container.resources, oldSpec[field]![index]!.resources, `spec.${field}[${index}].resources`),
      );
  for (const field of ["containers", "initContainers"] as const)
    for (const [index, container] of (spec[field] ?? []).entries())
      if (!semanticEqual(withoutCpuAndMemory(container), withoutCpuAndMemory(oldSpec[field]![index]!)))
        errors.push(forbidden("spec", "only cpu and memory resources are mutable"));
  return errors;
}

/** A node that can resize reports what its running containers have. */
function isResizeSupported({ status }: V1Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function removedErrors(
  now: V1ResourceRequirements | undefined,
  old: V1ResourceRequirements | undefined,
  path: string,
): FieldError[] {
  const isLost = (field: "requests" | "limits") =>
    Object.keys(old?.[field] ?? {}).some((name) => now?.[field]?.[name] === undefined);
  return [
    ...(isLost("requests") ? [forbidden(`${path}.requests`, "resource requests cannot be removed")] : []),
    ...(isLost("limits") ? [forbidden(`${path}.limits`, "resource limits cannot be removed")] : []),
  ];
}

function withoutCpuAndMemory({ resources, ...container }: V1Container) {
  const others = (amounts: Record<string, string> | undefined) => {
    const { cpu: _, memory: __, ...rest } = amounts ?? {};
    return Object.entries(rest);
  };
  return { ...container, resources: [others(resources?.requests), others(resources?.limits), resources?.claims] };
}
