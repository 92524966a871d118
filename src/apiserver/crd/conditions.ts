/** Conditions of a CRD, as apiextensions' naming and establishing controllers set them. */
import { formatTime } from "#lib/clock.ts";
import type { V1CustomResourceDefinition, V1CustomResourceDefinitionNames } from "#api/generated/types.ts";
import { approvalOf } from "#api/apiextensions/approval.ts";
import { aggregateText } from "#api/validation/field-errors.ts";
import { caBundleErrors } from "#api/validation/webhook-client.ts";

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

/** Upstream: pkg/controller/establish/establishing_controller.go. */
export function establishedCondition({ spec }: V1CustomResourceDefinition): CrdCondition {
  const { caBundle = "" } = spec.conversion?.webhook?.clientConfig ?? {};
  return caBundleErrors("", caBundle).length > 0
    ? {
        type: "Established",
        status: "False",
        reason: "InvalidCABundle",
        message: "The conversion webhook CABundle is invalid",
      }
    : {
        type: "Established",
        status: "True",
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      };
}

/** Whether the community approved of a kind in one of its groups; undefined: it is in none. Upstream: pkg/controller/apiapproval. */
export function approvalCondition(crd: V1CustomResourceDefinition): CrdCondition | undefined {
  const approval = approvalOf(crd);
  if (approval === undefined) return undefined;
  const { verdict, reason, message } = approval;
  const status = verdict === "approved" ? "True" : "False";
  return { type: "KubernetesAPIApprovalPolicyConformant", status, reason, message };
}

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
    .filter((other) => other.spec.group === group)
    .map((other) => (other.metadata.name === crd.metadata.name ? crd : other).status?.acceptedNames);
  const resources = new Set(taken.flatMap((other) => [other?.plural, other?.singular, ...(other?.shortNames ?? [])]));
  const kinds = new Set(taken.flatMap((other) => [other?.kind, other?.listKind]));
  let refusal: { reason: string; message: string } | undefined;
  const judge = (
    field: "plural" | "singular" | "kind" | "listKind",
    wanted: string,
    used: ReadonlySet<string | undefined>,
    reason: string,
  ) => {
    if (accepted[field] !== wanted && used.has(wanted)) refusal = { reason, message: inUse(wanted) };
    else accepted[field] = wanted;
  };
  judge("plural", names.plural, resources, "PluralConflict");
  judge("singular", names.singular ?? names.kind.toLowerCase(), resources, "SingularConflict");
  const known = new Set(accepted.shortNames);
  const bad = (names.shortNames ?? []).filter((name) => !known.has(name) && resources.has(name));
  if (bad.length > 0) refusal = { reason: "ShortNamesConflict", message: aggregateText(bad.map(inUse)) };
  else if (names.shortNames !== undefined) accepted.shortNames = names.shortNames;
  else delete accepted.shortNames;
  judge("kind", names.kind, kinds, "KindConflict");
  judge("listKind", names.listKind ?? `${names.kind}List`, kinds, "ListKindConflict");
  if (names.categories !== undefined) accepted.categories = names.categories;
  else delete accepted.categories;
  const condition: CrdCondition =
    refusal === undefined
      ? { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" }
      : { type: "NamesAccepted", status: "False", ...refusal };
  return { accepted, condition };
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;
