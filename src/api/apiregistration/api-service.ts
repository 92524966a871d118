/** Which server serves a group and version. Upstream: kube-aggregator/pkg/registry/apiservice/{strategy.go,etcd/etcd.go}. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1APIService } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { nameIsPathSegment } from "#api/validation/names.ts";
import { carryOver, keepMeta, writesStatus } from "#api/status-strategy.ts";
import { apiServiceStrategy, apiServiceStatusErrors, defaultApiService } from "./api-service-rules.ts";

export type APIService = V1APIService;
export const APIService = defineResource<APIService>({
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  plural: "apiservices",
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  allowUnconditionalUpdate: false,
  generation: "none",
  validateName: nameIsPathSegment,
  defaults: defaultApiService,
  ...apiServiceStrategy,
  status: {
    ...writesStatus<APIService>(apiServiceStatusErrors),
    prepareUpdate(service, old) {
      carryOver(service, old, "spec");
      keepMeta(service, old);
    },
    resetFields: [["metadata"], ["spec"]],
  },
  columns: [
    nameColumn,
    column("Service", "The reference to the service that hosts this API endpoint.", ({ spec }: APIService) =>
      spec?.service === undefined ? "Local" : `${spec.service.namespace ?? ""}/${spec.service.name ?? ""}`,
    ),
    column("Available", "Whether this service is available.", availableText),
    ageColumn,
  ],
});

function availableText({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (condition === undefined) return "Unknown";
  const { status: value, reason = "" } = condition;
  return value === "True" || reason === "" ? value : `${value} (${reason})`;
}
