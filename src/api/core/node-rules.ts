/** Taints, resources, addresses of a node. Upstream: ValidateNode, ValidateNodeUpdate, v1/defaults.go. */
import type { V1Node, V1Taint } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { roundResourceList } from "#api/quantity.ts";
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { cidrErrors, familyOf } from "#api/validation/ip.ts";
import { isLabelValue, isQualifiedName } from "#api/validation/names.ts";
import { taintEffects } from "./pod-scheduling.ts";
import { quantityValueErrors } from "./resource-names.ts";

const avoidPods = "scheduler.alpha.kubernetes.io/preferAvoidPods";

export function defaultNode(node: V1Node): void {
  const spec = (node.spec ??= {});
  if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
  if (spec.podCIDRs?.[0] !== undefined) spec.podCIDR = spec.podCIDRs[0];
  const { status } = node;
  if (status === undefined) return;
  roundResourceList(status.capacity);
  if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
  roundResourceList(status.allocatable);
}

export function nodeErrors(node: V1Node, old: V1Node | undefined): FieldError[] {
  const errors = [...annotationErrors(node.metadata.annotations?.[avoidPods])];
  if (old === undefined)
    return [...errors, ...taintsErrors(node.spec?.taints ?? []), ...resourcesErrors(node), ...podCidrsErrors(node)];
  return [
    ...errors,
    ...resourcesErrors(node),
    ...addressesErrors(node),
    ...changeErrors(node, old),
    ...taintsErrors(node.spec?.taints ?? []),
  ];
}

function annotationErrors(avoid: string | undefined): FieldError[] {
  if (avoid === undefined || avoid === "") return [];
  try {
    JSON.parse(avoid);
    return [];
  } catch {
    return [invalid("metadata.annotations.AvoidPods", avoidPods, "unexpected end of JSON input")];
  }
}

/** Upstream reports taints at metadata. */
function taintsErrors(taints: readonly V1Taint[]): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const at = `metadata.taints[${index}]`;
    const { key = "", value = "", effect = "" } = taint as Partial<V1Taint>;
    const errors = invalidEach(`${at}.key`, key, isQualifiedName(key));
    const faults = isLabelValue(value);
    if (faults.length > 0) errors.push(invalid(`${at}.value`, value, faults.join(";")));
    if (effect === "") errors.push(required(`${at}.effect`));
    else if (!taintEffects.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, taintEffects));
    const id = `${key}:${effect}`;
    if (seen.has(id)) {
      const error = duplicate(at, taint);
      errors.push({ ...error, message: `${error.message}: taints must be unique by key and effect pair` });
    }
    seen.add(id);
    return errors;
  });
}

function resourcesErrors({ status }: V1Node): FieldError[] {
  return (["capacity", "allocatable"] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([name, amount]) =>
      quantityValueErrors(name, amount, `status.${field}.${name}`),
    ),
  );
}

function podCidrsErrors({ spec }: V1Node): FieldError[] {
  const cidrs = spec?.podCIDRs ?? [];
  const path = "spec.podCIDRs";
  const errors = cidrs.flatMap((cidr, index) => cidrErrors(`${path}[${index}]`, cidr));
  if (cidrs.length < 2) return errors;
  const families = new Set(cidrs.map((cidr) => familyOf(cidr.split("/")[0]!)));
  if (cidrs.length > 2 || families.size < 2)
    errors.push(invalid(path, cidrs, "may specify no more than one CIDR for each IP family"));
  for (const [index, cidr] of cidrs.entries())
    if (cidrs.indexOf(cidr) < index) errors.push(duplicate(`${path}[${index}]`, cidr));
  return errors;
}

function addressesErrors({ status }: V1Node): FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap((address, index) => {
    const key = `${address.type} ${address.address}`;
    const isSeen = seen.has(key);
    seen.add(key);
    return isSeen ? [duplicate(`status.addresses[${index}]`, address)] : [];
  });
}

function changeErrors({ spec }: V1Node, { spec: old }: V1Node): FieldError[] {
  const errors: FieldError[] = [];
  const before = old?.podCIDRs ?? [];
  const isSame =
    before.length === (spec?.podCIDRs ?? []).length && before.every((cidr, index) => spec?.podCIDRs?.[index] === cidr);
  if (before.length > 0 && !isSame)
    errors.push(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  if (old?.providerID && old.providerID !== spec?.providerID)
    errors.push(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  if ((old?.externalID ?? "") !== (spec?.externalID ?? ""))
    errors.push(forbidden("spec.externalID", "may not be updated"));
  return errors;
}

export function nodeWarnings({ spec }: V1Node): string[] {
  return [
    ...(spec?.configSource === undefined ? [] : ["spec.configSource: the feature has been removed"]),
    ...(spec?.externalID ? ["spec.externalID: this field is deprecated, and is unused by Kubernetes"] : []),
  ];
}
