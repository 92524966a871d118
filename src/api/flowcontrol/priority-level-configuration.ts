/** How many requests of a level run at once, and how others wait. Upstream: flowcontrol/prioritylevelconfiguration/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1PriorityLevelConfiguration } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { keepsMeta, keepsStatus } from "#api/status-strategy.ts";
import { defaultPriorityLevel, priorityLevelErrors, priorityLevelStatusErrors } from "./priority-level-rules.ts";

const queuing = "flowcontrol.v1.QueuingConfiguration";

export type PriorityLevelConfiguration = V1PriorityLevelConfiguration;
export const PriorityLevelConfiguration = defineResource<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  scope: "Cluster",
  schema: "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
  defaults: defaultPriorityLevel,
  ...keepsStatus<PriorityLevelConfiguration>("flowcontrol.v1.PriorityLevelConfigurationStatus"),
  validate: priorityLevelErrors,
  status: keepsMeta<PriorityLevelConfiguration>(priorityLevelStatusErrors),
  columns: [
    nameColumn,
    column(
      "Type",
      ["flowcontrol.v1.PriorityLevelConfigurationSpec", "type"],
      ({ spec }: PriorityLevelConfiguration) => spec?.type ?? "",
    ),
    column(
      "NominalConcurrencyShares",
      ["flowcontrol.v1.LimitedPriorityLevelConfiguration", "nominalConcurrencyShares"],
      ({ spec }: PriorityLevelConfiguration) => spec?.limited?.nominalConcurrencyShares ?? "<none>",
    ),
    column("Queues", [queuing, "queues"], (level: PriorityLevelConfiguration) => queuingOf(level)?.queues ?? "<none>"),
    column(
      "HandSize",
      [queuing, "handSize"],
      (level: PriorityLevelConfiguration) => queuingOf(level)?.handSize ?? "<none>",
    ),
    column(
      "QueueLengthLimit",
      [queuing, "queueLengthLimit"],
      (level: PriorityLevelConfiguration) => queuingOf(level)?.queueLengthLimit ?? "<none>",
    ),
    ageColumn,
  ],
});

const queuingOf = ({ spec }: PriorityLevelConfiguration) => spec?.limited?.limitResponse?.queuing;
