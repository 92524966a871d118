/** Small objects for stories: what a test does not speak of, they say. */
import type { Written } from "./story.ts";

type Fields = Record<string, unknown>;
const object =
  (apiVersion: string, kind: string) =>
  (name: string, fields: Fields = {}, metadata: Fields = {}): Written => ({
    apiVersion,
    kind,
    metadata: { name, ...metadata },
    ...fields,
  });

export const configMap = object("v1", "ConfigMap");
export const secret = object("v1", "Secret");
export const namespace = object("v1", "Namespace");
export const node = object("v1", "Node");
export const serviceAccount = object("v1", "ServiceAccount");
export const event = object("v1", "Event");
export const endpoints = object("v1", "Endpoints");
export const resourceQuota = object("v1", "ResourceQuota");
export const limitRange = object("v1", "LimitRange");
export const persistentVolume = object("v1", "PersistentVolume");
export const persistentVolumeClaim = object("v1", "PersistentVolumeClaim");
export const storageClass = object("storage.k8s.io/v1", "StorageClass");
export const lease = object("coordination.k8s.io/v1", "Lease");
export const endpointSlice = object("discovery.k8s.io/v1", "EndpointSlice");
export const role = object("rbac.authorization.k8s.io/v1", "Role");
export const clusterRole = object("rbac.authorization.k8s.io/v1", "ClusterRole");
export const roleBinding = object("rbac.authorization.k8s.io/v1", "RoleBinding");
export const clusterRoleBinding = object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding");
export const disruptionBudget = object("policy/v1", "PodDisruptionBudget");
export const priorityClass = object("scheduling.k8s.io/v1", "PriorityClass");
export const runtimeClass = object("node.k8s.io/v1", "RuntimeClass");
export const customResourceDefinition = object("apiextensions.k8s.io/v1", "CustomResourceDefinition");
export const ingress = object("networking.k8s.io/v1", "Ingress");
export const networkPolicy = object("networking.k8s.io/v1", "NetworkPolicy");
export const deviceClass = object("resource.k8s.io/v1", "DeviceClass");
export const resourceClaim = object("resource.k8s.io/v1", "ResourceClaim");
export const autoscaler = object("autoscaling/v2", "HorizontalPodAutoscaler");

/** A pod of one container "c"; fields of its spec and of the container. */
export const pod = (name: string, spec: Fields = {}, container: Fields = {}, metadata: Fields = {}): Written =>
  object("v1", "Pod")(name, { spec: { containers: [{ name: "c", image: "app:1", ...container }], ...spec } }, metadata);

export const service = (name: string, spec: Fields = {}, metadata: Fields = {}): Written =>
  object("v1", "Service")(name, { spec: { ports: [{ port: 80 }], ...spec } }, metadata);

export const template = (spec: Fields = {}, labels: Fields = { app: "a" }): Fields => ({
  metadata: { labels },
  spec: { containers: [{ name: "c", image: "app:1" }], ...spec },
});

const workload =
  (kind: string) =>
  (name: string, spec: Fields = {}, metadata: Fields = {}) =>
    object("apps/v1", kind)(
      name,
      { spec: { selector: { matchLabels: { app: "a" } }, template: template(), ...spec } },
      metadata,
    );
export const deployment = workload("Deployment");
export const replicaSet = workload("ReplicaSet");
export const statefulSet = workload("StatefulSet");
export const daemonSet = workload("DaemonSet");

export const job = (name: string, spec: Fields = {}, metadata: Fields = {}): Written =>
  object("batch/v1", "Job")(
    name,
    { spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "app:1" }] } }, ...spec } },
    metadata,
  );
export const cronJob = (name: string, spec: Fields = {}): Written =>
  object("batch/v1", "CronJob")(name, {
    spec: { schedule: "*/5 * * * *", jobTemplate: { spec: job("").spec as Fields }, ...spec },
  });
