/** A namespace: its phase, its finalizers. Upstream: pkg/registry/core/namespace/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1Namespace } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { defineResource } from "#api/resource.ts";
import { invalid, invalidEach } from "#api/validation/field-errors.ts";
import { isQualifiedName, nameIsDnsLabel } from "#api/validation/names.ts";

const nameLabel = "kubernetes.io/metadata.name";
const ownFinalizer = "kubernetes";

export type Namespace = V1Namespace;
export const Namespace = defineResource<Namespace>({
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  scope: "Cluster",
  schema: "io.k8s.api.core.v1.Namespace",
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  generation: "none",
  validateName: nameIsDnsLabel,
  defaults(namespace) {
    const { metadata } = namespace;
    if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
    (namespace.status ??= {}).phase ||= "Active";
  },
  prepareCreate(namespace) {
    namespace.status = { phase: "Active" };
    const finalizers = namespace.spec?.finalizers ?? [];
    if (!finalizers.includes(ownFinalizer))
      namespace.spec = { ...namespace.spec, finalizers: [...finalizers, ownFinalizer] };
  },
  prepareUpdate(namespace, old) {
    namespace.spec = old.spec ?? {};
    namespace.status = old.status ?? {};
  },
  // Upstream reports them at the list.
  validate: ({ spec }) =>
    (spec?.finalizers ?? []).flatMap((finalizer) => namespaceFinalizerErrors(finalizer, "spec.finalizers")),
  resetFields: [["status"]],
  status: {
    prepareUpdate(namespace, old) {
      namespace.spec = old.spec ?? {};
    },
    validate: phaseErrors,
    metadataLooks: { whole: 1, form: 0 },
    resetFields: [["spec"]],
  },
  connects: { finalize: { kind: "Namespace", verbs: ["update"] } },
  columns: [
    nameColumn,
    column("Status", "The status of the namespace", (namespace: Namespace) => namespace.status?.phase ?? ""),
    ageColumn,
  ],
  fieldSelectors: { "status.phase": (namespace) => namespace.status?.phase ?? "" },
});

const standardFinalizers = new Set([ownFinalizer, "orphan", "foregroundDeletion"]);

/** Upstream: validateFinalizerName. */
export function namespaceFinalizerErrors(finalizer: string, field: string): FieldError[] {
  const errors = invalidEach(field, finalizer, isQualifiedName(finalizer));
  if (finalizer.includes("/") || standardFinalizers.has(finalizer)) return errors;
  return [...errors, invalid(field, finalizer, "name is neither a standard finalizer name nor is it fully qualified")];
}

function phaseErrors({ metadata, status }: Namespace): FieldError[] {
  const isLeaving = metadata.deletionTimestamp !== undefined;
  const wanted = isLeaving ? "Terminating" : "Active";
  if (status?.phase === wanted) return [];
  const text = `may only be '${wanted}' if \`deletionTimestamp\` is ${isLeaving ? "not " : ""}empty`;
  return [invalid("status.Phase", status?.phase ?? "", text)];
}
