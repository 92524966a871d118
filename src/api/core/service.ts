/** A name and an address in front of pods. Upstream: pkg/registry/core/service/strategy.go. */
import { ageColumn, column, labelsText, nameColumn, wide } from "#api/columns.ts";
import type { V1Service } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { nameIsDnsLabel } from "#api/validation/names.ts";
import { defaultService } from "./service-defaults.ts";
import { serviceStatusStrategy, serviceStrategy } from "./service-strategy.ts";
import { externalAddressText, portsText } from "./service-columns.ts";

const spec = "core.v1.ServiceSpec";

export type Service = V1Service;
export const Service = defineResource<Service>({
  group: "",
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.Service",
  generation: "none",
  validateName: nameIsDnsLabel,
  defaults: defaultService,
  ...serviceStrategy,
  status: serviceStatusStrategy,
  allowCreateOnUpdate: true,
  deleteReturnsObject: true,
  connects: { proxy: { kind: "ServiceProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] } },
  columns: [
    nameColumn,
    column("Type", [spec, "type"], (service: Service) => service.spec?.type ?? ""),
    column("Cluster-IP", [spec, "clusterIP"], (service: Service) => service.spec?.clusterIPs?.[0] ?? "<none>"),
    column("External-IP", [spec, "externalIPs"], externalAddressText),
    column("Port(s)", [spec, "ports"], portsText),
    ageColumn,
    column("Selector", [spec, "selector"], (service: Service) => labelsText(service.spec?.selector), wide),
  ],
  fieldSelectors: {
    "spec.clusterIP": (service) => service.spec?.clusterIP ?? "",
    "spec.type": (service) => service.spec?.type ?? "",
  },
});
