/** How many requests of a level run at once, and how others wait. Upstream: flowcontrol/prioritylevelconfiguration/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1PriorityLevelConfiguration } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { keepsMeta, keepsStatus } from "#api/status-strategy.ts";
import { defaultPriorityLevel, priorityLevelErrors, priorityLevelStatusErrors } from "./priority-level-rules.ts";

const queuing = "flowcontrol.v1.QueuingConfiguration";

const sharesDescription = `\`nominalConcurrencyShares\` (NCS) contributes to the computation of the NominalConcurrencyLimit (NominalCL) of this level. This is the number of execution seats available at this priority level. This is used both for requests dispatched from this priority level as well as requests dispatched from other priority levels borrowing seats from this level. The server's concurrency limit (ServerCL) is divided among the Limited priority levels in proportion to their NCS values:

NominalCL(i)  = ceil( ServerCL * NCS(i) / sum_ncs ) sum_ncs = sum[priority level k] NCS(k)

Bigger numbers mean a larger nominal concurrency limit, at the expense of every other priority level.

If not specified, this field defaults to a value of 30.

Setting this field to zero supports the construction of a "jail" for this priority level that is used to hold some request(s)`;

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
      sharesDescription,
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
