/** Service account tokens: signing, and reading what was signed. ES256, one key. Upstream: pkg/serviceaccount/claims.go, jwt.go. */
import { createHash, createPublicKey, randomUUID } from "node:crypto";
import { exportJWK, importPKCS8, importSPKI, jwtVerify, SignJWT, type JWK } from "jose";

export interface BoundObject {
  kind: "Pod" | "Secret" | "Node";
  name: string;
  uid: string;
}

export interface TokenSubject {
  namespace: string;
  name: string;
  uid: string;
}

export interface TokenClaims {
  sub: string;
  aud: readonly string[];
  jti: string | undefined;
  namespace: string;
  name: string;
  uid: string;
  bound: BoundObject | undefined;
  node: { name: string; uid: string } | undefined;
  expiresAtMs: number;
}

export interface TokenSigner {
  readonly issuer: string;
  sign(
    subject: TokenSubject,
    options: {
      audiences: readonly string[];
      issuedAtMs: number;
      expiresAtMs: number;
      /** From when on its bearer should have a newer one. */
      warnAfterMs?: number;
      bound?: BoundObject;
      node?: { name: string; uid: string };
    },
  ): Promise<string>;
  /** Throws for anything that this signer did not sign or that has ended. */
  verify(token: string, nowMs: number): Promise<TokenClaims>;
  /** The JSON Web Key Set that others check tokens with. */
  keys(): { keys: JWK[] };
}

const algorithm = "ES256";
/** Clocks of machines differ. As upstream's JWT library has it. */
const leewaySeconds = 60;
/** Tokens are small; a larger one is refused unread. */
export const tokenBytesMax = 16 * 1024;

interface Reference {
  name: string;
  uid: string;
}

interface Claims {
  "kubernetes.io"?: {
    namespace?: string;
    serviceaccount?: { name?: string; uid?: string };
    pod?: { name: string; uid: string };
    secret?: { name: string; uid: string };
    node?: { name: string; uid?: string };
  };
}

export async function createTokenSigner(privateKeyPem: string, issuer: string): Promise<TokenSigner> {
  const privateKey = await importPKCS8(privateKeyPem, algorithm);
  const spki = createPublicKey(privateKeyPem).export({ type: "spki", format: "pem" }).toString();
  const publicKey = await importSPKI(spki, algorithm, { extractable: true });
  const der = createPublicKey(privateKeyPem).export({ type: "spki", format: "der" });
  const kid = createHash("sha256").update(der).digest("base64url");
  const jwk: JWK = { use: "sig", ...(await exportJWK(publicKey)), kid, alg: algorithm };
  const seconds = (ms: number) => Math.floor(ms / 1000);
  return {
    issuer,
    sign(subject, { audiences, issuedAtMs, expiresAtMs, warnAfterMs, bound, node }) {
      const { namespace, name, uid } = subject;
      const reference = ({ name, uid }: Reference) => (uid === "" ? { name } : { name, uid });
      return new SignJWT({
        "kubernetes.io": {
          namespace,
          ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: reference(bound) }),
          ...(node === undefined || bound?.kind === "Node" ? {} : { node: reference(node) }),
          serviceaccount: { name, uid },
          ...(warnAfterMs === undefined ? {} : { warnafter: seconds(warnAfterMs) }),
        },
      })
        .setProtectedHeader({ alg: algorithm, kid })
        .setIssuer(issuer)
        .setSubject(`system:serviceaccount:${namespace}:${name}`)
        .setAudience([...audiences])
        .setIssuedAt(seconds(issuedAtMs))
        .setNotBefore(seconds(issuedAtMs))
        .setExpirationTime(seconds(expiresAtMs))
        .setJti(randomUUID())
        .sign(privateKey);
    },
    async verify(token, nowMs) {
      const { payload } = await jwtVerify<Claims>(token, publicKey, {
        algorithms: [algorithm],
        issuer,
        currentDate: new Date(nowMs),
        clockTolerance: leewaySeconds,
      });
      const own = payload["kubernetes.io"] ?? {};
      const { namespace = "", serviceaccount: { name = "", uid = "" } = {} } = own;
      if (payload.sub !== `system:serviceaccount:${namespace}:${name}`)
        throw new Error("the subject is no service account");
      const bound = own.pod
        ? bind("Pod", own.pod)
        : own.secret
          ? bind("Secret", own.secret)
          : own.node
            ? bind("Node", { name: own.node.name, uid: own.node.uid ?? "" })
            : undefined;
      return {
        sub: payload.sub,
        aud: [payload.aud ?? []].flat(),
        jti: payload.jti,
        namespace,
        name,
        uid,
        bound,
        node: own.node && { name: own.node.name, uid: own.node.uid ?? "" },
        expiresAtMs: (payload.exp ?? 0) * 1000,
      };
    },
    keys: () => ({ keys: [jwk] }),
  };
}

const bind = (kind: BoundObject["kind"], { name, uid }: { name: string; uid: string }): BoundObject => ({
  kind,
  name,
  uid,
});
