/** Who serves an ingress. Upstream: pkg/registry/networking/ingressclass/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1IngressClass } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { ingressClassErrors } from "./ingress-class-rules.ts";

export type IngressClass = V1IngressClass;
export const IngressClass = defineResource<IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  scope: "Cluster",
  schema: "io.k8s.api.networking.v1.IngressClass",
  defaults({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= "Cluster";
  },
  validate: ingressClassErrors,
  columns: [
    nameColumn,
    column(
      "Controller",
      "Controller that is responsible for handling this class",
      (ingressClass: IngressClass) => ingressClass.spec?.controller ?? "",
    ),
    column("Parameters", "A reference to a resource with additional parameters", parametersText),
    ageColumn,
  ],
});

function parametersText({ spec }: IngressClass): string {
  if (spec?.parameters === undefined) return "<none>";
  const { apiGroup, kind, name } = spec.parameters;
  return `${kind}${apiGroup === undefined ? "" : `.${apiGroup}`}/${name}`;
}
