/** Changing the cpu and memory of a running pod. Upstream: podResizeStrategy, ValidatePodResize. */
import type { V1Container, V1Pod, V1PodSpec, V1ResourceRequirements } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, rootPath } from "#api/validation/field-errors.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { mirrorPod } from "./pod-annotations.ts";
import { isSidecar, qosClassOf } from "./pod-resources.ts";

const lists = ["containers", "initContainers"] as const;

/** The old spec with the resources and resize policies that the new one asks for. Changes `pod`. */
export function keepAllButResources(pod: V1Pod, old: V1Pod): void {
  const asked = pod.spec!;
  const spec: V1PodSpec = structuredClone(old.spec!);
  for (const list of lists) {
    const wanted = asked[list] ?? [];
    const containers = spec[list] ?? [];
    const isSameList = hasSameNames(wanted, containers);
    // Another list is for validation to refuse.
    if (!isSameList) spec[list] = wanted;
    else for (const [index, container] of containers.entries()) takeResources(container, wanted[index]!);
  }
  if (asked.resources === undefined) delete spec.resources;
  else spec.resources = asked.resources;
  pod.spec = spec;
}

const hasSameNames = (containers: readonly V1Container[], old: readonly V1Container[]) =>
  containers.length === old.length && containers.every(({ name }, index) => name === old[index]!.name);

function takeResources(container: V1Container, wanted: V1Container): void {
  container.resources = wanted.resources ?? {};
  if (wanted.resizePolicy === undefined) delete container.resizePolicy;
  else container.resizePolicy = wanted.resizePolicy;
}

/** What refuses any resize, before all else. */
export function resizeRefusal({ metadata, spec }: V1Pod): FieldError | undefined {
  if (metadata.annotations?.[mirrorPod] !== undefined) return forbidden(rootPath, "static pods cannot be resized");
  return spec?.os?.name === "windows" ? forbidden(rootPath, "windows pods cannot be resized") : undefined;
}

export function podResizeErrors(pod: V1Pod, old: V1Pod): FieldError[] {
  const spec = pod.spec!;
  const oldSpec = old.spec!;
  const errors: FieldError[] = [];
  const before = old.status?.qosClass ?? qosClassOf(oldSpec);
  if (before !== qosClassOf(spec))
    errors.push(invalid("spec", before, "Pod QOS Class may not change as a result of resizing"));
  if (!isResizeSupported(old)) errors.push(forbidden("spec", "Pod running on node without support for resize"));
  errors.push(...podLevelErrors(spec.resources, oldSpec.resources));
  const others = lists.flatMap((list) => otherListErrors(list, spec[list] ?? [], oldSpec[list] ?? []));
  if (others.length > 0) return [...errors, ...others];
  for (const list of ["initContainers", "containers"] as const)
    for (const [index, container] of (spec[list] ?? []).entries())
      errors.push(
        ...removedErrors(
          container.resources,
          oldSpec[list]![index]!.resources,
          "resource",
          `spec.${list}[${index}].resources`,
        ),
      );
  for (const [index, container] of (spec.containers ?? []).entries())
    if (isMoreChanged(container, oldSpec.containers[index]!)) errors.push(forbidden("spec", onlyCpuAndMemory));
  for (const [index, container] of (spec.initContainers ?? []).entries())
    errors.push(...initErrors(container, oldSpec.initContainers![index]!, `spec.initContainers[${index}]`));
  // Empty resources of the pod are not the same as none.
  const isOtherwiseSaid = (spec.resources === undefined) !== (oldSpec.resources === undefined);
  if (errors.length === 0 && isOtherwiseSaid && !isSet(spec.resources) && !isSet(oldSpec.resources))
    errors.push(forbidden("spec", onlyCpuAndMemory));
  return errors;
}

const onlyCpuAndMemory = "only cpu and memory resources are mutable";

/** A node that can resize reports what its running containers have. */
function isResizeSupported({ status }: V1Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

const isSet = (resources: V1ResourceRequirements | undefined) =>
  Object.keys({ ...resources?.requests, ...resources?.limits }).length > 0;

/** `spec.resources`. */
function podLevelErrors(
  now: V1ResourceRequirements | undefined,
  old: V1ResourceRequirements | undefined,
): FieldError[] {
  if (!isSet(now) && !isSet(old)) return [];
  if (old !== undefined && now === undefined)
    return [forbidden("spec.resources", "pod-level resources cannot be removed")];
  const isChanged = !semanticEqual(otherAmounts(now), otherAmounts(old)) || !semanticEqual(now?.claims, old?.claims);
  return [
    ...(old === undefined ? [] : removedErrors(now, old, "pod-level resource", "spec.resources")),
    ...(isChanged ? [forbidden("spec", `${onlyCpuAndMemory} at pod-level`)] : []),
  ];
}

function otherListErrors(
  list: (typeof lists)[number],
  containers: readonly V1Container[],
  old: readonly V1Container[],
): FieldError[] {
  if (containers.length !== old.length)
    return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
  return containers.flatMap(({ name }, index) =>
    name === old[index]!.name
      ? []
      : [forbidden(`spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`)],
  );
}

/** `what`: as the texts call it. */
function removedErrors(
  now: V1ResourceRequirements | undefined,
  old: V1ResourceRequirements | undefined,
  what: string,
  path: string,
): FieldError[] {
  return (["requests", "limits"] as const).flatMap((field) =>
    Object.keys(old?.[field] ?? {}).some((name) => now?.[field]?.[name] === undefined)
      ? [forbidden(`${path}.${field}`, `${what} ${field} cannot be removed`)]
      : [],
  );
}

/** An init container that ends cannot be started anew for its resources. */
function initErrors(container: V1Container, old: V1Container, path: string): FieldError[] {
  const text = "only cpu and memory resources for init or sidecar containers are mutable";
  const errors = isMoreChanged(container, old) ? [forbidden(path, text)] : [];
  if (isSidecar(container) || semanticEqual(container, old)) return errors;
  const restarting = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
  for (const { restartPolicy } of container.resizePolicy ?? [])
    if (restartPolicy === "RestartContainer") errors.push(forbidden(path, restarting));
  return errors;
}

/** Whether more than cpu and memory differs. Upstream leaves claims out of the new container: any make a difference. */
function isMoreChanged({ resources, ...container }: V1Container, { resources: before, ...old }: V1Container): boolean {
  if ((before?.claims ?? []).length > 0) return true;
  return !semanticEqual(container, old) || !semanticEqual(otherAmounts(resources), otherAmounts(before));
}

function otherAmounts(resources: V1ResourceRequirements | undefined): [requests: object, limits: object] {
  const others = (amounts: Record<string, string>) => {
    const { cpu: _, memory: __, ...rest } = amounts;
    return rest;
  };
  return [others(resources?.requests ?? {}), others(resources?.limits ?? {})];
}
