/** What `kubectl get` shows: the head and a row of the table of each kind. Ages are left out. */
import { expect } from "vitest";
import { create, get, storyServer, type Story, type Written } from "#test/support/story.ts";
import {
  autoscaler,
  configMap,
  cronJob,
  daemonSet,
  deployment,
  disruptionBudget,
  endpointSlice,
  event,
  ingress,
  job,
  lease,
  networkPolicy,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  priorityClass,
  replicaSet,
  role,
  roleBinding,
  secret,
  service,
  serviceAccount,
  statefulSet,
  storageClass,
} from "#test/support/story-objects.ts";

const stories = storyServer();

const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
type Table = { columnDefinitions: { name: string; priority: number }[]; rows: { cells: unknown[] }[] };
const isAge = /^(\d+[smhd])+$/;

/** Columns as kubectl prints them; those of `-o wide` in brackets. Cells by the same order, ages as "…". */
const shows = (plural: string, object: Written, columns: string, cells: unknown[]): Story => [
  plural,
  create(object),
  get(`${plural}/${object.metadata.name}`)
    .accepting(accept)
    .meets((body) => {
      const { columnDefinitions, rows } = body as unknown as Table;
      const head = columnDefinitions.map(({ name, priority }) => (priority > 0 ? `[${name}]` : name));
      expect(head.join(" | ")).toBe(columns);
      expect(rows[0]?.cells.map((cell) => (isAge.test(String(cell)) ? "…" : cell)).slice(1)).toEqual(cells);
    }),
];

const claimSpec = {
  accessModes: ["ReadWriteOnce"],
  resources: { requests: { storage: "1Gi" } },
  storageClassName: "sc",
};
stories("a table of", [
  shows("configmaps", configMap("a", { data: { x: "1", y: "2" } }), "Name | Data | Age", [2, "…"]),
  shows("secrets", secret("a", { data: { x: "MQ==" } }), "Name | Type | Data | Age", ["Opaque", 1, "…"]),
  shows("serviceaccounts", serviceAccount("a"), "Name | Age", ["…"]),
  shows(
    "pods",
    pod("a"),
    "Name | Ready | Status | Restarts | Age | [IP] | [Node] | [Nominated Node] | [Readiness Gates]",
    ["0/1", "Pending", "0", "…", "<none>", "<none>", "<none>", "<none>"],
  ),
  shows(
    "services",
    service("a", { clusterIP: "None", selector: { app: "a" } }),
    "Name | Type | Cluster-IP | External-IP | Port(s) | Age | [Selector]",
    ["ClusterIP", "None", "<none>", "80/TCP", "…", "app=a"],
  ),
  shows(
    "events",
    event("a", {
      involvedObject: { kind: "Pod", name: "p", namespace: "{ns}" },
      reason: "R",
      message: "m",
      type: "Normal",
    }),
    "Last Seen | Type | Reason | Object | [Subobject] | [Source] | Message | [First Seen] | [Count] | [Name]",
    ["Normal", "R", "pod/p", "", "", "m", "<unknown>", 1, "a"],
  ),
  shows(
    "nodes",
    node("{ns}"),
    "Name | Status | Roles | Age | Version | [Internal-IP] | [External-IP] | [OS-Image] | [Kernel-Version] | [Container-Runtime]",
    ["Unknown", "<none>", "…", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"],
  ),
  shows(
    "persistentvolumeclaims",
    persistentVolumeClaim("a", { spec: claimSpec }),
    "Name | Status | Volume | Capacity | Access Modes | StorageClass | VolumeAttributesClass | Age | [VolumeMode]",
    ["Pending", "", "", "", "sc", "<unset>", "…", "Filesystem"],
  ),
  shows(
    "persistentvolumes",
    persistentVolume("{ns}", {
      spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/x" } },
    }),
    "Name | Capacity | Access Modes | Reclaim Policy | Status | Claim | StorageClass | VolumeAttributesClass | Reason | Age | [VolumeMode]",
    ["1Gi", "RWO", "Retain", "Pending", "", "", "<unset>", "", "…", "Filesystem"],
  ),
  shows(
    "deployments",
    deployment("a"),
    "Name | Ready | Up-to-date | Available | Age | [Containers] | [Images] | [Selector]",
    ["0/1", 0, 0, "…", "c", "app:1", "app=a"],
  ),
  shows(
    "replicasets",
    replicaSet("a"),
    "Name | Desired | Current | Ready | Age | [Containers] | [Images] | [Selector]",
    [1, 0, 0, "…", "c", "app:1", "app=a"],
  ),
  shows("statefulsets", statefulSet("a"), "Name | Ready | Age | [Containers] | [Images]", ["0/1", "…", "c", "app:1"]),
  shows(
    "daemonsets",
    daemonSet("a"),
    "Name | Desired | Current | Ready | Up-to-date | Available | Node Selector | Age | [Containers] | [Images] | [Selector]",
    [0, 0, 0, 0, 0, "<none>", "…", "c", "app:1", "app=a"],
  ),
  shows(
    "jobs",
    job("a", {
      selector: { matchLabels: { app: "a" } },
      manualSelector: true,
      template: {
        metadata: { labels: { app: "a" } },
        spec: { restartPolicy: "Never", containers: [{ name: "c", image: "app:1" }] },
      },
    }),
    "Name | Status | Completions | Duration | Age | [Containers] | [Images] | [Selector]",
    ["Running", "0/1", "", "…", "c", "app:1", "app=a"],
  ),
  shows(
    "cronjobs",
    cronJob("a"),
    "Name | Schedule | Timezone | Suspend | Active | Last Schedule | Age | [Containers] | [Images] | [Selector]",
    ["*/5 * * * *", "<none>", "False", 0, "<none>", "…", "c", "app:1", "<none>"],
  ),
  shows(
    "horizontalpodautoscalers",
    autoscaler("a", {
      spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 5 },
    }),
    "Name | Reference | Targets | MinPods | MaxPods | Replicas | Age",
    ["Deployment/d", "cpu: <unknown>/80%", "1", 5, 0, "…"],
  ),
  shows(
    "poddisruptionbudgets",
    disruptionBudget("a", { spec: { minAvailable: 1, selector: {} } }),
    "Name | Min Available | Max Unavailable | Allowed Disruptions | Age",
    ["1", "N/A", 0, "…"],
  ),
  shows(
    "ingresses",
    ingress("a", { spec: { ingressClassName: "x", rules: [{ host: "a.x" }] } }),
    "Name | Class | Hosts | Address | Ports | Age",
    ["x", "a.x", "", "80", "…"],
  ),
  shows(
    "networkpolicies",
    networkPolicy("a", { spec: { podSelector: { matchLabels: { a: "b" } } } }),
    "Name | Pod-Selector | Age",
    ["a=b", "…"],
  ),
  shows(
    "endpointslices",
    endpointSlice("a", { addressType: "IPv4", ports: [{ port: 80 }], endpoints: [{ addresses: ["192.0.2.1"] }] }),
    "Name | AddressType | Ports | Endpoints | Age",
    ["IPv4", "80", "192.0.2.1", "…"],
  ),
  shows("leases", lease("a", { spec: { holderIdentity: "me" } }), "Name | Holder | Age", ["me", "…"]),
  shows(
    "rolebindings",
    roleBinding("a", {
      subjects: [{ kind: "User", name: "u", apiGroup: "rbac.authorization.k8s.io" }],
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
    }),
    "Name | Role | Age | [Users] | [Groups] | [ServiceAccounts]",
    ["Role/r", "…", "u", "", ""],
  ),
  shows(
    "storageclasses",
    storageClass("{ns}", { provisioner: "x.io/p" }),
    "Name | Provisioner | ReclaimPolicy | VolumeBindingMode | AllowVolumeExpansion | Age",
    ["x.io/p", "Delete", "Immediate", false, "…"],
  ),
  shows(
    "priorityclasses",
    priorityClass("{ns}", { value: 5 }),
    "Name | Value | Global-Default | Age | PreemptionPolicy",
    [5, false, "…", "PreemptLowerPriority"],
  ),
  shows("roles", role("a"), "Name | Created At", [expect.stringMatching(/^\d{4}-/)]),
]);
