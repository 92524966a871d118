/** Every reconciler of the product, one line each. */
import { deploymentReconciler } from "./deployment/deployment.ts";
import { endpointSliceMirroringReconciler } from "./endpoints/endpoint-slice-mirroring.ts";
import { endpointSliceReconciler } from "./endpoints/endpoint-slice.ts";
import { endpointsReconciler } from "./endpoints/endpoints.ts";
import type { EveryKindReconciler } from "./every-kind/every-kind-driver.ts";
import { garbageCollector } from "./every-kind/garbage-collector.ts";
import { namespaceDeletion } from "./every-kind/namespace-deletion.ts";
import type { Reconciler } from "./reconciler.ts";
import { replicaSetReconciler } from "./replica-set.ts";

/** What reconcilers know of the cluster that is in no object. */
export interface ReconcilerFacts {}

/** Forgets each reconciler's own type: it is handed only objects of its kind. */
const list = (reconcilers: readonly Pick<Reconciler<never>, "name">[]) => reconcilers as readonly Reconciler[];

export function reconcilersFor(_facts: ReconcilerFacts): readonly Reconciler[] {
  return list([
    deploymentReconciler,
    replicaSetReconciler,
    endpointsReconciler,
    endpointSliceReconciler,
    endpointSliceMirroringReconciler,
  ]);
}

export const everyKindReconcilers: readonly EveryKindReconciler[] = [garbageCollector, namespaceDeletion];
