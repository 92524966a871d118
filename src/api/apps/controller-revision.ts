/** One remembered state of a workload's template. Upstream: pkg/registry/apps/controllerrevision/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1ControllerRevision } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { required } from "#api/validation/field-errors.ts";
import { immutable, nonNegative } from "#api/validation/values.ts";

export type ControllerRevision = V1ControllerRevision;
export const ControllerRevision = defineResource<ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  scope: "Namespaced",
  schema: "io.k8s.api.apps.v1.ControllerRevision",
  generation: "none",
  validate({ data, revision }, old) {
    const errors =
      data === undefined || data === null
        ? [required("data", "data is mandatory")]
        : typeof data === "object" && !Array.isArray(data)
          ? []
          : [required("data", "data must be a valid JSON object")];
    errors.push(...nonNegative("revision", revision));
    return old === undefined ? errors : [...errors, ...immutable("data", data, old.data)];
  },
  columns: [
    nameColumn,
    column("Controller", "Controller of the object", controllerText),
    column("Revision", ["apps.v1.ControllerRevision", "revision"], ({ revision }: ControllerRevision) => revision ?? 0),
    ageColumn,
  ],
});

function controllerText({ metadata }: ControllerRevision): string {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller === true);
  if (owner === undefined) return "<none>";
  const group = owner.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0]}` : "";
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}
