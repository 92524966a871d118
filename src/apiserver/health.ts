/** /healthz, /livez, /readyz and their single checks. Upstream: apiserver/pkg/server/healthz. */
import { type Answer, pageNotFound, textAnswer } from "./answer.ts";
import type { Store } from "#store/store.ts";
import type { ClusterCache } from "./cache/cluster-cache.ts";
import type { ServerRequest } from "./request.ts";

export interface HealthCheck {
  readonly name: string;
  /** Which of the three ask it. */
  readonly of: readonly ("healthz" | "livez" | "readyz")[];
  isGood(): boolean;
}

type Kind = HealthCheck["of"][number];
const all: readonly Kind[] = ["healthz", "livez", "readyz"];

/** The names that upstream's checks have, where this server has such a part. */
export function healthChecks(cache: ClusterCache, store: Store, isClosing: () => boolean): HealthCheck[] {
  const check = (name: string, isGood: () => boolean, of: readonly Kind[] = all): HealthCheck => ({ name, of, isGood });
  const holds = (kind: string) => () => cache.resource(`/registry/${kind}/`).entries.size > 0;
  return [
    check("ping", () => true),
    check("log", () => true),
    check("etcd", () => store.revision > 0),
    check("etcd-readiness", () => store.revision > 0, ["readyz"]),
    check("informer-sync", () => cache.revision > 0, ["readyz"]),
    check("poststarthook/start-system-namespaces-controller", holds("core/namespaces")),
    check("poststarthook/rbac/bootstrap-roles", holds("rbac.authorization.k8s.io/clusterroles")),
    check("poststarthook/scheduling/bootstrap-system-priority-classes", holds("scheduling.k8s.io/priorityclasses")),
    check("poststarthook/apiservice-discovery-controller", () => true),
    check("autoregister-completion", () => true),
    check("shutdown", () => !isClosing(), ["readyz"]),
  ];
}

/** Where they are asked, all and each. */
export const healthPaths = (checks: readonly HealthCheck[]): string[] =>
  all.flatMap((kind) => [
    `/${kind}`,
    ...checks.filter(({ of }) => of.includes(kind)).map(({ name }) => `/${kind}/${name}`),
  ]);

/** undefined: not a path of ours. */
export type Health = (path: string, request: ServerRequest) => Answer | undefined;

export function createHealth(checks: readonly HealthCheck[]): Health {
  return (path, request) => {
    const match = /^\/(healthz|livez|readyz)(?:\/(.*))?$/.exec(path);
    if (match === null) return undefined;
    const kind = match[1] as "healthz" | "livez" | "readyz";
    const mine = checks.filter((check) => check.of.includes(kind));
    if (match[2] === undefined) return whole(kind, mine, request);
    const check = mine.find(({ name }) => name === match[2]);
    if (check === undefined) return pageNotFound();
    return check.isGood() ? textAnswer("ok") : textAnswer(`internal server error: ${check.name}\n`, 500);
  };
}

function whole(kind: string, checks: readonly HealthCheck[], { query }: ServerRequest): Answer {
  const excluded = new Set(query.all("exclude"));
  const lines: string[] = [];
  let isGood = true;
  for (const check of checks) {
    if (excluded.delete(check.name)) lines.push(`[+]${check.name} excluded: ok`);
    else if (check.isGood()) lines.push(`[+]${check.name} ok`);
    else {
      isGood = false;
      lines.push(`[-]${check.name} failed: reason withheld`);
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(", ");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  if (!isGood) return textAnswer(`${lines.join("\n")}\n${kind} check failed\n`, 500);
  return textAnswer(query.has("verbose") ? `${lines.join("\n")}\n${kind} check passed\n` : "ok");
}
