/** Tokens for pods, bound to them: asked for once, kept in memory, renewed when four fifths of their time are over. */
import { type Clock } from "#lib/clock.ts";
import type { Pod } from "#api/core/pod.ts";
import { ServiceAccount } from "#api/core/service-account.ts";
import type { AuthenticationV1TokenRequest } from "#api/generated/types.ts";
import type { Client } from "#client/client.ts";

interface Kept {
  readonly token: string;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

const lifeShare = 0.8;
const renewMsMax = 24 * 3600 * 1000;

export class ServiceAccountTokens {
  readonly #kept = new Map<string, Map<string, Kept>>();
  readonly #client: Client;
  readonly #clock: Clock;

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Fetches what the pod's projected volumes need; after that `token` knows them. */
  async fetch(pod: Pod): Promise<void> {
    for (const { projected } of pod.spec?.volumes ?? [])
      for (const { serviceAccountToken: wanted } of projected?.sources ?? [])
        if (wanted !== undefined) await this.#renew(pod, wanted.audience ?? "", wanted.expirationSeconds ?? 3600);
  }

  token({ metadata }: Pod, audience: string, expirationSeconds: number): string {
    const kept = this.#kept.get(metadata.uid ?? "")?.get(keyOf(audience, expirationSeconds));
    if (kept === undefined) throw new Error("failed to fetch token: none was asked for");
    return kept.token;
  }

  /** When the first of a pod's tokens wants to be renewed. */
  renewAtMs({ metadata }: Pod): number | undefined {
    const kept = this.#kept.get(metadata.uid ?? "");
    return kept === undefined ? undefined : Math.min(...[...kept.values()].map(({ renewAtMs }) => renewAtMs));
  }

  forget(podUid: string): void {
    this.#kept.delete(podUid);
  }

  async #renew(pod: Pod, audience: string, expirationSeconds: number): Promise<void> {
    const uid = pod.metadata.uid ?? "";
    const known = this.#kept.get(uid) ?? new Map<string, Kept>();
    this.#kept.set(uid, known);
    const key = keyOf(audience, expirationSeconds);
    const kept = known.get(key);
    const now = this.#clock.now();
    if (kept !== undefined && kept.renewAtMs > now) return;
    try {
      known.set(key, await this.#ask(pod, audience, expirationSeconds, now));
    } catch (error) {
      // The old one serves as long as it is valid; the next look tries again.
      if (kept === undefined || kept.expiresAtMs <= now)
        throw new Error(`failed to fetch token: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      known.set(key, { ...kept, renewAtMs: now + retryMs });
    }
  }

  async #ask({ metadata, spec }: Pod, audience: string, expirationSeconds: number, now: number): Promise<Kept> {
    const { name, namespace, uid } = metadata;
    const request = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: {},
      spec: {
        audiences: audience === "" ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    };
    const account = { namespace, name: spec?.serviceAccountName ?? "default" };
    const answer = await this.#client.createSubresource(ServiceAccount, account, "token", request);
    const { status } = answer as unknown as AuthenticationV1TokenRequest;
    if (status?.token === undefined || status.expirationTimestamp === undefined)
      throw new Error("the server answered without a token");
    const expiresAtMs = Date.parse(status.expirationTimestamp);
    const life = expiresAtMs - now;
    return { token: status.token, expiresAtMs, renewAtMs: now + Math.min(renewMsMax, life * lifeShare) };
  }
}

const retryMs = 30_000;
const keyOf = (audience: string, expirationSeconds: number): string => `${expirationSeconds} ${audience}`;
