/** Every reconciler of the product, one line each. */
import { deploymentReconciler } from "./deployment/deployment.ts";
import type { Reconciler } from "./reconciler.ts";
import { replicaSetReconciler } from "./replica-set.ts";

/** Forgets each reconciler's own type: it is handed only objects of its kind. */
const list = (reconcilers: readonly Pick<Reconciler<never>, "name">[]) => reconcilers as readonly Reconciler[];

export const allReconcilers: readonly Reconciler[] = list([deploymentReconciler, replicaSetReconciler]);
