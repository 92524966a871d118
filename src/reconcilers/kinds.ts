/** Kinds that reconcilers need by name and type alone. */
import type * as types from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { ResourceRef } from "#client/resource-path.ts";

function kind<T extends KubernetesObject>(
  apiVersion: string,
  name: string,
  plural: string,
  scope: "Namespaced" | "Cluster" = "Namespaced",
): ResourceRef<T> {
  const [first = "", second] = apiVersion.split("/");
  return { group: second === undefined ? "" : first, version: second ?? first, kind: name, plural, scope };
}

export type ReplicationController = types.V1ReplicationController;
export const ReplicationController = kind<ReplicationController>(
  "v1",
  "ReplicationController",
  "replicationcontrollers",
);
export type StatefulSet = types.V1StatefulSet;
export const StatefulSet = kind<StatefulSet>("apps/v1", "StatefulSet", "statefulsets");
export type DaemonSet = types.V1DaemonSet;
export const DaemonSet = kind<DaemonSet>("apps/v1", "DaemonSet", "daemonsets");
export type ControllerRevision = types.V1ControllerRevision;
export const ControllerRevision = kind<ControllerRevision>("apps/v1", "ControllerRevision", "controllerrevisions");
export type PersistentVolumeClaim = types.V1PersistentVolumeClaim;
export const PersistentVolumeClaim = kind<PersistentVolumeClaim>(
  "v1",
  "PersistentVolumeClaim",
  "persistentvolumeclaims",
);
export type Job = types.V1Job;
export const Job = kind<Job>("batch/v1", "Job", "jobs");
export type CronJob = types.V1CronJob;
export const CronJob = kind<CronJob>("batch/v1", "CronJob", "cronjobs");
export type PodDisruptionBudget = types.V1PodDisruptionBudget;
export const PodDisruptionBudget = kind<PodDisruptionBudget>(
  "policy/v1",
  "PodDisruptionBudget",
  "poddisruptionbudgets",
);
export type ResourceQuota = types.V1ResourceQuota;
export const ResourceQuota = kind<ResourceQuota>("v1", "ResourceQuota", "resourcequotas");
export type PersistentVolume = types.V1PersistentVolume;
export const PersistentVolume = kind<PersistentVolume>("v1", "PersistentVolume", "persistentvolumes", "Cluster");
export type StorageClass = types.V1StorageClass;
export const StorageClass = kind<StorageClass>("storage.k8s.io/v1", "StorageClass", "storageclasses", "Cluster");
