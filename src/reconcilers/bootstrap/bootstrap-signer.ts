/**
 * Signs the public description of the cluster with every join token, so that who holds a token knows whom to trust.
 * Upstream: pkg/controller/bootstrap/bootstrapsigner.go.
 */
import { createHmac } from "node:crypto";
import { ConfigMap } from "#api/core/config-map.ts";
import { Secret } from "#api/core/secret.ts";
import { defineReconciler, trigger, update, wake, type View } from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { bootstrapTokenOf, isBootstrapToken, tokenNamespace, type BootstrapToken } from "./bootstrap-token.ts";

const clusterInfo = { namespace: "kube-public", name: "cluster-info" };
const signaturePrefix = "jws-kubeconfig-";

export const bootstrapSignerReconciler = defineReconciler<ConfigMap>({
  name: "bootstrap-signer",
  watches: ConfigMap,
  also: [trigger(Secret, (secret) => (isBootstrapToken(secret) ? [clusterInfo] : []))],
  reconcile(configMap, view, { now }) {
    const { namespace, name, deletionTimestamp } = configMap.metadata;
    const isInfo = namespace === clusterInfo.namespace && name === clusterInfo.name;
    const content = configMap.data?.["kubeconfig"];
    if (!isInfo || content === undefined || deletionTimestamp !== undefined) return [];
    const tokens = tokensOf(view, now);
    const kept = Object.entries(configMap.data ?? {}).filter(([key]) => !key.startsWith(signaturePrefix));
    const signed = tokens.map((token) => [signaturePrefix + token.id, detachedSignature(content, token)]);
    const data = Object.fromEntries([...kept, ...signed]) as Record<string, string>;
    const ends = tokens.map(({ expiresAt }) => expiresAt).filter(Number.isFinite);
    const wakes = ends.length === 0 ? [] : [wake(Math.min(...ends))];
    return canonical(data) === canonical(configMap.data ?? {})
      ? wakes
      : [update(ConfigMap, { ...configMap, data }), ...wakes];
  },
});

function tokensOf(view: View, now: number): BootstrapToken[] {
  return view.list(Secret, tokenNamespace).flatMap((secret) => {
    const token = bootstrapTokenOf(secret);
    return token === undefined || !token.signs || !(token.expiresAt > now) ? [] : [token];
  });
}

/** A JSON web signature (HS256) without its payload. */
export function detachedSignature(content: string, { id, secret }: Pick<BootstrapToken, "id" | "secret">): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: id })).toString("base64url");
  const payload = Buffer.from(content, "utf8").toString("base64url");
  const signature = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url");
  return `${header}..${signature}`;
}
