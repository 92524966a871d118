/**
 * The flow schemas and priority levels that every cluster has: mandatory ones, whose specs are fixed, and suggested
 * ones. Upstream: apiserver/pkg/apis/flowcontrol/bootstrap/default.go.
 */
import type {
  FlowcontrolV1Subject,
  V1FlowSchema,
  V1FlowSchemaSpec,
  V1PriorityLevelConfiguration,
  V1PriorityLevelConfigurationSpec,
  V1ResourcePolicyRule,
} from "#api/generated/types.ts";

const groups = (...names: string[]): FlowcontrolV1Subject[] =>
  names.map((name) => ({ kind: "Group", group: { name } }));
const users = (...names: string[]): FlowcontrolV1Subject[] => names.map((name) => ({ kind: "User", user: { name } }));
const systemAccounts = (...names: string[]): FlowcontrolV1Subject[] =>
  names.map((name) => ({ kind: "ServiceAccount", serviceAccount: { name, namespace: "kube-system" } }));

const everyone = groups("system:unauthenticated", "system:authenticated");
const rule = (verbs: string[], apiGroup: string, resources: string[], clusterScope = false): V1ResourcePolicyRule => ({
  verbs,
  apiGroups: [apiGroup],
  resources,
  ...(clusterScope ? { clusterScope } : {}),
  namespaces: ["*"],
});
const leaseRules = [rule(["get", "create", "update"], "coordination.k8s.io", ["leases"])];
const everything = {
  resourceRules: [rule(["*"], "*", ["*"], true)],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
};

type Rules = Omit<NonNullable<V1FlowSchemaSpec["rules"]>[number], "subjects">;

function flow(
  name: string,
  level: string,
  matchingPrecedence: number,
  distinguisher: "ByUser" | "ByNamespace" | undefined,
  subjects: FlowcontrolV1Subject[],
  rules: Rules = everything,
): V1FlowSchema {
  return {
    metadata: { name },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence,
      ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
      rules: [{ subjects, ...rules }],
    },
  };
}

const level = (name: string, spec: V1PriorityLevelConfigurationSpec): V1PriorityLevelConfiguration => ({
  metadata: { name },
  spec,
});

const queued = (name: string, shares: number, lendablePercent: number, queues: number, handSize: number) =>
  level(name, {
    type: "Limited",
    limited: {
      nominalConcurrencyShares: shares,
      limitResponse: { type: "Queue", queuing: { queues, handSize, queueLengthLimit: 50 } },
      lendablePercent,
    },
  });

export const mandatoryFlowSchemas: readonly V1FlowSchema[] = [
  flow("exempt", "exempt", 1, undefined, groups("system:masters")),
  flow("catch-all", "catch-all", 10_000, "ByUser", everyone),
];

export const mandatoryPriorityLevels: readonly V1PriorityLevelConfiguration[] = [
  level("exempt", { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  level("catch-all", {
    type: "Limited",
    limited: { nominalConcurrencyShares: 5, limitResponse: { type: "Reject" }, lendablePercent: 0 },
  }),
];

export const suggestedPriorityLevels: readonly V1PriorityLevelConfiguration[] = [
  queued("system", 30, 33, 64, 6),
  queued("node-high", 40, 25, 64, 6),
  queued("leader-election", 10, 0, 16, 4),
  queued("workload-high", 40, 50, 128, 6),
  queued("workload-low", 100, 90, 128, 6),
  queued("global-default", 20, 50, 128, 6),
];

const controllerManager = "system:kube-controller-manager";
const scheduler = "system:kube-scheduler";

export const suggestedFlowSchemas: readonly V1FlowSchema[] = [
  flow("system-nodes", "system", 500, "ByUser", groups("system:nodes")),
  flow("system-node-high", "node-high", 400, "ByUser", groups("system:nodes"), {
    resourceRules: [rule(["*"], "", ["nodes", "nodes/status"], true), rule(["*"], "coordination.k8s.io", ["leases"])],
  }),
  flow("probes", "exempt", 2, undefined, everyone, {
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
  }),
  flow(
    "system-leader-election",
    "leader-election",
    100,
    "ByUser",
    [...users(controllerManager, scheduler), ...systemAccounts("*")],
    { resourceRules: leaseRules },
  ),
  flow(
    "endpoint-controller",
    "workload-high",
    150,
    "ByUser",
    [...users(controllerManager), ...systemAccounts("endpoint-controller", "endpointslicemirroring-controller")],
    { resourceRules: [rule(["get", "create", "update"], "", ["endpoints"])] },
  ),
  flow("workload-leader-election", "leader-election", 200, "ByUser", systemAccounts("*"), {
    resourceRules: leaseRules,
  }),
  flow("kube-controller-manager", "workload-high", 800, "ByNamespace", users(controllerManager)),
  flow("kube-scheduler", "workload-high", 800, "ByNamespace", users(scheduler)),
  flow("kube-system-service-accounts", "workload-high", 900, "ByNamespace", systemAccounts("*")),
  flow("service-accounts", "workload-low", 9000, "ByUser", groups("system:serviceaccounts")),
  flow("global-default", "global-default", 9900, "ByUser", everyone),
];

/** Upstream keeps the spec of an object that says so as it wants it. */
export const autoUpdate = { "apf.kubernetes.io/autoupdate-spec": "true" };
