/** Every built-in kind, in the order in which discovery lists them within a group. A new kind is a file and a line here. */
import { CustomResourceDefinition } from "./apiextensions/custom-resource-definition.ts";
import { ControllerRevision } from "./apps/controller-revision.ts";
import { DaemonSet } from "./apps/daemon-set.ts";
import { Deployment } from "./apps/deployment.ts";
import { StatefulSet } from "./apps/stateful-set.ts";
import { ReplicaSet } from "./apps/replica-set.ts";
import { CronJob } from "./batch/cron-job.ts";
import { Job } from "./batch/job.ts";
import { Lease } from "./coordination/lease.ts";
import { ConfigMap } from "./core/config-map.ts";
import { Endpoints } from "./core/endpoints.ts";
import { Event } from "./core/event.ts";
import { Namespace } from "./core/namespace.ts";
import { Node } from "./core/node.ts";
import { PodTemplate } from "./core/pod-template.ts";
import { Pod } from "./core/pod.ts";
import { ReplicationController } from "./core/replication-controller.ts";
import { Secret } from "./core/secret.ts";
import { ServiceAccount } from "./core/service-account.ts";
import { Service } from "./core/service.ts";
import { EndpointSlice } from "./discovery/endpoint-slice.ts";
import { ClusterRoleBinding } from "./rbac/cluster-role-binding.ts";
import { ClusterRole } from "./rbac/cluster-role.ts";
import { RoleBinding } from "./rbac/role-binding.ts";
import { Role } from "./rbac/role.ts";
import type { ResourceDefinition } from "./resource.ts";

/** Forgets each definition's own type: it is handed only objects of its kind. */
const list = (definitions: readonly Pick<ResourceDefinition, "group" | "kind" | "schema">[]) =>
  definitions as readonly ResourceDefinition[];

export const allDefinitions: readonly ResourceDefinition[] = list([
  ConfigMap,
  Endpoints,
  Event,
  Namespace,
  Node,
  Pod,
  PodTemplate,
  ReplicationController,
  Secret,
  ServiceAccount,
  Service,
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
  CronJob,
  Job,
  ClusterRoleBinding,
  ClusterRole,
  RoleBinding,
  Role,
  CustomResourceDefinition,
  Lease,
  EndpointSlice,
]);
