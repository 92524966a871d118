/** Where a pod may run: affinity, tolerations, spreading, gates. Upstream: validateAffinity, ValidateTolerations … */
import type {
  V1Affinity,
  V1NodeSelector,
  V1NodeSelectorTerm,
  V1PodAffinity,
  V1PodAffinityTerm,
  V1Toleration,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { labelSelectorErrors } from "#api/label-selector.ts";
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName } from "#api/validation/names.ts";

const qualified = (field: string, value: string) => invalidEach(field, value, isQualifiedName(value));

export const taintEffects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function tolerationsErrors(tolerations: readonly V1Toleration[], path: string): FieldError[] {
  return tolerations.flatMap((toleration, index) => tolerationErrors(toleration, `${path}[${index}]`));
}

function tolerationErrors(toleration: V1Toleration, path: string): FieldError[] {
  const { key = "", operator = "", value = "", effect = "", tolerationSeconds } = toleration;
  const errors = key === "" ? [] : qualified(`${path}.key`, key);
  if (key === "" && operator !== "Exists") {
    const text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(`${path}.operator`, operator, text));
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute")
    errors.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  if (operator === "Equal" || operator === "") {
    const faults = isLabelValue(value);
    if (faults.length > 0) errors.push(invalid(`${path}.operator`, value, faults.join(";")));
  } else if (operator === "Exists") {
    if (value !== "")
      errors.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else errors.push(notSupported(`${path}.operator`, operator, knownOperators(operator)));
  if (effect !== "" && !taintEffects.includes(effect))
    errors.push(notSupported(`${path}.effect`, effect, taintEffects));
  return errors;
}

/** Comparing is known to this release, but off: upstream then names the operators that would do. */
const knownOperators = (operator: string) =>
  operator === "Lt" || operator === "Gt" ? ["Equal", "Exists", "Lt", "Gt"] : ["Equal", "Exists"];

export function affinityErrors(affinity: V1Affinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity;
  const errors: FieldError[] = [];
  const needed = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (needed !== undefined)
    errors.push(...nodeSelectorErrors(needed, `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`));
  const wished = nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  for (const [index, { weight = 0, preference }] of wished.entries()) {
    const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
    errors.push(...weightErrors(weight, at));
    if (preference !== undefined) errors.push(...nodeSelectorTermErrors(preference, `${at}.preference`, true));
  }
  if (podAffinity !== undefined) errors.push(...podAffinityErrors(podAffinity, `${path}.podAffinity`));
  if (podAntiAffinity !== undefined) errors.push(...podAffinityErrors(podAntiAffinity, `${path}.podAntiAffinity`));
  return errors;
}

const weightErrors = (weight: number, path: string) =>
  weight <= 0 || weight > 100 ? [invalid(`${path}.weight`, weight, "must be in the range 1-100")] : [];

export function nodeSelectorErrors(selector: V1NodeSelector, path: string): FieldError[] {
  const nodeSelectorTerms = selector.nodeSelectorTerms ?? [];
  if (nodeSelectorTerms.length === 0)
    return [required(`${path}.nodeSelectorTerms`, "must have at least one node selector term")];
  return nodeSelectorTerms.flatMap((term, index) =>
    nodeSelectorTermErrors(term, `${path}.nodeSelectorTerms[${index}]`, false),
  );
}

interface Requirement {
  key?: string;
  operator?: string;
  values?: string[];
}

function nodeSelectorTermErrors(term: V1NodeSelectorTerm, path: string, anyValue: boolean): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((expression, index) =>
      nodeRequirementErrors(expression, `${path}.matchExpressions[${index}]`, anyValue),
    ),
    ...(term.matchFields ?? []).flatMap((expression, index) =>
      nodeFieldErrors(expression, `${path}.matchFields[${index}]`),
    ),
  ];
}

function nodeRequirementErrors(
  { key = "", operator = "", values = [] }: Requirement,
  path: string,
  anyValue: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0)
      errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0)
      errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1)
      errors.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else errors.push(invalid(`${path}.operator`, operator, "not a valid selector operator"));
  errors.push(...qualified(`${path}.key`, key));
  if (anyValue) return errors;
  for (const [index, value] of values.entries())
    errors.push(...invalidEach(`${path}.values[${index}]`, value, isLabelValue(value)));
  return errors;
}

function nodeFieldErrors({ key = "", operator = "", values = [] }: Requirement, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== "In" && operator !== "NotIn")
    errors.push(invalid(`${path}.operator`, operator, "not a valid selector operator"));
  else if (values.length !== 1) {
    const text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${path}.values`, text));
  }
  if (key !== "metadata.name") return [...errors, invalid(`${path}.key`, key, "not a valid field selector key")];
  for (const [index, value] of values.entries())
    errors.push(...invalidEach(`${path}.values[${index}]`, value, isDns1123Subdomain(value)));
  return errors;
}

function podAffinityErrors(affinity: V1PodAffinity, path: string): FieldError[] {
  const needed = affinity.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const wished = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...needed.flatMap((term, index) =>
      podAffinityTermErrors(term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`),
    ),
    ...wished.flatMap(({ weight = 0, podAffinityTerm }, index) => {
      const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
      return [...weightErrors(weight, at), ...podAffinityTermErrors(podAffinityTerm ?? {}, `${at}.podAffinityTerm`)];
    }),
  ];
}

function podAffinityTermErrors(term: Partial<V1PodAffinityTerm>, path: string): FieldError[] {
  const { labelSelector, namespaceSelector, namespaces = [], topologyKey = "" } = term;
  const errors = [
    ...labelSelectorErrors(labelSelector, `${path}.labelSelector`),
    ...labelSelectorErrors(namespaceSelector, `${path}.namespaceSelector`),
    ...namespaces.flatMap((name) => invalidEach(`${path}.namespace`, name, isDns1123Label(name))),
    ...labelKeysErrors(term, path),
  ];
  if (topologyKey === "") errors.push(required(`${path}.topologyKey`, "can not be empty"));
  return [...errors, ...qualified(`${path}.topologyKey`, topologyKey)];
}

interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

interface LabelKeys {
  labelSelector?: LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
}

/**
 * Keys of the pod's own labels, which its creation merges into the selector. Upstream:
 * validateMatchLabelKeysAndMismatchLabelKeys.
 */
function labelKeysErrors(holder: LabelKeys, path: string): FieldError[] {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = holder;
  const errors = [
    ...keyNamesErrors(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`),
    ...keyNamesErrors(mismatchLabelKeys, labelSelector, `${path}.mismatchLabelKeys`),
    ...repeatedKeysErrors(matchLabelKeys, labelSelector ?? {}, path),
  ];
  const text = "exists in both matchLabelKeys and mismatchLabelKeys";
  const mismatching = new Set(mismatchLabelKeys);
  for (const [index, key] of matchLabelKeys.entries())
    if (mismatching.has(key)) errors.push(invalid(`${path}.matchLabelKeys[${index}]`, key, text));
  return errors;
}

function keyNamesErrors(keys: readonly string[], selector: LabelSelector | undefined, path: string): FieldError[] {
  if (keys.length === 0) return [];
  if (selector === undefined) return [forbidden(path, "must not be specified when labelSelector is not set")];
  return keys.flatMap((key, index) => qualified(`${path}[${index}]`, key));
}

/** A key that the selector has besides the merged one. Upstream reports it at an index of what holds the list. */
function repeatedKeysErrors(
  keys: readonly string[],
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  path: string,
): FieldError[] {
  const seen = new Set(Object.keys(matchLabels));
  const places = new Map(keys.map((key, index) => [key, index]));
  return matchExpressions.flatMap(({ key }) => {
    const index = places.get(key);
    const isRepeated = index !== undefined && seen.has(key);
    seen.add(key);
    return isRepeated ? [invalid(`${path}[${index}]`, key, "exists in both matchLabelKeys and labelSelector")] : [];
  });
}

const unsatisfiable = ["DoNotSchedule", "ScheduleAnyway"];
const inclusion = ["Honor", "Ignore"];

interface SpreadConstraint extends LabelKeys {
  maxSkew?: number;
  topologyKey?: string;
  whenUnsatisfiable?: string;
  minDomains?: number;
  nodeAffinityPolicy?: string;
  nodeTaintsPolicy?: string;
}

export function spreadErrors(constraints: readonly SpreadConstraint[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const pairs = constraints.map(
    ({ topologyKey = "", whenUnsatisfiable = "" }) => `{${topologyKey}, ${whenUnsatisfiable}}`,
  );
  const last = new Map(pairs.map((pair, index) => [pair, index]));
  for (const [index, constraint] of constraints.entries()) {
    const at = `${path}[${index}]`;
    errors.push(...spreadValueErrors(constraint, at));
    if (last.get(pairs[index]!)! > index)
      errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, pairs[index]));
    errors.push(...minDomainsErrors(constraint, `${at}.minDomains`));
    errors.push(...inclusionErrors(constraint.nodeAffinityPolicy, `${at}.nodeAffinityPolicy`));
    errors.push(...inclusionErrors(constraint.nodeTaintsPolicy, `${at}.nodeTaintsPolicy`));
    errors.push(...labelKeysErrors(constraint, at));
    errors.push(...labelSelectorErrors(constraint.labelSelector, `${at}.labelSelector`));
  }
  return errors;
}

function spreadValueErrors(
  { maxSkew = 0, topologyKey = "", whenUnsatisfiable = "" }: SpreadConstraint,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (maxSkew <= 0) errors.push(invalid(`${path}.maxSkew`, maxSkew, "must be greater than zero"));
  if (topologyKey === "") errors.push(required(`${path}.topologyKey`, "can not be empty"));
  if (!unsatisfiable.includes(whenUnsatisfiable))
    errors.push(notSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable, unsatisfiable));
  return errors;
}

function minDomainsErrors({ minDomains, whenUnsatisfiable = "" }: SpreadConstraint, field: string): FieldError[] {
  if (minDomains === undefined) return [];
  const errors = minDomains <= 0 ? [invalid(field, minDomains, "must be greater than zero")] : [];
  if (whenUnsatisfiable !== "DoNotSchedule") {
    const text = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
    errors.push(invalid(field, minDomains, text));
  }
  return errors;
}

const inclusionErrors = (policy: string | undefined, field: string) =>
  policy === undefined || inclusion.includes(policy) ? [] : [notSupported(field, policy, inclusion)];

/** Names of `spec.schedulingGates`. */
export function schedulingGatesErrors(gates: readonly { name?: string }[], path: string): FieldError[] {
  const seen = new Set<string>();
  return gates.flatMap(({ name = "" }, index) => {
    const errors = qualified(`${path}[${index}]`, name);
    if (seen.has(name)) errors.push(duplicate(`${path}[${index}]`, name));
    seen.add(name);
    return errors;
  });
}
