/** Every reconciler of the product, one line each. */
import { policyStatusReconciler } from "./admission/policy-status.ts";
import { attachDetachReconciler } from "./attach-detach/attach-detach.ts";
import { bootstrapSignerReconciler } from "./bootstrap/bootstrap-signer.ts";
import { tokenCleanerReconciler } from "./bootstrap/token-cleaner.ts";
import { serviceCidrReconciler } from "./service-cidr/service-cidr.ts";
import { horizontalPodAutoscalerReconciler } from "./autoscaler/horizontal-pod-autoscaler.ts";
import { certificateApprovingReconciler } from "./certificates/certificate-approving.ts";
import { certificateCleanerReconciler } from "./certificates/certificate-cleaner.ts";
import { certificateSigningReconciler, type Certify } from "./certificates/certificate-signing.ts";
import { daemonSetReconciler } from "./daemon-set/daemon-set.ts";
import { deploymentReconciler } from "./deployment/deployment.ts";
import { endpointSliceMirroringReconciler } from "./endpoints/endpoint-slice-mirroring.ts";
import { endpointSliceReconciler } from "./endpoints/endpoint-slice.ts";
import { endpointsReconciler } from "./endpoints/endpoints.ts";
import type { EveryKindReconciler } from "./every-kind.ts";
import { garbageCollector } from "./garbage-collector.ts";
import { namespaceDeletion } from "./namespace/namespace-deletion.ts";
import { disruptionReconciler } from "./disruption.ts";
import { cronJobReconciler } from "./cron-job/cron-job.ts";
import { jobReconciler } from "./job/job.ts";
import { orphanJobPodsReconciler } from "./job/orphan-job-pods.ts";
import { ttlAfterFinishedReconciler } from "./job/ttl-after-finished.ts";
import { podGcReconciler } from "./pod-gc.ts";
import { resourceQuotaReconciler } from "./resource-quota.ts";
import { attributesClassProtectionReconciler } from "./volume/attributes-class-protection.ts";
import { claimBinderReconciler } from "./volume/claim-binder.ts";
import { ephemeralVolumeReconciler } from "./volume/ephemeral-volume.ts";
import { volumeExpansionReconciler } from "./volume/volume-expansion.ts";
import { volumePhaseReconciler } from "./volume/volume-phase.ts";
import { claimProtectionReconciler, volumeProtectionReconciler } from "./volume/volume-protection.ts";
import { legacyTokenCleanupReconciler } from "./namespace/legacy-token-cleanup.ts";
import { rootCaReconciler } from "./namespace/root-ca.ts";
import { serviceAccountTokenReconciler, type SignForSecret } from "./namespace/service-account-token.ts";
import { serviceAccountReconciler } from "./namespace/service-account.ts";
import { nodeIpamReconciler } from "./node/node-ipam.ts";
import { nodeLifecycleReconciler } from "./node/node-lifecycle.ts";
import { nodeRegistrationReconciler } from "./node/node-registration.ts";
import { nodeTtlReconciler } from "./node/node-ttl.ts";
import { taintEvictionReconciler } from "./node/taint-eviction.ts";
import { clusterRoleAggregationReconciler } from "./rbac/cluster-role-aggregation.ts";
import type { Reconciler } from "./reconciler.ts";
import { replicaSetReconciler } from "./replica-set.ts";
import { replicationControllerReconciler } from "./replication-controller.ts";
import { claimReleaseReconciler } from "./resource-claim/claim-release.ts";
import { deviceTaintEvictionReconciler } from "./resource-claim/device-taint-eviction.ts";
import { podResourceClaimsReconciler } from "./resource-claim/pod-resource-claims.ts";
import { staleDisruptionReconciler } from "./stale-disruption.ts";
import { statefulSetReconciler } from "./stateful-set/stateful-set.ts";

/** What reconcilers know of the cluster that is in no object. */
export interface ReconcilerFacts {
  /** The CA that API clients trust, as PEM. */
  rootCa: () => string;
  /** The token that a Secret of an account holds. */
  signForSecret: SignForSecret;
  /** Nodes get their pod addresses from here; without it they get none. */
  clusterCidr?: string | undefined;
  /** The cluster's CA; without it requests are approved but not signed. */
  certify?: Certify | undefined;
}

/** Forgets each reconciler's own type: it is handed only objects of its kind. */
const list = (reconcilers: readonly Pick<Reconciler<never>, "name">[]) => reconcilers as readonly Reconciler[];

export function reconcilersFor({
  rootCa,
  signForSecret,
  clusterCidr,
  certify,
}: ReconcilerFacts): readonly Reconciler[] {
  return list([
    deploymentReconciler,
    replicaSetReconciler,
    replicationControllerReconciler,
    statefulSetReconciler,
    daemonSetReconciler,
    jobReconciler,
    orphanJobPodsReconciler,
    ttlAfterFinishedReconciler,
    cronJobReconciler,
    disruptionReconciler,
    staleDisruptionReconciler,
    podGcReconciler,
    claimBinderReconciler,
    volumePhaseReconciler,
    volumeExpansionReconciler,
    ephemeralVolumeReconciler,
    claimProtectionReconciler,
    volumeProtectionReconciler,
    attributesClassProtectionReconciler,
    endpointsReconciler,
    endpointSliceReconciler,
    endpointSliceMirroringReconciler,
    serviceAccountReconciler,
    rootCaReconciler(rootCa),
    serviceAccountTokenReconciler(rootCa, signForSecret),
    legacyTokenCleanupReconciler,
    nodeLifecycleReconciler,
    nodeRegistrationReconciler(),
    taintEvictionReconciler,
    nodeTtlReconciler,
    ...(clusterCidr === undefined ? [] : [nodeIpamReconciler(clusterCidr)]),
    clusterRoleAggregationReconciler,
    attachDetachReconciler,
    policyStatusReconciler,
    serviceCidrReconciler,
    tokenCleanerReconciler,
    bootstrapSignerReconciler,
    horizontalPodAutoscalerReconciler(),
    podResourceClaimsReconciler,
    claimReleaseReconciler,
    deviceTaintEvictionReconciler,
    certificateApprovingReconciler,
    ...(certify === undefined ? [] : [certificateSigningReconciler(certify)]),
    certificateCleanerReconciler,
  ]);
}

export const everyKindReconcilers: readonly EveryKindReconciler[] = [
  garbageCollector,
  namespaceDeletion,
  resourceQuotaReconciler,
];
