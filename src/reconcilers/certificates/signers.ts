/** What each of the cluster's own signers insists on. Upstream: pkg/apis/certificates/helpers.go, pkg/controller/certificates/signer. */
import type { RequestFacts } from "./signing-request.ts";

export const kubeletClientSigner = "kubernetes.io/kube-apiserver-client-kubelet";

type Rule = (facts: RequestFacts, usages: readonly string[]) => string | undefined;

const clientUsages = ["client auth", "digital signature", "key encipherment"];
const servingUsages = ["digital signature", "key encipherment", "server auth"];

/** Finds the first fault of a request, for signers that are ours. */
export const signers: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["kubernetes.io/kube-apiserver-client", apiClientFault],
  [kubeletClientSigner, kubeletClientFault],
  ["kubernetes.io/kubelet-serving", kubeletServingFault],
  ["kubernetes.io/legacy-unknown", () => undefined],
]);

function apiClientFault(_: RequestFacts, usages: readonly string[]): string | undefined {
  const foreign = usages.find((usage) => !clientUsages.includes(usage));
  if (foreign !== undefined) return `invalid usage for client certificate: ${foreign}`;
  return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
}

export function kubeletClientFault(facts: RequestFacts, usages: readonly string[]): string | undefined {
  if (!isOfNodes(facts)) return "subject organization is not system:nodes";
  if (facts.dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (facts.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (facts.ipAddresses.length > 0) return "IP subjectAltNames are not allowed";
  if (facts.uris.length > 0) return "URI subjectAltNames are not allowed";
  return nodeNameFault(facts) ?? usageFault(usages, clientUsages);
}

function kubeletServingFault(facts: RequestFacts, usages: readonly string[]): string | undefined {
  if (!isOfNodes(facts)) return "subject organization is not system:nodes";
  if (facts.dnsNames.length === 0 && facts.ipAddresses.length === 0) return "DNS or IP subjectAltName is required";
  if (facts.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (facts.uris.length > 0) return "URI subjectAltNames are not allowed";
  return nodeNameFault(facts) ?? usageFault(usages, servingUsages);
}

const isOfNodes = ({ organizations }: RequestFacts): boolean =>
  organizations.length === 1 && organizations[0] === "system:nodes";

function nodeNameFault({ commonName }: RequestFacts): string | undefined {
  return commonName.startsWith("system:node:") ? undefined : "subject common name does not begin with system:node:";
}

/** Keys that are not RSA need no key encipherment. */
function usageFault(usages: readonly string[], required: readonly string[]): string | undefined {
  const given = new Set(usages);
  const asked = required.filter((usage) => usage !== "key encipherment" || given.has(usage));
  const fits = given.size === asked.length && asked.every((usage) => given.has(usage));
  return fits ? undefined : `usages did not match [${required.join(" ")}]`;
}
