/**
 * Bearer tokens of service accounts: signed by us, for one of our audiences, of an account that is still there, bound to
 * an object that is still there or held by a Secret that still holds it. Upstream: pkg/serviceaccount/claims.go, legacy.go.
 */
import type { Clock } from "#lib/clock.ts";
import type { V1Secret, V1ServiceAccount } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { notFound, unauthorized } from "#api/status-catalogue.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import type { ServerRequest, User } from "#apiserver/request.ts";
import { addWarning } from "#apiserver/resource/warnings.ts";
import { authenticatedUser, type Authenticator } from "./authenticator.ts";
import { presentedToken } from "./presented-token.ts";
import { invalidSinceLabel } from "./secret-token-use.ts";
import { type TokenClaims, tokenBytesMax, type TokenSigner } from "./token-signer.ts";

/** Checked tokens that are kept, so that a client's every request does not cost a signature check. */
export const tokensKeptMax = 10_000;
const keptForMs = 10_000;

/** Of tokens that clusters of old made for every account. */
const generatedTokenWarning =
  "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.";

export class TokenError extends Error {}

export interface TokenIdentity {
  user: User;
  /** Those of the wanted audiences that the token is for. */
  audiences: readonly string[];
}

export class ServiceAccountTokens implements Authenticator {
  readonly #signer: TokenSigner;
  readonly #audiences: readonly string[];
  readonly #cache: ClusterCache;
  readonly #clock: Clock;
  readonly #onUse: (secret: V1Secret & KubernetesObject) => void;
  readonly #kept = new Map<string, { claims: TokenClaims; untilMs: number }>();

  /** `onUse` is told of Secrets whose tokens are shown. */
  constructor(
    signer: TokenSigner,
    audiences: readonly string[],
    cache: ClusterCache,
    clock: Clock,
    onUse: (secret: V1Secret & KubernetesObject) => void = () => undefined,
  ) {
    this.#onUse = onUse;
    this.#signer = signer;
    this.#audiences = audiences;
    this.#cache = cache;
    this.#clock = clock;
  }

  async authenticate(request: ServerRequest, warnings: string[] = []): Promise<User | undefined> {
    const token = presentedToken(request);
    if (token === undefined || token.split(".").length !== 3) return undefined;
    try {
      return (await this.identify(token, this.#audiences, warnings)).user;
    } catch {
      throw unauthorized();
    }
  }

  /** Throws TokenError (signed by us, yet not good) or any other error (not a token of ours). */
  async identify(
    token: string,
    wanted: readonly string[] = this.#audiences,
    warnings: string[] = [],
  ): Promise<TokenIdentity> {
    const claims = await this.#claims(token);
    const own = claims.aud.length === 0 ? this.#audiences : claims.aud;
    const audiences = wanted.filter((audience) => own.includes(audience));
    if (audiences.length === 0) {
      const list = (values: readonly string[]) => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
      throw new TokenError(`token audiences ${list(own)} is invalid for the target audiences ${list(wanted)}`);
    }
    if (claims.secret !== undefined) this.#checkSecret(claims, claims.secret, token);
    const { secrets = [] } = this.#checkLife(claims);
    if (secrets.some(({ name }) => name === claims.secret)) addWarning(warnings, generatedTokenWarning);
    return { user: userOf(claims), audiences };
  }

  async #claims(token: string): Promise<TokenClaims> {
    if (token.length > tokenBytesMax) throw new Error("the token is too long");
    const now = this.#clock.now();
    const kept = this.#kept.get(token);
    if (kept !== undefined && kept.untilMs > now) return kept.claims;
    const claims = await this.#signer.verify(token, now).catch((error: unknown) => {
      if ((error as { code?: string }).code === "ERR_JWT_EXPIRED")
        throw new TokenError("service account token has expired", { cause: error });
      throw error;
    });
    if (this.#kept.size >= tokensKeptMax) this.#kept.clear();
    this.#kept.set(token, { claims, untilMs: Math.min(now + keptForMs, claims.expiresAtMs) });
    return claims;
  }

  #checkSecret({ namespace, name }: TokenClaims, secretName: string, token: string): void {
    const secret = this.#object("secrets", `${namespace}/${secretName}`) as (V1Secret & KubernetesObject) | undefined;
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined)
      throw new TokenError("service account token has been invalidated");
    if (Buffer.from(secret.data?.["token"] ?? "", "base64").toString() !== token)
      throw new TokenError("service account token does not match server's copy");
    this.#onUse(secret);
    if ((secret.metadata.labels?.[invalidSinceLabel] ?? "") === "") return;
    throw new TokenError(
      `the token in secret ${namespace}/${secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidSinceLabel}' label from the secret to temporarily allow use of this token`,
    );
  }

  /** The account, and what the token is bound to, must be the same objects as when it was given out. */
  #checkLife(claims: TokenClaims): V1ServiceAccount {
    const { namespace, name, uid, bound } = claims;
    const now = this.#clock.now();
    const account = this.#object("serviceaccounts", `${namespace}/${name}`);
    if (account === undefined) throw new TokenError(notFound({ group: "", resource: "serviceaccounts" }, name).message);
    if (account.metadata.uid !== uid)
      throw new TokenError(`service account UID (${account.metadata.uid ?? ""}) does not match claim (${uid})`);
    if (isEnding(account, now)) throw new TokenError(`service account ${namespace}/${name} has been deleted`);
    if (bound === undefined) return account;
    const [plural, what] = boundPlaces[bound.kind];
    const object = this.#object(plural, bound.kind === "Node" ? bound.name : `${namespace}/${bound.name}`);
    if (object !== undefined && object.metadata.uid !== bound.uid)
      throw new TokenError(
        `${what} UID (${object.metadata.uid ?? ""}) does not match service account ${what} ref claim (${bound.uid})`,
      );
    if (object === undefined || isEnding(object, now))
      throw new TokenError("service account token has been invalidated");
    return account;
  }

  #object(plural: string, key: string): KubernetesObject | undefined {
    return this.#cache.resource(`/registry/core/${plural}/`).get(key)?.object;
  }
}

const boundPlaces = {
  Node: ["nodes", "node"],
  Pod: ["pods", "pod"],
  Secret: ["secrets", "secret"],
} as const;

/** A deleted object's tokens go on a little, so that its last words are heard. */
const graceAfterDeletionMs = 60_000;

function isEnding({ metadata }: KubernetesObject, now: number): boolean {
  return (
    metadata.deletionTimestamp !== undefined && Date.parse(metadata.deletionTimestamp) + graceAfterDeletionMs < now
  );
}

function userOf({ sub, uid, namespace, jti, bound, node }: TokenClaims): User {
  const prefix = "authentication.kubernetes.io";
  const extra: Record<string, string[]> = {};
  if (jti !== undefined) extra[`${prefix}/credential-id`] = [`JTI=${jti}`];
  if (bound?.kind === "Pod") {
    extra[`${prefix}/pod-name`] = [bound.name];
    extra[`${prefix}/pod-uid`] = [bound.uid];
  }
  if (node !== undefined) {
    extra[`${prefix}/node-name`] = [node.name];
    if (node.uid !== "") extra[`${prefix}/node-uid`] = [node.uid];
  }
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  return authenticatedUser({ name: sub, uid, groups, extra });
}
