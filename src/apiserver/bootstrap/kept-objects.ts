/**
 * Objects that a cluster cannot do without: when one goes, the server makes it again. Upstream: pkg/controlplane/controller/
 * {systemnamespaces,kubernetesservice,clusterauthenticationtrust,legacytokentracking}.
 */
import type { Logger } from "#lib/log.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";

export interface Kept {
  /** "/registry/core/configmaps/". */
  prefix: string;
  /** "kube-system/name", or the name of what is in no namespace. */
  key: string;
  /** Makes it, if it is not there. */
  mend(): Promise<void>;
  /** It is mended when it changes, too. */
  isChecked?: boolean;
}

/** The answer ends it. */
export function keepObjects(cache: ClusterCache, log: Logger, kept: readonly Kept[]): () => void {
  const stops = kept.map(({ prefix, key: own, mend, isChecked = false }) =>
    cache.resource(prefix).listen((changes) => {
      const last = changes.findLast(({ key }) => key === own);
      if (last === undefined || (last.current !== undefined && !isChecked)) return;
      mend().catch((error: unknown) =>
        log.error("an object was not kept", { key: prefix + own, error: error as Error }),
      );
    }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}
