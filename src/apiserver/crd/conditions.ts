/** Conditions of a CRD, as apiextensions' naming and establishing controllers set them. */
import { formatTime } from "#lib/clock.ts";
import type { V1CustomResourceDefinition, V1CustomResourceDefinitionNames } from "#api/generated/types.ts";

export interface CrdCondition {
  type: string;
  status: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

export function setCondition(conditions: readonly CrdCondition[], wanted: CrdCondition, now: number): CrdCondition[] {
  const old = conditions.find(({ type }) => type === wanted.type);
  const isSame = old !== undefined && old.status === wanted.status;
  const condition = {
    type: wanted.type,
    status: wanted.status,
    lastTransitionTime: isSame && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(now),
    reason: wanted.reason,
    message: wanted.message,
  } as CrdCondition;
  return old === undefined ? [...conditions, condition] : conditions.map((one) => (one === old ? condition : one));
}

export const hasCondition = (crd: V1CustomResourceDefinition, type: string): boolean =>
  crd.status?.conditions?.some((one) => one.type === type && one.status === "True") ?? false;

export interface NameVerdict {
  accepted: V1CustomResourceDefinitionNames;
  condition: CrdCondition;
}

/** Which of the wanted names are free in the group. Upstream: pkg/controller/status/naming_controller.go. */
export function judgeNames(
  crd: V1CustomResourceDefinition,
  others: readonly V1CustomResourceDefinition[],
): NameVerdict {
  const { names, group } = crd.spec;
  const accepted = { ...crd.status?.acceptedNames } as V1CustomResourceDefinitionNames;
  const taken = others
    .filter((other) => other.spec.group === group && other.metadata.name !== crd.metadata.name)
    .map((other) => other.status?.acceptedNames);
  const resources = new Set(taken.flatMap((other) => [other?.plural, other?.singular, ...(other?.shortNames ?? [])]));
  const kinds = new Set(taken.flatMap((other) => [other?.kind, other?.listKind]));
  let condition: CrdCondition = {
    type: "NamesAccepted",
    status: "True",
    reason: "NoConflicts",
    message: "no conflicts found",
  };
  const refuse = (reason: string, name: string) => {
    condition = {
      type: "NamesAccepted",
      status: "False",
      reason,
      message: `${JSON.stringify(name)} is already in use`,
    };
  };
  if (resources.has(names.plural)) refuse("PluralConflict", names.plural);
  else accepted.plural = names.plural;
  const { singular = names.kind.toLowerCase() } = names;
  if (resources.has(singular)) refuse("SingularConflict", singular);
  else accepted.singular = singular;
  const short = (names.shortNames ?? []).find((name) => resources.has(name));
  if (short !== undefined) refuse("ShortNamesConflict", short);
  else if (names.shortNames !== undefined) accepted.shortNames = names.shortNames;
  else delete accepted.shortNames;
  if (kinds.has(names.kind)) refuse("KindConflict", names.kind);
  else accepted.kind = names.kind;
  const { listKind = `${names.kind}List` } = names;
  if (kinds.has(listKind)) refuse("ListKindConflict", listKind);
  else accepted.listKind = listKind;
  if (names.categories !== undefined) accepted.categories = names.categories;
  else delete accepted.categories;
  return { accepted, condition };
}
