/**
 * The rights of each controller, held by a service account of its name in kube-system.
 * Upstream: bootstrappolicy/controller_policy.go.
 */
import { recordEvents, type RuleRow } from "./rule-table.ts";

export const controllerRoles: Readonly<Record<string, readonly RuleRow[]>> = {
  "attachdetach-controller": [
    ["list watch", "core", "persistentvolumeclaims persistentvolumes"],
    ["get list watch", "core", "nodes"],
    ["patch update", "core", "nodes/status"],
    ["list watch", "core", "pods"],
    recordEvents,
    ["get list watch create delete", "storage.k8s.io", "volumeattachments"],
    ["get list watch", "storage.k8s.io", "csidrivers"],
    ["get list watch", "storage.k8s.io", "csinodes"],
  ],
  "clusterrole-aggregation-controller": [
    ["escalate get list patch update watch", "rbac.authorization.k8s.io", "clusterroles"],
  ],
  "cronjob-controller": [
    ["get list update watch", "batch", "cronjobs"],
    ["create delete get list patch update watch", "batch", "jobs"],
    ["update", "batch", "cronjobs/status"],
    ["update", "batch", "cronjobs/finalizers"],
    ["delete list watch", "core", "pods"],
    recordEvents,
  ],
  "daemon-set-controller": [
    ["get list watch", "apps extensions", "daemonsets"],
    ["update", "apps extensions", "daemonsets/status"],
    ["update", "apps extensions", "daemonsets/finalizers"],
    ["list watch", "core", "nodes"],
    ["create delete list patch watch", "core", "pods"],
    ["create", "core", "pods/binding"],
    ["create delete get list patch update watch", "apps", "controllerrevisions"],
    recordEvents,
  ],
  "deployment-controller": [
    ["get list update watch", "apps extensions", "deployments"],
    ["update", "apps extensions", "deployments/status"],
    ["update", "apps extensions", "deployments/finalizers"],
    ["create delete get list patch update watch", "apps extensions", "replicasets"],
    ["get list update watch", "core", "pods"],
    recordEvents,
  ],
  "device-taint-eviction-controller": [
    ["get list watch delete", "core", "pods"],
    ["patch update", "core", "pods/status"],
    ["get list watch", "resource.k8s.io", "resourceclaims"],
    ["get list watch", "resource.k8s.io", "resourceslices"],
    ["get list watch", "resource.k8s.io", "deviceclasses"],
    recordEvents,
  ],
  "disruption-controller": [
    ["get list watch", "apps extensions", "deployments"],
    ["get list watch", "apps extensions", "replicasets"],
    ["get list watch", "core", "replicationcontrollers"],
    ["get list watch", "policy", "poddisruptionbudgets"],
    ["get list watch", "apps", "statefulsets"],
    ["update", "policy", "poddisruptionbudgets/status"],
    ["patch update", "core", "pods/status"],
    ["get", "*", "*/scale"],
    recordEvents,
  ],
  "endpoint-controller": [
    ["get list watch", "core", "pods services"],
    ["create delete get list update watch", "core", "endpoints"],
    ["create", "core", "endpoints/restricted"],
    recordEvents,
  ],
  "endpointslice-controller": [
    ["get list watch", "core", "nodes pods services"],
    ["update", "core", "services/finalizers"],
    ["create delete get list update watch", "discovery.k8s.io", "endpointslices"],
    recordEvents,
  ],
  "endpointslicemirroring-controller": [
    ["get list watch", "core", "endpoints services"],
    ["update", "core", "services/finalizers"],
    ["update", "core", "endpoints/finalizers"],
    ["create delete get list update watch", "discovery.k8s.io", "endpointslices"],
    recordEvents,
  ],
  "ephemeral-volume-controller": [
    ["get list watch", "core", "pods"],
    ["update", "core", "pods/finalizers"],
    ["create get list watch", "core", "persistentvolumeclaims"],
    recordEvents,
  ],
  "expand-controller": [
    ["get list patch update watch", "core", "persistentvolumes"],
    ["patch update", "core", "persistentvolumeclaims/status"],
    ["get list watch", "core", "persistentvolumeclaims"],
    recordEvents,
  ],
  "generic-garbage-collector": [["delete get list patch update watch", "*", "*"], recordEvents],
  "horizontal-pod-autoscaler": [
    ["get list watch", "autoscaling", "horizontalpodautoscalers"],
    ["update", "autoscaling", "horizontalpodautoscalers/status"],
    ["get update", "*", "*/scale"],
    ["list watch", "core", "pods"],
    ["list watch", "metrics.k8s.io", "pods"],
    ["get list watch", "custom.metrics.k8s.io", "*"],
    ["get list watch", "external.metrics.k8s.io", "*"],
    recordEvents,
  ],
  "job-controller": [
    ["get list patch update watch", "batch", "jobs"],
    ["update", "batch", "jobs/status"],
    ["update", "batch", "jobs/finalizers"],
    ["create delete list patch watch", "core", "pods"],
    recordEvents,
  ],
  "legacy-service-account-token-cleaner": [
    ["get", "core", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"],
    ["delete patch", "core", "secrets"],
  ],
  "namespace-controller": [
    ["delete get list watch", "core", "namespaces"],
    ["update", "core", "namespaces/finalize namespaces/status"],
    ["delete deletecollection get list watch", "*", "*"],
  ],
  "node-controller": [
    ["delete get list patch update watch", "core", "nodes"],
    ["patch update", "core", "nodes/status"],
    ["patch update", "core", "pods/status"],
    ["delete list get watch", "core", "pods"],
    recordEvents,
  ],
  "persistent-volume-binder": [
    ["create delete get list update watch", "core", "persistentvolumes"],
    ["update", "core", "persistentvolumes/status"],
    ["get list update watch", "core", "persistentvolumeclaims"],
    ["update", "core", "persistentvolumeclaims/status"],
    ["create delete get list watch", "core", "pods"],
    ["get list watch", "storage.k8s.io", "storageclasses"],
    ["list watch", "core", "nodes"],
    recordEvents,
    ["watch", "core", "events"],
  ],
  "pod-garbage-collector": [
    ["delete list watch", "core", "pods"],
    ["get list watch", "core", "nodes"],
    ["patch", "core", "pods/status"],
  ],
  "pv-protection-controller": [["get list update watch", "core", "persistentvolumes"], recordEvents],
  "pvc-protection-controller": [
    ["get list update watch", "core", "persistentvolumeclaims"],
    ["update", "core", "persistentvolumeclaims/status"],
    ["get list watch", "core", "pods"],
    recordEvents,
  ],
  "replicaset-controller": [
    ["get list update watch", "apps extensions", "replicasets"],
    ["update", "apps extensions", "replicasets/status"],
    ["update", "apps extensions", "replicasets/finalizers"],
    ["create delete list patch watch", "core", "pods"],
    recordEvents,
  ],
  "replication-controller": [
    ["get list update watch", "core", "replicationcontrollers"],
    ["update", "core", "replicationcontrollers/status"],
    ["update", "core", "replicationcontrollers/finalizers"],
    ["create delete list patch watch", "core", "pods"],
    recordEvents,
  ],
  "resource-claim-controller": [
    ["get list watch", "core", "pods"],
    ["update", "core", "pods/finalizers"],
    ["create delete get list watch", "resource.k8s.io", "resourceclaims"],
    ["patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"],
    ["patch update", "core", "pods/status"],
    recordEvents,
    ["patch update", "resource.k8s.io", "resourceclaims/binding"],
  ],
  "resourcequota-controller": [["list watch", "*", "*"], ["update", "core", "resourcequotas/status"], recordEvents],
  "root-ca-cert-publisher": [["create update", "core", "configmaps"], recordEvents],
  "route-controller": [["list watch", "core", "nodes"], ["patch", "core", "nodes/status"], recordEvents],
  "selinux-warning-controller": [
    recordEvents,
    ["get list watch", "core", "persistentvolumes"],
    ["get list watch", "core", "persistentvolumeclaims"],
    ["get list watch", "core", "pods"],
    ["get list watch", "storage.k8s.io", "csidrivers"],
  ],
  "service-account-controller": [["create", "core", "serviceaccounts"], recordEvents],
  "service-cidrs-controller": [
    ["get list patch update watch", "networking.k8s.io", "servicecidrs"],
    ["update patch", "networking.k8s.io", "servicecidrs/finalizers"],
    ["update patch", "networking.k8s.io", "servicecidrs/status"],
    ["get list watch", "networking.k8s.io", "ipaddresses"],
    recordEvents,
  ],
  "service-controller": [
    ["get list watch", "core", "services"],
    ["patch update", "core", "services/status"],
    ["list watch", "core", "nodes"],
    recordEvents,
  ],
  "statefulset-controller": [
    ["list watch", "core", "pods"],
    ["get list watch", "apps", "statefulsets"],
    ["update", "apps", "statefulsets/status"],
    ["update", "apps", "statefulsets/finalizers"],
    ["create delete get patch update", "core", "pods"],
    ["create delete get list patch update watch", "apps", "controllerrevisions"],
    ["create get list watch", "core", "persistentvolumeclaims"],
    ["delete update", "core", "persistentvolumeclaims"],
    ["update", "core", "pods/finalizers"],
    recordEvents,
  ],
  "ttl-after-finished-controller": [["delete get list watch", "batch", "jobs"], recordEvents],
  "ttl-controller": [["list patch update watch", "core", "nodes"], recordEvents],
  "validatingadmissionpolicy-status-controller": [
    ["get list watch", "admissionregistration.k8s.io", "validatingadmissionpolicies"],
    ["get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"],
    recordEvents,
  ],
  "volumeattributesclass-protection-controller": [
    ["get list watch", "core", "persistentvolumeclaims"],
    ["get list watch", "core", "persistentvolumes"],
    ["get list update watch", "storage.k8s.io", "volumeattributesclasses"],
    recordEvents,
  ],
  "certificate-controller": [
    ["delete get list watch", "certificates.k8s.io", "certificatesigningrequests"],
    ["update", "certificates.k8s.io", "certificatesigningrequests/approval certificatesigningrequests/status"],
    ["approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"],
    [
      "sign",
      "certificates.k8s.io",
      "signers",
      "kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown",
    ],
    ["create", "authorization.k8s.io", "subjectaccessreviews"],
    recordEvents,
  ],
};

/** Roles in namespaces, with the binding of the same name that gives each. Upstream: namespace_policy.go. */
export interface NamespacedRoleRow {
  namespace: string;
  role: string;
  rules: readonly RuleRow[];
  /** If it is not the role's name. */
  binding?: string;
  subjects: readonly string[];
}

const leaderRules: readonly RuleRow[] = [
  ["create get list update watch", "coordination.k8s.io", "leases"],
  ["create get list update watch", "coordination.k8s.io", "leasecandidates"],
];

export const namespacedRoles: readonly NamespacedRoleRow[] = [
  {
    namespace: "kube-public",
    role: "system:controller:bootstrap-signer",
    rules: [["get list watch", "core", "configmaps"], ["update", "core", "configmaps", "cluster-info"], recordEvents],
    subjects: ["ServiceAccount kube-system/bootstrap-signer"],
  },
  {
    namespace: "kube-system",
    role: "extension-apiserver-authentication-reader",
    rules: [["get list watch", "core", "configmaps", "extension-apiserver-authentication"]],
    binding: "system::extension-apiserver-authentication-reader",
    subjects: ["User system:kube-controller-manager", "User system:kube-scheduler"],
  },
  {
    namespace: "kube-system",
    role: "system:controller:bootstrap-signer",
    rules: [["get list watch", "core", "secrets"]],
    subjects: ["ServiceAccount kube-system/bootstrap-signer"],
  },
  {
    namespace: "kube-system",
    role: "system:controller:cloud-provider",
    rules: [["create get list watch", "core", "configmaps"]],
    subjects: ["ServiceAccount kube-system/cloud-provider"],
  },
  {
    namespace: "kube-system",
    role: "system:controller:token-cleaner",
    rules: [["delete get list watch", "core", "secrets"], recordEvents],
    subjects: ["ServiceAccount kube-system/token-cleaner"],
  },
  {
    namespace: "kube-system",
    role: "system::leader-locking-kube-controller-manager",
    rules: leaderRules,
    subjects: [
      "User system:kube-controller-manager",
      "ServiceAccount kube-system/kube-controller-manager",
      "ServiceAccount kube-system/leader-election-controller",
    ],
  },
  {
    namespace: "kube-system",
    role: "system::leader-locking-kube-scheduler",
    rules: leaderRules,
    subjects: ["User system:kube-scheduler", "ServiceAccount kube-system/kube-scheduler"],
  },
];
