/** Where the scheduler's objects live in the API. */
import type {
  V1CSIDriver,
  V1CSINode,
  V1CSIStorageCapacity,
  V1DeviceClass,
  V1Namespace,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1ReplicaSet,
  V1ReplicationController,
  ResourceV1ResourceClaim,
  V1ResourceSlice,
  V1Service,
  V1StatefulSet,
  V1StorageClass,
} from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { ResourceRef } from "#client/client.ts";

function refTo<T extends KubernetesObject>(
  groupVersion: string,
  kind: string,
  plural: string,
  scope: "Namespaced" | "Cluster" = "Namespaced",
): ResourceRef<T> {
  const [group = "", version = ""] = groupVersion.includes("/") ? groupVersion.split("/") : ["", groupVersion];
  return { group, version, kind, plural, scope };
}

export const podRef = refTo<V1Pod>("v1", "Pod", "pods");
export const nodeRef = refTo<V1Node>("v1", "Node", "nodes", "Cluster");
export const namespaceRef = refTo<V1Namespace>("v1", "Namespace", "namespaces", "Cluster");
export const serviceRef = refTo<V1Service>("v1", "Service", "services");
export const replicationControllerRef = refTo<V1ReplicationController>(
  "v1",
  "ReplicationController",
  "replicationcontrollers",
);
export const replicaSetRef = refTo<V1ReplicaSet>("apps/v1", "ReplicaSet", "replicasets");
export const statefulSetRef = refTo<V1StatefulSet>("apps/v1", "StatefulSet", "statefulsets");
export const budgetRef = refTo<V1PodDisruptionBudget>("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets");
export const volumeRef = refTo<V1PersistentVolume>("v1", "PersistentVolume", "persistentvolumes", "Cluster");
export const volumeClaimRef = refTo<V1PersistentVolumeClaim>("v1", "PersistentVolumeClaim", "persistentvolumeclaims");
export const storageClassRef = refTo<V1StorageClass>("storage.k8s.io/v1", "StorageClass", "storageclasses", "Cluster");
export const csiNodeRef = refTo<V1CSINode>("storage.k8s.io/v1", "CSINode", "csinodes", "Cluster");
export const csiDriverRef = refTo<V1CSIDriver>("storage.k8s.io/v1", "CSIDriver", "csidrivers", "Cluster");
export const storageCapacityRef = refTo<V1CSIStorageCapacity>(
  "storage.k8s.io/v1",
  "CSIStorageCapacity",
  "csistoragecapacities",
);
export const deviceClassRef = refTo<V1DeviceClass>("resource.k8s.io/v1", "DeviceClass", "deviceclasses", "Cluster");
export const resourceSliceRef = refTo<V1ResourceSlice>(
  "resource.k8s.io/v1",
  "ResourceSlice",
  "resourceslices",
  "Cluster",
);
export const resourceClaimRef = refTo<ResourceV1ResourceClaim>("resource.k8s.io/v1", "ResourceClaim", "resourceclaims");

/** Kinds that a server must have; the others are taken as empty where they are not served. */
export const requiredKinds = [podRef, nodeRef, namespaceRef] as const;
export const optionalKinds = [
  serviceRef,
  replicationControllerRef,
  replicaSetRef,
  statefulSetRef,
  budgetRef,
  volumeRef,
  volumeClaimRef,
  storageClassRef,
  csiNodeRef,
  csiDriverRef,
  storageCapacityRef,
  deviceClassRef,
  resourceSliceRef,
  resourceClaimRef,
] as const;
