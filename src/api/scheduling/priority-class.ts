/** Names for priorities of pods. Upstream: pkg/registry/scheduling/priorityclass/strategy.go. */
import { ageColumn, column, integer, nameColumn } from "#api/columns.ts";
import type { V1PriorityClass } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { defineResource } from "#api/resource.ts";
import { forbidden } from "#api/validation/field-errors.ts";
import { immutable, oneOf } from "#api/validation/values.ts";

const type = "scheduling.v1.PriorityClass";
const userPriorityMax = 1_000_000_000;
const policies = ["PreemptLowerPriority", "Never"];
const systemPrefix = "system-";
const systemClasses: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

export type PriorityClass = V1PriorityClass;
export const PriorityClass = defineResource<PriorityClass>({
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  shortNames: ["pc"],
  scope: "Cluster",
  schema: "io.k8s.api.scheduling.v1.PriorityClass",
  // Made with 1 and never counted.
  generation: () => false,
  defaults(priority) {
    priority.preemptionPolicy ??= "PreemptLowerPriority";
  },
  metadataLooks: { whole: 1, form: 0 },
  validate: (priority, old) =>
    old === undefined
      ? [...valueErrors(priority), ...oneOf("preemptionPolicy", priority.preemptionPolicy, policies)]
      : updateErrors(priority, old),
  columns: [
    nameColumn,
    column("Value", [type, "value"], (priority: PriorityClass) => priority.value ?? 0, integer),
    column("Global-Default", [type, "globalDefault"], (priority: PriorityClass) => priority.globalDefault ?? false, {
      type: "boolean",
    }),
    ageColumn,
    column(
      "PreemptionPolicy",
      [type, "preemptionPolicy"],
      (priority: PriorityClass) => priority.preemptionPolicy ?? "",
    ),
  ],
});

export const isSystemPriorityClass = (name: string): boolean => Object.hasOwn(systemClasses, name);

function valueErrors({ metadata, value = 0, globalDefault = false }: PriorityClass): FieldError[] {
  const { name = "" } = metadata;
  if (name.startsWith(systemPrefix)) {
    const fault = systemFault(name, value, globalDefault);
    const text = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${fault}`;
    return fault === undefined ? [] : [forbidden("metadata.name", text)];
  }
  const text = `maximum allowed value of a user defined priority is ${userPriorityMax}`;
  return value > userPriorityMax ? [forbidden("value", text)] : [];
}

function systemFault(name: string, value: number, isDefault: boolean): string | undefined {
  if (!isSystemPriorityClass(name)) return `${name} is not a known system priority class`;
  const known = systemClasses[name];
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return isDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

const updateErrors = (priority: PriorityClass, old: PriorityClass): FieldError[] => [
  ...((priority.value ?? 0) === (old.value ?? 0) ? [] : [forbidden("value", "may not be changed in an update.")]),
  ...immutable("preemptionPolicy", priority.preemptionPolicy, old.preemptionPolicy),
];
