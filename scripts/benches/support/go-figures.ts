/**
 * What Kubernetes 1.36.2 in Go did on a machine of two cores: kube-apiserver with etcd 3.6.8 (fsync on), RBAC, a
 * service-account token, h2load over HTTP/2 on the same cores, otherwise quiet, one run each: read as ±20 %.
 */

/** Requests a second by bench line and requests in flight. */
export const goRates: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  "create ConfigMap": { 1: 112, 16: 674, 256: 1146 },
  "create Pod": { 16: 369, 256: 450 },
  "get ConfigMap": { 16: 1177, 256: 1754 },
  "patch ConfigMap": { 16: 729 },
};

export const goFigures = {
  listOf10_000PodsMs: 2100,
  /** Pages of 500 of 10,000 pods, with 4 clients. */
  tablesOf500PerSecond: 31,
  /** A burst of 300 Secrets to 1,000 watchers, at its best; every watcher was cut off. */
  burstDeliveriesPerSecond: 35_000,
  startMs: 8400,
  idleMegabytes: "285 + etcd 45 MB",
  /** With 25,000 objects. */
  loadedMegabytes: "1,400 + etcd 190 MB",
} as const;
