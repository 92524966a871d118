/** Service account tokens: signing, and reading what was signed. ES256, one key. Upstream: pkg/serviceaccount/{claims,legacy,jwt}.go. */
import { createHash, createPublicKey, randomUUID } from "node:crypto";
import { exportJWK, importPKCS8, importSPKI, jwtVerify, SignJWT, type JWK, type JWTPayload } from "jose";

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
  /** Empty: for whoever the server is by itself. */
  aud: readonly string[];
  jti: string | undefined;
  namespace: string;
  name: string;
  uid: string;
  bound: BoundObject | undefined;
  /** The Secret whose token this is. */
  secret?: string;
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
  /** The token that a Secret holds: it does not end by itself. */
  signForSecret(subject: TokenSubject, secret: string): Promise<string>;
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

const subjectOf = ({ namespace, name }: Pick<TokenSubject, "namespace" | "name">): string =>
  `system:serviceaccount:${namespace}:${name}`;

/** Of tokens that Secrets hold. */
const secretIssuer = "kubernetes/serviceaccount";
const secretClaims = {
  namespace: "kubernetes.io/serviceaccount/namespace",
  secret: "kubernetes.io/serviceaccount/secret.name",
  name: "kubernetes.io/serviceaccount/service-account.name",
  uid: "kubernetes.io/serviceaccount/service-account.uid",
} as const;

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
        .setSubject(subjectOf(subject))
        .setAudience([...audiences])
        .setIssuedAt(seconds(issuedAtMs))
        .setNotBefore(seconds(issuedAtMs))
        .setExpirationTime(seconds(expiresAtMs))
        .setJti(randomUUID())
        .sign(privateKey);
    },
    signForSecret(subject, secret) {
      return new SignJWT({
        [secretClaims.namespace]: subject.namespace,
        [secretClaims.secret]: secret,
        [secretClaims.name]: subject.name,
        [secretClaims.uid]: subject.uid,
      })
        .setProtectedHeader({ alg: algorithm, kid })
        .setIssuer(secretIssuer)
        .setSubject(subjectOf(subject))
        .sign(privateKey);
    },
    async verify(token, nowMs) {
      const { payload } = await jwtVerify<Claims>(token, publicKey, {
        algorithms: [algorithm],
        issuer: [issuer, secretIssuer],
        currentDate: new Date(nowMs),
        clockTolerance: leewaySeconds,
      });
      if (payload.iss === secretIssuer) return claimsForSecret(payload);
      const own = payload["kubernetes.io"] ?? {};
      const { namespace = "", serviceaccount: { name = "", uid = "" } = {} } = own;
      if (payload.sub !== subjectOf({ namespace, name })) throw new Error("the subject is no service account");
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

function claimsForSecret(payload: JWTPayload): TokenClaims {
  const claim = (name: string): string => {
    const text = payload[name];
    if (typeof text !== "string" || text === "") throw new Error(`${name} claim is missing`);
    return text;
  };
  const namespace = claim(secretClaims.namespace);
  const name = claim(secretClaims.name);
  const { sub = "" } = payload;
  if (sub !== subjectOf({ namespace, name })) throw new Error("sub claim is invalid");
  return {
    sub,
    aud: [],
    jti: undefined,
    namespace,
    name,
    uid: claim(secretClaims.uid),
    bound: undefined,
    secret: claim(secretClaims.secret),
    node: undefined,
    expiresAtMs: Infinity,
  };
}

const bind = (kind: BoundObject["kind"], { name, uid }: { name: string; uid: string }): BoundObject => ({
  kind,
  name,
  uid,
});
