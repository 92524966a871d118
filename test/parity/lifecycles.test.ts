/**
 * The life that every kind has alike: it is created, found, patched, replaced, watched and deleted. What is special about a
 * kind is in the file of its theme.
 */
import { expect, it } from "vitest";
import { allDefinitions } from "#api/all.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { LocalRequest, LocalResponse, LocalTransport } from "#apiserver/transport.ts";
import { administrator } from "#test/support/story-server.ts";
import { storyServer, type Story } from "#test/support/story.ts";
import { collectionPath, fill } from "#test/support/story-step.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const template = (spec: Fields = {}) => ({
  metadata: { labels: { app: "a" } },
  spec: { containers: [{ name: "c", image: "app:1" }], ...spec },
});
const workload = { spec: { selector: { matchLabels: { app: "a" } }, template: template() } };
const job = { template: template({ restartPolicy: "Never" }) };
const scale = { kind: "Deployment", name: "a", apiVersion: "apps/v1" };
const subject = { kind: "User", name: "u", apiGroup: "rbac.authorization.k8s.io" };
const roleRef = (kind: string) => ({ roleRef: { kind, name: "r", apiGroup: "rbac.authorization.k8s.io" } });
const rule = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["nothing"] };
const webhook = {
  name: "w.example.com",
  clientConfig: { url: "https://localhost" },
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  rules: [rule],
};
const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1" } } };
const constraints = { matchConstraints: { resourceRules: [rule] } };

/** What an object of a kind needs at least, by "group/Kind". `{ns}` is a name that nobody else has. */
const samples: Readonly<Record<string, Fields>> = {
  "/ConfigMap": { data: { a: "1" } },
  "/Endpoints": {},
  "/Event": { involvedObject: { namespace: "{ns}" } },
  "/LimitRange": { spec: { limits: [{ type: "Pod", max: { cpu: "1" } }] } },
  "/Node": {},
  "/PersistentVolumeClaim": { spec: claim },
  "/PersistentVolume": {
    spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1" }, hostPath: { path: "/tmp" } },
  },
  "/Pod": { spec: template().spec },
  "/PodTemplate": { template: template() },
  "/ReplicationController": { spec: { selector: { app: "a" }, template: template() } },
  "/ResourceQuota": { spec: { hard: { pods: "1" } } },
  "/Secret": { stringData: { a: "1" } },
  "/ServiceAccount": {},
  "/Service": { spec: { ports: [{ port: 80 }] } },
  "apps/ControllerRevision": { revision: 1, data: { a: 1 } },
  "apps/DaemonSet": workload,
  "apps/Deployment": workload,
  "apps/ReplicaSet": workload,
  "apps/StatefulSet": workload,
  "autoscaling/HorizontalPodAutoscaler": { spec: { maxReplicas: 2, scaleTargetRef: scale } },
  "batch/CronJob": { spec: { schedule: "* * * * *", jobTemplate: { spec: job } } },
  "batch/Job": { spec: job },
  "networking.k8s.io/IngressClass": { spec: { controller: "example.com/c" } },
  "networking.k8s.io/Ingress": { spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } } },
  "networking.k8s.io/NetworkPolicy": { spec: { podSelector: {} } },
  "networking.k8s.io/ServiceCIDR": { spec: { cidrs: ["10.99.0.0/24"] } },
  "policy/PodDisruptionBudget": { spec: { minAvailable: 1, selector: {} } },
  "rbac.authorization.k8s.io/ClusterRoleBinding": { subjects: [subject], ...roleRef("ClusterRole") },
  "rbac.authorization.k8s.io/ClusterRole": { rules: [] },
  "rbac.authorization.k8s.io/RoleBinding": { subjects: [subject], ...roleRef("Role") },
  "rbac.authorization.k8s.io/Role": { rules: [] },
  "storage.k8s.io/CSIDriver": { spec: {} },
  "storage.k8s.io/CSINode": { spec: { drivers: [] } },
  "storage.k8s.io/CSIStorageCapacity": { storageClassName: "s", capacity: "1" },
  "storage.k8s.io/StorageClass": { provisioner: "example.com/p" },
  "storage.k8s.io/VolumeAttachment": {
    spec: { attacher: "example.com", nodeName: "n", source: { persistentVolumeName: "p" } },
  },
  "storage.k8s.io/VolumeAttributesClass": { driverName: "example.com", parameters: { a: "1" } },
  "admissionregistration.k8s.io/MutatingAdmissionPolicy": {
    spec: {
      ...constraints,
      reinvocationPolicy: "Never",
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } }],
    },
  },
  "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding": { spec: { policyName: "p" } },
  "admissionregistration.k8s.io/MutatingWebhookConfiguration": { webhooks: [webhook] },
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy": {
    spec: { ...constraints, validations: [{ expression: "true" }] },
  },
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": {
    spec: { policyName: "p", validationActions: ["Deny"] },
  },
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration": { webhooks: [webhook] },
  "scheduling.k8s.io/PriorityClass": { value: 1 },
  "coordination.k8s.io/Lease": { spec: { holderIdentity: "h" } },
  "node.k8s.io/RuntimeClass": { handler: "h" },
  "discovery.k8s.io/EndpointSlice": { addressType: "IPv4", endpoints: [], ports: [] },
  "resource.k8s.io/DeviceClass": { spec: {} },
  "resource.k8s.io/ResourceClaim": { spec: {} },
  "resource.k8s.io/ResourceClaimTemplate": { spec: { spec: {} } },
  "resource.k8s.io/ResourceSlice": {
    spec: { driver: "example.com", nodeName: "n", pool: { name: "p", resourceSliceCount: 1 }, devices: [] },
  },
  "flowcontrol.apiserver.k8s.io/FlowSchema": {
    spec: { priorityLevelConfiguration: { name: "global-default" }, matchingPrecedence: 2 },
  },
  "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration": {
    spec: { type: "Limited", limited: { limitResponse: { type: "Reject" } } },
  },
};
/** Those whose life is another: of namespaces, certificates, definitions and the like the files of their themes tell. */
const others = new Set([
  "/Namespace",
  "certificates.k8s.io/CertificateSigningRequest",
  "apiextensions.k8s.io/CustomResourceDefinition",
  "apiregistration.k8s.io/APIService",
  "networking.k8s.io/IPAddress",
]);

interface Seen extends KubernetesObject {
  items?: Seen[];
}
type Ask = (
  method: LocalRequest["method"],
  path: string,
  body?: unknown,
  more?: Partial<LocalRequest>,
) => Promise<Seen>;

function asking(api: LocalTransport): Ask {
  return async (method, path, body, more = {}) => {
    const { contentType = "application/json" } = more;
    const text = body === undefined ? {} : { body: JSON.stringify(body), contentType };
    const answer: LocalResponse = await api.request({ method, path, ...text, ...more });
    const said = answer.body as Seen & { message?: string };
    expect([method, path, answer.code, said.message]).toEqual([
      method,
      path,
      method === "POST" ? 201 : expect.toSatisfy((code: number) => code < 300),
      undefined,
    ]);
    return said;
  };
}

const mergePatch = { contentType: "application/merge-patch+json" };
const watchMs = 5000;

/** The types of the events that a watch of `path` tells, until the object is gone. */
async function watched(api: LocalTransport, path: string, query: Record<string, string>): Promise<string[]> {
  const signal = AbortSignal.timeout(watchMs);
  const types: string[] = [];
  for await (const batch of api.watch({ method: "GET", path, query, signal })) {
    types.push(...batch.map(({ type }) => type));
    if (types.includes("DELETED")) break;
  }
  return types;
}

async function live(api: LocalTransport, object: KubernetesObject, path: string, hasStatus: boolean): Promise<void> {
  const ask = asking(api);
  const name = object.metadata.name ?? "";
  const own = `${path}/${name}`;
  const query = { labelSelector: `life=${name}` };
  const everywhere = path.replace(/\/namespaces\/[^/]+/, "");
  const names = async (where: string) =>
    ((await ask("GET", where, undefined, { query })).items ?? []).map(({ metadata }) => metadata.name);

  const { resourceVersion = "" } = (await ask("GET", path, undefined, { query })).metadata;
  const events = watched(api, path, { ...query, resourceVersion });
  const created = await ask("POST", path, { ...object, metadata: { ...object.metadata, labels: { life: name } } });
  expect(created.metadata).toMatchObject({ name, uid: expect.any(String), creationTimestamp: expect.any(String) });
  expect((await ask("GET", own)).metadata.uid).toBe(created.metadata.uid);
  expect([await names(path), await names(everywhere)]).toEqual([[name], [name]]);

  const patched = await ask("PATCH", own, { metadata: { labels: { patched: "yes" } } }, mergePatch);
  expect(patched.metadata.labels).toEqual({ life: name, patched: "yes" });
  const updated = { ...patched, metadata: { ...patched.metadata, annotations: { updated: "yes" } } };
  expect((await ask("PUT", own, updated)).metadata.annotations).toMatchObject({ updated: "yes" });
  const stale = { ...updated, metadata: { ...updated.metadata, annotations: { updated: "late" } } };
  expect((await api.request({ method: "PUT", path: own, body: stale })).code).toBe(409);
  if (hasStatus) {
    const status = await ask("GET", `${own}/status`);
    expect((await ask("PUT", `${own}/status`, status)).metadata.uid).toBe(created.metadata.uid);
    await ask("PATCH", `${own}/status`, { metadata: { labels: { patched: "yes" } } }, mergePatch);
  }

  const body = { propagationPolicy: "Background", gracePeriodSeconds: 0 };
  await ask("DELETE", path, body, { query });
  const { code } = await api.request({ method: "GET", path: own });
  // Some are held until nobody uses them; here nobody looks whether anybody does.
  if (code === 200) await ask("PATCH", own, { metadata: { finalizers: null } }, mergePatch);
  expect((await api.request({ method: "GET", path: own })).code).toBe(404);
  expect(await names(everywhere)).toEqual([]);
  const types = await events;
  expect([types[0], types.at(-1)]).toEqual(["ADDED", "DELETED"]);
  expect(types.slice(1, -1)).toEqual(types.slice(1, -1).map(() => "MODIFIED"));
  expect(types.length).toBeGreaterThanOrEqual(4);
}

stories(
  "lives:",
  Object.entries(samples).map(([key, fields]): Story => {
    const [group, kind] = key.split("/");
    const { version, status } = allDefinitions.find((one) => one.group === group && one.kind === kind)!;
    const apiVersion = group === "" ? version : `${group}/${version}`;
    return [
      key,
      {
        async run(transport, names) {
          const object = fill({ apiVersion, kind, metadata: { name: "{ns}" }, ...fields }, names) as KubernetesObject;
          await live(transport(administrator), object, fill(collectionPath(object), names), status !== undefined);
        },
      },
    ];
  }),
);

it("every kind has a life here, or is known to have another", () => {
  const all = allDefinitions.map(({ group, kind }) => `${group}/${kind}`);
  expect(all.filter((key) => !(key in samples) && !others.has(key))).toEqual([]);
});
