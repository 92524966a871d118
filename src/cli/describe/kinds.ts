/** Which kinds have a describer of their own; all others are described field by field. */
import type { DiscoveredResource } from "#client/discovery.ts";
import { describeConfigMap, describeSecret, describeServiceAccount } from "./configuration.ts";
import type { Describer } from "./describer.ts";
import { describeGeneric } from "./generic.ts";
import { describeNamespace } from "./namespace.ts";
import { describeEndpointSlice, describeEndpoints, describeService } from "./network.ts";
import { describeNode } from "./node.ts";
import { describePod } from "./pod.ts";
import { describeRole, describeRoleBinding } from "./rbac.ts";
import { describeDaemonSet, describeDeployment, describeReplicaSet, describeStatefulSet } from "./workloads.ts";

const describers: Readonly<Record<string, Describer>> = {
  "/Pod": describePod,
  "/Node": describeNode,
  "/Namespace": describeNamespace,
  "/Service": describeService,
  "/Endpoints": describeEndpoints,
  "/ConfigMap": describeConfigMap,
  "/Secret": describeSecret,
  "/ServiceAccount": describeServiceAccount,
  "discovery.k8s.io/EndpointSlice": describeEndpointSlice,
  "apps/Deployment": describeDeployment,
  "apps/ReplicaSet": describeReplicaSet,
  "apps/StatefulSet": describeStatefulSet,
  "apps/DaemonSet": describeDaemonSet,
  "rbac.authorization.k8s.io/Role": describeRole,
  "rbac.authorization.k8s.io/ClusterRole": describeRole,
  "rbac.authorization.k8s.io/RoleBinding": describeRoleBinding,
  "rbac.authorization.k8s.io/ClusterRoleBinding": describeRoleBinding,
};

export const describerOf = ({ group, kind }: DiscoveredResource): Describer =>
  describers[`${group}/${kind}`] ?? describeGeneric;
