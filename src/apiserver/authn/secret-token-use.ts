/**
 * Notes on which day the token of a Secret was last used, and since when such notes are taken: what nobody uses can be cleaned
 * up. Upstream: pkg/serviceaccount/legacy.go, pkg/controlplane/controller/legacytokentracking.
 */
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { V1Secret } from "#api/generated/types.ts";
import type { Status } from "#api/status-error.ts";
import { readSystemConfigMap, writeSystemConfigMap } from "#apiserver/bootstrap/system-config-map.ts";
import type { LocalTransport } from "#apiserver/transport.ts";

export const invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";
const lastUsedLabel = "kubernetes.io/legacy-token-last-used";
export const tokenTrackingName = "kube-apiserver-legacy-service-account-token-tracking";
const contentType = "application/merge-patch+json";
const dayMs = 24 * 3_600_000;

/** "2026-01-31". */
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export interface SecretTokenUse {
  note(secret: V1Secret): void;
}

export function secretTokenUse(transport: LocalTransport, clock: Clock, log: Logger): SecretTokenUse {
  const writing = new Set<string>();
  return {
    note({ metadata: { namespace = "", name: secret = "", labels } = {} }) {
      const now = clock.now();
      const today = dayOf(now);
      const known = labels?.[lastUsedLabel];
      const path = `/api/v1/namespaces/${namespace}/secrets/${secret}`;
      // The clock of another server may be ahead.
      if (known === today || known === dayOf(now + dayMs) || writing.has(path)) return;
      writing.add(path);
      const body = { metadata: { labels: { [lastUsedLabel]: today } } };
      transport
        .request({ method: "PATCH", path, contentType, body })
        .then(({ code, body: answer }) => {
          if (code < 300 || code === 404) return;
          log.error("the use of a token was not noted", { path, message: (answer as Status).message });
        })
        .finally(() => writing.delete(path))
        .catch((error: unknown) => log.error("the use of a token was not noted", { path, error: error as Error }));
    },
  };
}

export async function keepTokenTracking(transport: LocalTransport, clock: Clock, log: Logger): Promise<void> {
  const data = { since: dayOf(clock.now()) };
  const since = (await readSystemConfigMap(transport, tokenTrackingName))?.data?.["since"] ?? "";
  if (/^\d{4}-\d\d-\d\d$/.test(since) && !Number.isNaN(Date.parse(since))) return;
  const message = await writeSystemConfigMap(transport, tokenTrackingName, data);
  if (message !== undefined) log.error("it could not be said since when the use of tokens is noted", { message });
}
