/** What may change of a pod: its image, deadline, tolerations, gates. Upstream: ValidatePodUpdate and its relatives. */
import type {
  V1Container,
  V1NodeAffinity,
  V1NodeSelectorTerm,
  V1Pod,
  V1PodSpec,
  V1Toleration,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { compareText, goQuote } from "#api/go-text.ts";
import { forbidden, invalid, required, rootPath } from "#api/validation/field-errors.ts";
import { rangeError } from "#api/validation/names.ts";
import { semanticEqual } from "#api/validation/values.ts";
import { changedFields, shown } from "./changed-fields.ts";
import { imageSpaceErrors } from "./containers.ts";
import { appArmorPrefix, mirrorPod, podAnnotationsErrors } from "./pod-annotations.ts";
import { tolerationsErrors } from "./pod-scheduling.ts";

const int32Max = 2_147_483_647;
const updatable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** On the main endpoint, beside what the new pod itself must fulfil. */
export function podUpdateErrors(pod: V1Pod, old: V1Pod): FieldError[] {
  const errors = podAnnotationsUpdateErrors(pod, old);
  const spec = pod.spec!;
  const oldSpec = old.spec!;
  for (const field of ["containers", "initContainers"] as const) {
    const path = `spec.${field}`;
    const containers = spec[field] ?? [];
    if (containers.length !== (oldSpec[field] ?? []).length)
      return [...errors, forbidden(path, "pod updates may not add or remove containers")];
    errors.push(...containers.flatMap((container, index) => imageErrors(container, `${path}[${index}]`)));
  }
  const deadline = deadlineError(spec.activeDeadlineSeconds, oldSpec.activeDeadlineSeconds);
  if (deadline !== undefined) {
    errors.push(deadline);
    if (spec.activeDeadlineSeconds !== undefined) return errors;
  }
  errors.push(...addedTolerationsErrors(spec.tolerations ?? [], oldSpec.tolerations ?? []));
  errors.push(...removedGatesErrors(spec.schedulingGates ?? [], oldSpec.schedulingGates ?? []));
  if (semanticEqual(spec, oldSpec)) return errors;
  const isGated = (oldSpec.schedulingGates ?? []).length > 0;
  const unchanged = isGated ? gatedSpec(mungedSpec(spec, oldSpec), oldSpec, errors) : mungedSpec(spec, oldSpec);
  if (!semanticEqual(unchanged, oldSpec))
    errors.push(
      forbidden(
        "spec",
        `pod updates may not change fields other than ${updatable}\n${changedFields("core.PodSpec", unchanged, oldSpec)}`,
      ),
    );
  return errors;
}

const fixedAnnotations: readonly [applies: (key: string) => boolean, what: string][] = [
  [(key) => key.startsWith(appArmorPrefix), "AppArmor annotations"],
  [(key) => key === mirrorPod, "mirror pod annotation"],
];

/** Annotations that stay as they were, and then those rules that hold at any time. */
export function podAnnotationsUpdateErrors(pod: V1Pod, old: V1Pod): FieldError[] {
  const now = pod.metadata.annotations ?? {};
  const before = old.metadata.annotations ?? {};
  const faults = (keys: string[], verb: string) =>
    keys
      .sort(compareText)
      .flatMap((key) =>
        fixedAnnotations
          .filter(([applies]) => applies(key))
          .map(([, what]) => forbidden(`metadata.annotations[${key}]`, `may not ${verb} ${what}`)),
      );
  return [
    ...faults(
      Object.keys(before).filter((key) => now[key] !== before[key]),
      "remove or update",
    ),
    ...faults(
      Object.keys(now).filter((key) => before[key] === undefined),
      "add",
    ),
    ...podAnnotationsErrors(pod.metadata.annotations, pod.spec ?? { containers: [] }, "metadata.annotations"),
  ];
}

const imageErrors = (container: V1Container, path: string) => [
  ...(container.image ? [] : [required(`${path}.image`)]),
  ...imageSpaceErrors(container, path),
];

function deadlineError(seconds: number | undefined, old: number | undefined): FieldError | undefined {
  const field = "spec.activeDeadlineSeconds";
  if (seconds === undefined)
    return old === undefined ? undefined : invalid(field, null, "must not update from a positive integer to nil value");
  if (seconds < 0 || seconds > int32Max) return invalid(field, seconds, rangeError(0, int32Max));
  if (old !== undefined && old < seconds)
    return invalid(field, seconds, "must be less than or equal to previous value");
  return undefined;
}

function addedTolerationsErrors(tolerations: readonly V1Toleration[], old: readonly V1Toleration[]): FieldError[] {
  const idOf = ({ key = "", operator = "", value = "", effect = "" }: V1Toleration) =>
    JSON.stringify([key, operator, value, effect]);
  const kept = new Set(tolerations.map(idOf));
  if (!old.every((one) => kept.has(idOf(one))))
    return [forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")];
  return tolerationsErrors(tolerations, "spec.tolerations");
}

function removedGatesErrors(gates: readonly { name: string }[], old: readonly { name: string }[]): FieldError[] {
  const added = new Map(gates.map(({ name }, index) => [name, index]));
  for (const { name } of old) added.delete(name);
  return [...added].map(([name, index]) =>
    forbidden(
      `spec.schedulingGates[${index}].name`,
      `only deletion is allowed, but found new scheduling gate '${name}'`,
    ),
  );
}

/** The new spec with the old values of what may change. */
function mungedSpec(spec: V1PodSpec, old: V1PodSpec): V1PodSpec {
  const withOldImages = (containers: readonly V1Container[] | undefined, before: readonly V1Container[] | undefined) =>
    containers?.map((container, index): V1Container => ({ ...container, image: before![index]!.image }) as V1Container);
  const { terminationGracePeriodSeconds: grace } = spec;
  const { terminationGracePeriodSeconds: oldGrace = 0 } = old;
  return {
    ...spec,
    containers: withOldImages(spec.containers, old.containers) ?? [],
    initContainers: withOldImages(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
    terminationGracePeriodSeconds: oldGrace < 0 && grace === 1 ? oldGrace : grace,
  } as V1PodSpec;
}

/** A gated pod may also narrow where it can run. */
function gatedSpec(spec: V1PodSpec, old: V1PodSpec, errors: FieldError[]): V1PodSpec {
  const result = { ...spec };
  if (!semanticEqual(spec.nodeSelector, old.nodeSelector)) {
    const isAddition = Object.entries(old.nodeSelector ?? {}).every(
      ([key, value]) => spec.nodeSelector?.[key] === value,
    );
    const text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    if (!isAddition) errors.push(invalid("spec.nodeSelector", spec.nodeSelector ?? null, text));
    setOrDelete(result, "nodeSelector", old.nodeSelector);
  }
  const before = old.affinity?.nodeAffinity;
  const now = spec.affinity?.nodeAffinity;
  if (semanticEqual(now, before)) return result;
  errors.push(...nodeAffinityChangeErrors(now, before, "spec.affinity.nodeAffinity"));
  const { nodeAffinity: _, ...others } = spec.affinity ?? {};
  const affinity = before === undefined ? others : { ...others, nodeAffinity: before };
  setOrDelete(result, "affinity", Object.keys(affinity).length === 0 ? old.affinity : affinity);
  return result;
}

function setOrDelete<K extends "nodeSelector" | "affinity">(
  spec: V1PodSpec,
  field: K,
  value: V1PodSpec[K] | undefined,
): void {
  if (value === undefined) delete spec[field];
  else spec[field] = value;
}

function nodeAffinityChangeErrors(
  now: V1NodeAffinity | undefined,
  before: V1NodeAffinity | undefined,
  path: string,
): FieldError[] {
  const old = before?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const terms = now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  if (old.length === 0) return [];
  if (terms?.length !== old.length) {
    const text = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    return [invalid(at, terms ?? null, text)];
  }
  return terms.flatMap((term, index) =>
    hasOnlyAdditions(term, old[index]!)
      ? []
      : [invalid(`${at}[${index}]`, term, "only additions are allowed (no mutations or deletions)")],
  );
}

/** A term that matches nothing stays so. */
function hasOnlyAdditions(term: V1NodeSelectorTerm, old: V1NodeSelectorTerm): boolean {
  const lists = ["matchExpressions", "matchFields"] as const;
  if (lists.every((list) => (old[list] ?? []).length === 0))
    return lists.every((list) => (term[list] ?? []).length === 0);
  return lists.every((list) =>
    (old[list] ?? []).every((requirement, index) => semanticEqual(term[list]?.[index], requirement)),
  );
}

/** What refuses any change on ephemeralcontainers, before all else. */
export const ephemeralContainersRefusal = (old: V1Pod): FieldError | undefined =>
  old.metadata.annotations?.[mirrorPod] === undefined
    ? undefined
    : forbidden(rootPath, "static pods do not support ephemeral containers");

/** On ephemeralcontainers: new ones may come, those that are there stay as they are. */
export function ephemeralContainersUpdateErrors(spec: V1PodSpec, old: V1PodSpec): FieldError[] {
  const byName = new Map((spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (old.ephemeralContainers ?? []).flatMap((container) => {
    const now = byName.get(container.name);
    const what = `existing ephemeral containers ${goQuote(container.name)}`;
    if (now === undefined) return [forbidden("spec.ephemeralContainers", `${what} may not be removed\n`)];
    if (semanticEqual(now, container)) return [];
    const diff = `  core.EphemeralContainer{\n-\t${shown(container)}\n+\t${shown(now)}\n  }\n`;
    return [forbidden("spec.ephemeralContainers", `${what} may not be changed\n${diff}`)];
  });
}
