/** The tokens with which machines join, as kubeadm keeps them: Secrets in kube-system. Upstream: cluster-bootstrap. */
import type { Secret } from "#api/core/secret.ts";

export const tokenNamespace = "kube-system";
const tokenType = "bootstrap.kubernetes.io/token";
const namePrefix = "bootstrap-token-";

export interface BootstrapToken {
  id: string;
  secret: string;
  /** Milliseconds since the epoch; Infinity for one that lasts; NaN for a text that is no time. */
  expiresAt: number;
  signs: boolean;
}

export function isBootstrapToken({ metadata, type }: Secret): boolean {
  return metadata.namespace === tokenNamespace && type === tokenType;
}

/** Undefined if its parts do not fit together. */
export function bootstrapTokenOf(secret: Secret): BootstrapToken | undefined {
  if (!isBootstrapToken(secret)) return undefined;
  const text = (key: string): string => Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  const [id, password, expiration] = [text("token-id"), text("token-secret"), text("expiration")];
  if (!/^[a-z0-9]{6}$/.test(id) || password === "" || secret.metadata.name !== namePrefix + id) return undefined;
  const expiresAt = expiration === "" ? Infinity : Date.parse(expiration);
  return { id, secret: password, expiresAt, signs: text("usage-bootstrap-signing") === "true" };
}
