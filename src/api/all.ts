/** Every built-in kind, in the order in which discovery lists them within a group. A new kind is a file and a line here. */
import { CustomResourceDefinition } from "./apiextensions/custom-resource-definition.ts";
import { ControllerRevision } from "./apps/controller-revision.ts";
import { DaemonSet } from "./apps/daemon-set.ts";
import { Deployment } from "./apps/deployment.ts";
import { ReplicaSet } from "./apps/replica-set.ts";
import { StatefulSet } from "./apps/stateful-set.ts";
import { HorizontalPodAutoscaler } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { CronJob } from "./batch/cron-job.ts";
import { Job } from "./batch/job.ts";
import { Lease } from "./coordination/lease.ts";
import { ConfigMap } from "./core/config-map.ts";
import { Endpoints } from "./core/endpoints.ts";
import { Event } from "./core/event.ts";
import { LimitRange } from "./core/limit-range.ts";
import { Namespace } from "./core/namespace.ts";
import { Node } from "./core/node.ts";
import { PodTemplate } from "./core/pod-template.ts";
import { Pod } from "./core/pod.ts";
import { ReplicationController } from "./core/replication-controller.ts";
import { ResourceQuota } from "./core/resource-quota.ts";
import { Secret } from "./core/secret.ts";
import { ServiceAccount } from "./core/service-account.ts";
import { Service } from "./core/service.ts";
import { EndpointSlice } from "./discovery/endpoint-slice.ts";
import { RuntimeClass } from "./node/runtime-class.ts";
import { PodDisruptionBudget } from "./policy/pod-disruption-budget.ts";
import { ClusterRoleBinding } from "./rbac/cluster-role-binding.ts";
import { ClusterRole } from "./rbac/cluster-role.ts";
import { RoleBinding } from "./rbac/role-binding.ts";
import { Role } from "./rbac/role.ts";
import { PriorityClass } from "./scheduling/priority-class.ts";
import type { ResourceDefinition } from "./resource.ts";

/** Forgets each definition's own type: it is handed only objects of its kind. */
const list = (definitions: readonly Pick<ResourceDefinition, "group" | "kind" | "schema">[]) =>
  definitions as readonly ResourceDefinition[];

export const allDefinitions: readonly ResourceDefinition[] = list([
  ConfigMap,
  Endpoints,
  Event,
  LimitRange,
  Namespace,
  Node,
  Pod,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
  ServiceAccount,
  Service,
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
  HorizontalPodAutoscaler,
  CronJob,
  Job,
  PodDisruptionBudget,
  ClusterRoleBinding,
  ClusterRole,
  RoleBinding,
  Role,
  PriorityClass,
  CustomResourceDefinition,
  Lease,
  RuntimeClass,
  EndpointSlice,
]);
