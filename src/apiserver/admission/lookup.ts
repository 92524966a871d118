/** What plugins look up: current objects, from the cache. */
import type { KubernetesObject } from "#api/object.ts";
import type { Services } from "#apiserver/operation.ts";

/** All objects under a prefix of the store, or those of one namespace, by name. Read-only. */
export function objectsIn<T extends KubernetesObject>({ cache }: Services, prefix: string, namespace?: string): T[] {
  const range = namespace === undefined ? "" : `${namespace}/`;
  return [...cache.resource(prefix).entries.range(range)].map(({ object }) => object as T);
}

export function objectAt<T extends KubernetesObject>({ cache }: Services, prefix: string, key: string): T | undefined {
  return cache.resource(prefix).get(key)?.object as T | undefined;
}

/** Of several objects that are marked as the default: the newest, then the first by name. */
export function defaultOf<T extends KubernetesObject>(
  services: Services,
  prefix: string,
  annotations: readonly string[],
): T | undefined {
  const marked = objectsIn<T>(services, prefix).filter(({ metadata }) =>
    annotations.some((annotation) => metadata.annotations?.[annotation] === "true"),
  );
  const time = ({ metadata }: KubernetesObject): string => String(metadata.creationTimestamp ?? "");
  return marked.reduce<T | undefined>(
    (best, one) => (best === undefined || time(one) > time(best) ? one : best),
    undefined,
  );
}
