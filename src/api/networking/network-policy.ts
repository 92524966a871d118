/** Who may talk to a set of pods, and whom they may talk to. Upstream: pkg/registry/networking/networkpolicy/strategy.go. */
import { ageColumn, column, nameColumn, selectorText } from "#api/columns.ts";
import type { V1NetworkPolicy } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { networkPolicyErrors, networkPolicyWarnings } from "./network-policy-rules.ts";

const selectorDescription =
  "podSelector selects the pods to which this NetworkPolicy object applies. The array of rules is applied to any pods selected by this field. An empty selector matches all pods in the policy's namespace. Multiple network policies can select the same set of pods. In this case, the ingress rules for each are combined additively. This field is optional. If it is not specified, it defaults to an empty selector.";

export type NetworkPolicy = V1NetworkPolicy;
export const NetworkPolicy = defineResource<NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  shortNames: ["netpol"],
  scope: "Namespaced",
  schema: "io.k8s.api.networking.v1.NetworkPolicy",
  defaults({ spec }) {
    if (spec === undefined) return;
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of ports ?? []) port.protocol ??= "TCP";
    if ((spec.policyTypes ?? []).length === 0)
      spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  },
  metadataLooks: { whole: 1, form: 0 },
  validate: networkPolicyErrors,
  warnings: networkPolicyWarnings,
  columns: [
    nameColumn,
    column("Pod-Selector", selectorDescription, ({ spec }: NetworkPolicy) => selectorText(spec?.podSelector)),
    ageColumn,
  ],
});
