/** Sums that a namespace may not exceed. Upstream: pkg/registry/core/resourcequota/strategy.go, ValidateResourceQuota. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import { statusStrategy } from "#api/apps/workload.ts";
import type { V1ResourceQuota, V1ResourceQuotaSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { canonicalQuantity, roundResourceList } from "#api/quantity.ts";
import { defineResource } from "#api/resource.ts";
import { goJson } from "#api/go-text.ts";
import { invalid, raw, required } from "#api/validation/field-errors.ts";
import { immutableError } from "#api/validation/values.ts";
import { isHugePages, quantityValueErrors, resourceNameErrors } from "./resource-names.ts";

const standardNames = new Set([
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.storage",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "persistentvolumeclaims",
  "configmaps",
  "services.nodeports",
  "services.loadbalancers",
]);
const isStandardName = (name: string) =>
  standardNames.has(name) || isHugePages(name) || name.startsWith("requests.hugepages-");

/** What quotas of some pods only may bound. */
const ofPods = new Set(["pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);
const ofClaims = new Set(["persistentvolumeclaims", "requests.storage"]);
const onlyPods = new Set(["pods"]);
const scopes: Readonly<Record<string, ReadonlySet<string>>> = {
  Terminating: ofPods,
  NotTerminating: ofPods,
  BestEffort: onlyPods,
  NotBestEffort: ofPods,
  PriorityClass: ofPods,
  CrossNamespacePodAffinity: ofPods,
  VolumeAttributesClass: ofClaims,
};
/** These select without values. */
const plainScopes = new Set([
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "CrossNamespacePodAffinity",
]);
const contradictions = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

export type ResourceQuota = V1ResourceQuota;
export const ResourceQuota = defineResource<ResourceQuota>({
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  shortNames: ["quota"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.ResourceQuota",
  generation: "none",
  metadataLooks: { whole: 1, form: 0 },
  deleteReturnsObject: true,
  defaults({ spec, status }) {
    for (const amounts of [spec?.hard, status?.hard, status?.used]) roundResourceList(amounts);
  },
  prepareCreate(quota) {
    quota.status = {};
  },
  prepareUpdate(quota, old) {
    quota.status = old.status!;
  },
  resetFields: [["status"]],
  validate: ({ spec }, old) => [
    ...specErrors(spec ?? {}),
    ...(old === undefined ? [] : scopeUpdateErrors(spec?.scopes ?? [], old.spec?.scopes ?? [])),
  ],
  status: {
    ...statusStrategy<ResourceQuota>(({ status }) => [
      ...amountsErrors(status?.hard, "status.hard"),
      ...amountsErrors(status?.used, "status.used"),
    ]),
    metadataLooks: { whole: 1, form: 0 },
  },
  columns: [
    nameColumn,
    column(
      "Request",
      "Request represents a minimum amount of cpu/memory that a container may consume.",
      (quota: ResourceQuota) => usageText(quota, (name) => !name.startsWith("limits.")),
    ),
    column(
      "Limit",
      "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.",
      (quota: ResourceQuota) => usageText(quota, (name) => name.startsWith("limits.")),
    ),
    ageColumn,
  ],
});

/** "cpu: 1/2, pods: 3/10" */
function usageText({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  const { hard = {}, used = {} } = status ?? {};
  const names = Object.keys(hard).filter(isShown).sort();
  return names.map((name) => `${name}: ${used[name] ?? "0"}/${hard[name]}`).join(", ");
}

function amountsErrors(amounts: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const field = `${path}[${name}]`;
    const errors = resourceNameErrors(name, field);
    if (!name.includes("/") && !isStandardName(name))
      errors.push(invalid(field, name, "must be a standard resource for quota"));
    return [...errors, ...quantityValueErrors(name, canonicalQuantity(amount), field)];
  });
}

function specErrors(spec: V1ResourceQuotaSpec): FieldError[] {
  const { hard = {}, scopes: given, scopeSelector } = spec;
  const names = Object.keys(hard).sort();
  const shown = raw(goJson(given ?? null));
  return [
    ...amountsErrors(hard, "spec.hard"),
    ...(given ?? []).flatMap((scope) => scopeErrors(scope, names, shown, "spec.scopes", "spec.scopes", shown)),
    ...contradictionErrors(given ?? [], shown, "spec.scopes"),
    ...(scopeSelector === undefined ? [] : selectorErrors(scopeSelector, names, shown)),
  ];
}

function scopeErrors(
  scope: string,
  names: readonly string[],
  shown: unknown,
  field: string,
  unknownField: string,
  unknownShown: unknown,
): FieldError[] {
  const allowed = scopes[scope];
  if (allowed === undefined) return [invalid(unknownField, unknownShown, "unsupported scope")];
  return names
    .filter((name) => isStandardName(name) && !allowed.has(name))
    .map(() => invalid(field, shown, "unsupported scope applied to resource"));
}

const contradictionErrors = (given: readonly string[], shown: unknown, field: string): FieldError[] =>
  contradictions.flatMap((pair) =>
    pair.every((scope) => given.includes(scope)) ? [invalid(field, shown, "conflicting scopes")] : [],
  );

type Selector = NonNullable<V1ResourceQuotaSpec["scopeSelector"]>;

/** `scopesShown`: upstream shows the scopes of the spec where those of the selector conflict. */
function selectorErrors(selector: Selector, names: readonly string[], scopesShown: unknown): FieldError[] {
  const path = "spec.scopeSelector.matchExpressions";
  const requirements = selector.matchExpressions ?? [];
  const shown = raw(goJson(selector));
  const errors = requirements.flatMap(({ scopeName, operator, values }) => [
    ...scopeErrors(scopeName, names, shown, path, `${path}.scopeName`, scopeName),
    ...operatorErrors(scopeName, operator, values ?? [], path),
  ]);
  const given = requirements.map(({ scopeName }) => scopeName);
  return [...errors, ...contradictionErrors(given, scopesShown, path)];
}

const plainText =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";

function operatorErrors(scope: string, operator: string, values: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (plainScopes.has(scope) && operator !== "Exists") errors.push(invalid(`${path}.operator`, operator, plainText));
  const needsValues = operator === "In" || operator === "NotIn";
  if (!needsValues && operator !== "Exists" && operator !== "DoesNotExist")
    return [...errors, invalid(`${path}.operator`, operator, "not a valid selector operator")];
  if (needsValues && values.length === 0)
    errors.push(
      required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"),
    );
  if (!needsValues && values.length > 0)
    errors.push(
      invalid(
        `${path}.values`,
        values,
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      ),
    );
  return errors;
}

function scopeUpdateErrors(now: readonly string[], before: readonly string[]): FieldError[] {
  const same = now.every((scope) => before.includes(scope)) && before.every((scope) => now.includes(scope));
  return same ? [] : [invalid("spec.scopes", now.length === 0 ? null : now, immutableError)];
}
