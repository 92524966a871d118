/** The two kinds of Flux's API that Capstan serves. Their CRDs are in manifests/crds. */
import type { KubernetesObject } from "#api/object.ts";
import type { ResourceRef } from "#client/resource-path.ts";

export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}

export interface LocalReference {
  name: string;
}

export interface Artifact {
  digest: string;
  lastUpdateTime: string;
  path: string;
  revision: string;
  url: string;
  size?: number;
  metadata?: Record<string, string>;
}

export interface GitRepository extends KubernetesObject {
  spec: {
    url: string;
    interval: string;
    timeout?: string;
    suspend?: boolean;
    ref?: { branch?: string; tag?: string; semver?: string; name?: string; commit?: string };
    secretRef?: LocalReference;
    proxySecretRef?: LocalReference;
    serviceAccountName?: string;
    provider?: string;
    ignore?: string;
    recurseSubmodules?: boolean;
    sparseCheckout?: string[];
    verify?: { mode?: string; secretRef: LocalReference };
    include?: unknown[];
  };
  status?: {
    observedGeneration?: number;
    lastHandledReconcileAt?: string;
    observedIgnore?: string;
    artifact?: Artifact;
    conditions?: Condition[];
  };
}

export interface NamespacedReference {
  apiVersion?: string;
  kind: string;
  name: string;
  namespace?: string;
}

export interface Selector {
  group?: string;
  version?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  labelSelector?: string;
  annotationSelector?: string;
}

export interface InventoryEntry {
  /** `<namespace>_<name>_<group>_<kind>` */
  id: string;
  /** The version. */
  v: string;
}

export interface HistoryEntry {
  digest: string;
  firstReconciled: string;
  lastReconciled: string;
  lastReconciledDuration: string;
  lastReconciledStatus: string;
  totalReconciliations: number;
  metadata?: Record<string, string>;
}

export interface Kustomization extends KubernetesObject {
  spec: {
    interval: string;
    retryInterval?: string;
    timeout?: string;
    sourceRef: NamespacedReference;
    path?: string;
    prune: boolean;
    deletionPolicy?: "MirrorPrune" | "Delete" | "WaitForTermination" | "Orphan";
    suspend?: boolean;
    force?: boolean;
    wait?: boolean;
    dependsOn?: { name: string; namespace?: string; readyExpr?: string }[];
    healthChecks?: NamespacedReference[];
    healthCheckExprs?: unknown[];
    ignore?: { paths: string[]; target?: Selector }[];
    targetNamespace?: string;
    namePrefix?: string;
    nameSuffix?: string;
    commonMetadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
    components?: string[];
    ignoreMissingComponents?: boolean;
    buildMetadata?: string[];
    images?: { name: string; newName?: string; newTag?: string; digest?: string }[];
    patches?: { patch: string; target?: Selector }[];
    postBuild?: {
      substitute?: Record<string, string>;
      substituteStrategy?: "WithVariables" | "Always";
      substituteFrom?: { kind: "ConfigMap" | "Secret"; name: string; optional?: boolean }[];
    };
    decryption?: unknown;
    kubeConfig?: unknown;
    serviceAccountName?: string;
  };
  status?: {
    observedGeneration?: number;
    lastHandledReconcileAt?: string;
    lastAppliedRevision?: string;
    lastAttemptedRevision?: string;
    inventory?: { entries: InventoryEntry[] };
    history?: HistoryEntry[];
    conditions?: Condition[];
  };
}

export const GitRepository: ResourceRef<GitRepository> = {
  group: "source.toolkit.fluxcd.io",
  version: "v1",
  kind: "GitRepository",
  plural: "gitrepositories",
  scope: "Namespaced",
};

export const Kustomization: ResourceRef<Kustomization> = {
  group: "kustomize.toolkit.fluxcd.io",
  version: "v1",
  kind: "Kustomization",
  plural: "kustomizations",
  scope: "Namespaced",
};

export const ownerLabels = {
  name: "kustomize.toolkit.fluxcd.io/name",
  namespace: "kustomize.toolkit.fluxcd.io/namespace",
} as const;

/** Annotations (some also as labels) that say how one object is treated. */
export const policyKeys = {
  ssa: "kustomize.toolkit.fluxcd.io/ssa",
  force: "kustomize.toolkit.fluxcd.io/force",
  prune: "kustomize.toolkit.fluxcd.io/prune",
  reconcile: "kustomize.toolkit.fluxcd.io/reconcile",
  substitute: "kustomize.toolkit.fluxcd.io/substitute",
} as const;

export const requestedAtAnnotation = "reconcile.fluxcd.io/requestedAt";
export const finalizer = "finalizers.fluxcd.io";
/** Who owns the fields of applied objects: the manager that Flux uses, so that a cluster can change over either way. */
export const fieldManager = "kustomize-controller";
