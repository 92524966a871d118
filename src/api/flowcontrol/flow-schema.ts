/** Which requests belong to which priority level. Upstream: pkg/registry/flowcontrol/flowschema/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1FlowSchema } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { keepsMeta, keepsStatus } from "#api/status-strategy.ts";
import { flowSchemaErrors, flowSchemaStatusErrors } from "./flow-schema-rules.ts";

const spec = "flowcontrol.v1.FlowSchemaSpec";
const matchingPrecedence = 1000;

const levelDescription =
  "`priorityLevelConfiguration` should reference a PriorityLevelConfiguration in the cluster. If the reference cannot be resolved, the FlowSchema will be ignored and marked as invalid in its status. Required.";
const methodDescription =
  "`distinguisherMethod` defines how to compute the flow distinguisher for requests that match this schema. `nil` specifies that the distinguisher is disabled and thus will always be the empty string.";

export type FlowSchema = V1FlowSchema;
export const FlowSchema = defineResource<FlowSchema>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  plural: "flowschemas",
  scope: "Cluster",
  schema: "io.k8s.api.flowcontrol.v1.FlowSchema",
  defaults(schema) {
    if (schema.spec !== undefined) schema.spec.matchingPrecedence ||= matchingPrecedence;
  },
  ...keepsStatus<FlowSchema>("flowcontrol.v1.FlowSchemaStatus"),
  validate: flowSchemaErrors,
  status: keepsMeta<FlowSchema>(flowSchemaStatusErrors),
  columns: [
    nameColumn,
    column(
      "PriorityLevel",
      levelDescription,
      (schema: FlowSchema) => schema.spec?.priorityLevelConfiguration?.name ?? "",
    ),
    column(
      "MatchingPrecedence",
      [spec, "matchingPrecedence"],
      (schema: FlowSchema) => schema.spec?.matchingPrecedence ?? 0,
    ),
    column(
      "DistinguisherMethod",
      methodDescription,
      (schema: FlowSchema) => schema.spec?.distinguisherMethod?.type ?? "<none>",
    ),
    ageColumn,
    column(
      "MissingPL",
      "references a broken or non-existent PriorityLevelConfiguration",
      (schema: FlowSchema) => schema.status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?",
    ),
  ],
});
