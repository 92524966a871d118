/** Which requests belong to which priority level. Upstream: pkg/registry/flowcontrol/flowschema/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1FlowSchema } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { keepsMeta, keepsStatus } from "#api/status-strategy.ts";
import { flowSchemaErrors, flowSchemaStatusErrors } from "./flow-schema-rules.ts";

const spec = "flowcontrol.v1.FlowSchemaSpec";
const matchingPrecedence = 1000;

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
      [spec, "priorityLevelConfiguration"],
      (schema: FlowSchema) => schema.spec?.priorityLevelConfiguration?.name ?? "",
    ),
    column(
      "MatchingPrecedence",
      [spec, "matchingPrecedence"],
      (schema: FlowSchema) => schema.spec?.matchingPrecedence ?? 0,
    ),
    column(
      "DistinguisherMethod",
      [spec, "distinguisherMethod"],
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
