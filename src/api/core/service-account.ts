/** An identity for pods. Upstream: pkg/registry/core/serviceaccount/strategy.go. */
import { ageColumn, nameColumn } from "#api/columns.ts";
import type { V1ServiceAccount } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";

const mountableAnnotation = "kubernetes.io/enforce-mountable-secrets";
const mountableWarning = `metadata.annotations[${mountableAnnotation}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`;

export type ServiceAccount = V1ServiceAccount;
export const ServiceAccount = defineResource<ServiceAccount>({
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  plural: "serviceaccounts",
  shortNames: ["sa"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.ServiceAccount",
  generation: "none",
  prepareCreate: keepSecretNames,
  prepareUpdate: keepSecretNames,
  deleteReturnsObject: true,
  warnings: ({ metadata }, old) =>
    metadata.annotations?.[mountableAnnotation] === "true" &&
    old?.metadata.annotations?.[mountableAnnotation] !== "true"
      ? [mountableWarning]
      : [],
  connects: { token: { kind: "TokenRequest", group: "authentication.k8s.io", version: "v1", verbs: ["create"] } },
  columns: [nameColumn, ageColumn],
});

/** Of a reference to a secret only the name counts. */
function keepSecretNames({ secrets }: ServiceAccount): void {
  for (const [index, { name }] of (secrets ?? []).entries()) secrets![index] = name === undefined ? {} : { name };
}
