/** The cluster roles that every cluster has. Upstream: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go. */
import { read, readUpdate, readWrite, recordEvents, type RuleRow, write } from "./rule-table.ts";

export interface RoleRow {
  rules?: readonly RuleRow[];
  labels?: Readonly<Record<string, string>>;
  /** The role is made of all roles with one of these labels. */
  aggregates?: readonly string[];
}

const aggregateTo = (role: string) => ({ [`rbac.authorization.k8s.io/aggregate-to-${role}`]: "true" });
const aggregate = (role: string) => `rbac.authorization.k8s.io/aggregate-to-${role}`;
const authentication = "authentication.k8s.io";
const authorization = "authorization.k8s.io";
const certificates = "certificates.k8s.io";
const networking = "networking.k8s.io";
const storage = "storage.k8s.io";

const healthPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

const viewRules: readonly RuleRow[] = [
  [
    read,
    "core",
    "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
  ],
  [
    read,
    "core",
    "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
  ],
  [read, "core", "namespaces"],
  [read, "discovery.k8s.io", "endpointslices"],
  [
    read,
    "apps",
    "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
  ],
  [read, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"],
  [read, "batch", "cronjobs cronjobs/status jobs jobs/status"],
  [
    read,
    "extensions",
    "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
  ],
  [read, "policy", "poddisruptionbudgets poddisruptionbudgets/status"],
  [read, networking, "ingresses ingresses/status networkpolicies"],
  [read, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"],
];

const editRules: readonly RuleRow[] = [
  [read, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"],
  ["impersonate", "core", "serviceaccounts"],
  [write, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"],
  ["create", "core", "pods/eviction"],
  [
    write,
    "core",
    "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
  ],
  ["create", "core", "serviceaccounts/token"],
  [
    write,
    "apps",
    "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
  ],
  [write, "autoscaling", "horizontalpodautoscalers"],
  [write, "batch", "cronjobs jobs"],
  [
    write,
    "extensions",
    "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
  ],
  [write, "policy", "poddisruptionbudgets"],
  [write, networking, "ingresses networkpolicies"],
  ["create delete deletecollection get list patch update watch", "coordination.k8s.io", "leases"],
  [write, "resource.k8s.io", "resourceclaims resourceclaimtemplates"],
];

/** What every node may do; the node authorizer narrows it to the node itself. */
export const nodeRules: readonly RuleRow[] = [
  ["create", authentication, "tokenreviews"],
  ["create", authorization, "subjectaccessreviews localsubjectaccessreviews"],
  [read, "core", "services"],
  ["create get list watch", "core", "nodes"],
  ["update patch", "core", "nodes/status"],
  ["update patch", "core", "nodes"],
  ["create patch update", "core", "events"],
  [read, "core", "pods"],
  ["create delete", "core", "pods"],
  ["update patch", "core", "pods/status"],
  ["create", "core", "pods/eviction"],
  [read, "core", "secrets configmaps"],
  ["get", "core", "persistentvolumeclaims persistentvolumes"],
  ["get", "core", "endpoints"],
  ["create get list watch", certificates, "certificatesigningrequests"],
  ["get create update patch delete", "coordination.k8s.io", "leases"],
  ["get", storage, "volumeattachments"],
  ["create", "core", "serviceaccounts/token"],
  ["get update patch", "core", "persistentvolumeclaims/status"],
  [read, storage, "csidrivers"],
  ["get create update patch delete", storage, "csinodes"],
  [read, "node.k8s.io", "runtimeclasses"],
  ["get", "resource.k8s.io", "resourceclaims"],
  ["deletecollection", "resource.k8s.io", "resourceslices"],
  ["get", "core", "serviceaccounts"],
];

export const clusterRoles: Readonly<Record<string, RoleRow>> = {
  "cluster-admin": {
    rules: [
      ["*", "*", "*"],
      ["*", ["*"]],
    ],
  },
  "system:discovery": {
    rules: [
      [
        "get",
        [
          "/api",
          "/api/*",
          "/apis",
          "/apis/*",
          "/healthz",
          "/livez",
          "/openapi",
          "/openapi/*",
          "/readyz",
          "/version",
          "/version/",
        ],
      ],
    ],
  },
  "system:monitoring": {
    rules: [
      ["get", ["/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz", "/readyz/*"]],
      ["get", ["/flagz"]],
      ["get", ["/statusz"]],
    ],
  },
  "system:basic-user": {
    rules: [
      ["create", authorization, "selfsubjectaccessreviews selfsubjectrulesreviews"],
      ["create", authentication, "selfsubjectreviews"],
    ],
  },
  "system:public-info-viewer": { rules: [["get", healthPaths]] },
  "system:service-account-issuer-discovery": {
    rules: [
      [
        "get",
        [
          "/.well-known/openid-configuration",
          "/.well-known/openid-configuration/",
          "/openid/v1/jwks",
          "/openid/v1/jwks/",
        ],
      ],
    ],
  },
  admin: { aggregates: [aggregate("admin")] },
  edit: { labels: aggregateTo("admin"), aggregates: [aggregate("edit")] },
  view: { labels: aggregateTo("edit"), aggregates: [aggregate("view")] },
  "system:aggregate-to-admin": {
    labels: aggregateTo("admin"),
    rules: [
      ["create", authorization, "localsubjectaccessreviews"],
      ["create delete deletecollection get list patch update watch", "rbac.authorization.k8s.io", "rolebindings roles"],
    ],
  },
  "system:aggregate-to-edit": { labels: aggregateTo("edit"), rules: editRules },
  "system:aggregate-to-view": { labels: aggregateTo("view"), rules: viewRules },
  "system:heapster": {
    rules: [
      [read, "core", "events namespaces nodes pods"],
      [read, "extensions", "deployments"],
    ],
  },
  "system:node": { rules: nodeRules },
  "system:node-problem-detector": {
    rules: [["get", "core", "nodes"], ["patch", "core", "nodes/status"], recordEvents],
  },
  "system:kubelet-api-admin": {
    rules: [
      [read, "core", "nodes"],
      ["proxy", "core", "nodes"],
      ["*", "core", "nodes/log nodes/metrics nodes/proxy nodes/stats"],
      ["*", "core", "nodes/configz nodes/healthz nodes/pods"],
    ],
  },
  "system:node-bootstrapper": { rules: [["create get list watch", certificates, "certificatesigningrequests"]] },
  "system:auth-delegator": {
    rules: [
      ["create", authentication, "tokenreviews"],
      ["create", authorization, "subjectaccessreviews"],
    ],
  },
  "system:kube-aggregator": { rules: [["get list watch", "core", "endpoints services"]] },
  "system:kube-controller-manager": {
    rules: [
      recordEvents,
      ["create", "coordination.k8s.io", "leases"],
      ["get update", "coordination.k8s.io", "leases", "kube-controller-manager"],
      ["create", "core", "secrets serviceaccounts"],
      ["delete", "core", "secrets"],
      ["get", "core", "configmaps namespaces secrets serviceaccounts"],
      ["update", "core", "secrets serviceaccounts"],
      ["create", authentication, "tokenreviews"],
      ["create", authorization, "subjectaccessreviews"],
      ["list watch", "*", "*"],
      ["create", "core", "serviceaccounts/token"],
    ],
  },
  "system:kube-scheduler": {
    rules: [
      recordEvents,
      ["create", "coordination.k8s.io", "leases"],
      ["get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"],
      [readWrite, "coordination.k8s.io", "leasecandidates"],
      [read, "core", "nodes"],
      ["delete get list watch", "core", "pods"],
      ["create", "core", "bindings pods/binding"],
      ["patch update", "core", "pods/status"],
      [read, "core", "replicationcontrollers services"],
      [read, "apps extensions", "replicasets"],
      [read, "apps", "statefulsets"],
      [read, "policy", "poddisruptionbudgets"],
      [read, "core", "persistentvolumeclaims persistentvolumes"],
      ["create", authentication, "tokenreviews"],
      ["create", authorization, "subjectaccessreviews"],
      [read, storage, "csinodes"],
      [read, storage, "volumeattachments"],
      [read, "core", "namespaces"],
      [read, storage, "csidrivers"],
      [read, storage, "csistoragecapacities"],
      [read, "resource.k8s.io", "deviceclasses"],
      [readUpdate, "resource.k8s.io", "resourceclaims"],
      [readUpdate, "resource.k8s.io", "resourceclaims/status"],
      [readUpdate, "core", "pods/finalizers"],
      [read, "resource.k8s.io", "resourceslices"],
      ["patch update", "resource.k8s.io", "resourceclaims/binding"],
    ],
  },
  "system:kube-dns": { rules: [["list watch", "core", "endpoints services"]] },
  "system:persistent-volume-provisioner": {
    rules: [
      ["create delete get list watch", "core", "persistentvolumes"],
      ["get list update watch", "core", "persistentvolumeclaims"],
      [read, storage, "storageclasses"],
      ["watch", "core", "events"],
      recordEvents,
    ],
  },
  "system:volume-scheduler": {
    rules: [
      ["get list patch update watch", "core", "persistentvolumes"],
      [read, storage, "storageclasses"],
      ["get list patch update watch", "core", "persistentvolumeclaims"],
    ],
  },
  "system:node-proxier": {
    rules: [
      ["list watch", "core", "endpoints services"],
      ["get list watch", "core", "nodes"],
      recordEvents,
      ["list watch", networking, "servicecidrs"],
      ["list watch", "discovery.k8s.io", "endpointslices"],
    ],
  },
  [`system:${certificates}:certificatesigningrequests:nodeclient`]: {
    rules: [["create", certificates, "certificatesigningrequests/nodeclient"]],
  },
  [`system:${certificates}:certificatesigningrequests:selfnodeclient`]: {
    rules: [["create", certificates, "certificatesigningrequests/selfnodeclient"]],
  },
  ...approvers(),
};

function approvers(): Record<string, RoleRow> {
  const names = {
    "legacy-unknown": "legacy-unknown",
    "kubelet-serving": "kubelet-serving",
    "kube-apiserver-client": "kube-apiserver-client",
    "kube-apiserver-client-kubelet": "kube-apiserver-client-kubelet",
  };
  return Object.fromEntries(
    Object.values(names).map((name) => [
      `system:${certificates}:${name}-approver`,
      { rules: [["approve", certificates, "signers", `kubernetes.io/${name}`]] } satisfies RoleRow,
    ]),
  );
}

export interface BindingRow {
  role: string;
  /** "Group x", "User y" or "ServiceAccount namespace/name". */
  subjects: readonly string[];
}

export const clusterRoleBindings: Readonly<Record<string, BindingRow>> = {
  "cluster-admin": { role: "cluster-admin", subjects: ["Group system:masters"] },
  "system:monitoring": { role: "system:monitoring", subjects: ["Group system:monitoring"] },
  "system:discovery": { role: "system:discovery", subjects: ["Group system:authenticated"] },
  "system:basic-user": { role: "system:basic-user", subjects: ["Group system:authenticated"] },
  "system:public-info-viewer": {
    role: "system:public-info-viewer",
    subjects: ["Group system:authenticated", "Group system:unauthenticated"],
  },
  "system:node-proxier": { role: "system:node-proxier", subjects: ["User system:kube-proxy"] },
  "system:kube-controller-manager": {
    role: "system:kube-controller-manager",
    subjects: ["User system:kube-controller-manager"],
  },
  "system:kube-dns": { role: "system:kube-dns", subjects: ["ServiceAccount kube-system/kube-dns"] },
  "system:kube-scheduler": { role: "system:kube-scheduler", subjects: ["User system:kube-scheduler"] },
  "system:volume-scheduler": { role: "system:volume-scheduler", subjects: ["User system:kube-scheduler"] },
  "system:service-account-issuer-discovery": {
    role: "system:service-account-issuer-discovery",
    subjects: ["Group system:serviceaccounts"],
  },
  "system:node": { role: "system:node", subjects: [] },
};
