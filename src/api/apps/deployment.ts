/** Pods that are replaced step by step when their template changes. Upstream: pkg/registry/apps/deployment/strategy.go. */
import { ageColumn, column, containerColumns, nameColumn, selectorText, wide } from "#api/columns.ts";
import type { V1Deployment } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";

const status = "apps.v1.DeploymentStatus";

export type Deployment = V1Deployment;
export const Deployment = defineResource<Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.apps.v1.Deployment",
  status: {},
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", labelSelector: ".status.selector" },
  columns: [
    nameColumn,
    column(
      "Ready",
      "Number of the pod with ready state",
      (deployment: Deployment) => `${deployment.status?.readyReplicas ?? 0}/${deployment.spec?.replicas ?? 0}`,
    ),
    column(
      "Up-to-date",
      [status, "updatedReplicas"],
      (deployment: Deployment) => deployment.status?.updatedReplicas ?? 0,
    ),
    column(
      "Available",
      [status, "availableReplicas"],
      (deployment: Deployment) => deployment.status?.availableReplicas ?? 0,
    ),
    ageColumn,
    ...containerColumns((deployment: Deployment) => deployment.spec?.template),
    column(
      "Selector",
      "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.",
      (deployment: Deployment) => selectorText(deployment.spec?.selector),
      wide,
    ),
  ],
});
