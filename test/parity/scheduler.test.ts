/** Where pods go, and the words for why they go nowhere. */
import {
  afterwards,
  create,
  get,
  mergePatch,
  remove,
  storyServer,
  type Runnable,
  type Story,
} from "#test/support/story.ts";
import { node, pod, priorityClass } from "#test/support/story-objects.ts";

const stories = storyServer("scheduler");

type Fields = Record<string, unknown>;
const room = { cpu: "4", memory: "8Gi", pods: "110", "ephemeral-storage": "10Gi" };

/** A node of this story alone; names are a, b, c with the namespace before them. */
const nodeNamed = (
  name: string,
  { labels = {}, taints = null, ...spec }: Fields = {},
  has: Fields = {},
): Runnable[] => [
  create(
    node(
      `{ns}-${name}`,
      { spec, status: { capacity: { ...room, ...has }, allocatable: { ...room, ...has } } },
      { labels: labels as Fields },
    ),
  ),
  // What a node controller does when a node is ready.
  mergePatch(`/api/v1/nodes/{ns}-${name}`, { spec: { taints } }),
];
/** Nodes, the steps, and everything gone again: a message counts all nodes of the cluster. */
const cluster = (claim: string, nodes: Record<string, readonly [Fields?, Fields?]>, ...steps: Runnable[]): Story => [
  claim,
  ...Object.entries(nodes).flatMap(([name, [spec, has]]) => nodeNamed(name, spec, has)),
  ...steps,
  afterwards(remove("pods?gracePeriodSeconds=0")),
  ...Object.keys(nodes).map((name) => afterwards(remove(`/api/v1/nodes/{ns}-${name}`))),
];
const goesTo = (name: string, podName = "p") =>
  get(`pods/${podName}`)
    .shows({ spec: { nodeName: `{ns}-${name}` }, status: { conditions: [{ type: "PodScheduled", status: "True" }] } })
    .eventually();
const waits = (message: string, podName = "p") =>
  get(`pods/${podName}`)
    .shows({ status: { conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }] } })
    .lacks("spec.nodeName")
    .eventually();
const unhelpful = (count: number, why: string, of = count) =>
  `0/${of} nodes are available: ${why}. no new claims to deallocate, preemption: 0/${of} nodes are available: ${count} Preemption is not helpful for scheduling.`;
const noVictims = (why: string) =>
  `0/1 nodes are available: ${why}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.`;
const asks = (cpu: string) => ({ resources: { requests: { cpu } } });

stories("room", [
  cluster("that is just enough is enough", { a: [] }, create(pod("p", {}, asks("4"))), goesTo("a")),
  cluster(
    "that is short by a thousandth is not",
    { a: [] },
    create(pod("p", {}, asks("4001m"))),
    waits(unhelpful(1, "1 Insufficient cpu")),
  ),
  cluster(
    "that others took is taken",
    { a: [] },
    create(pod("o", {}, asks("3"))),
    goesTo("a", "o"),
    create(pod("p", {}, asks("2"))),
    waits(noVictims("1 Insufficient cpu")),
  ),
  cluster(
    "is the sum of containers, or the largest of those before",
    { a: [] },
    create(
      pod(
        "p",
        {
          initContainers: [
            { name: "i", image: "x", ...asks("4") },
            { name: "j", image: "x", ...asks("4") },
          ],
        },
        asks("3"),
      ),
    ),
    goesTo("a"),
  ),
  cluster(
    "is kept for sidecars too",
    { a: [] },
    create(pod("p", { initContainers: [{ name: "i", image: "x", restartPolicy: "Always", ...asks("2") }] }, asks("3"))),
    waits(unhelpful(1, "1 Insufficient cpu")),
  ),
  cluster(
    "is what can be allocated",
    { a: [{}, { pods: "0" }] },
    create(pod("p")),
    waits(noVictims("1 Too many pods")),
  ),
  cluster("on another node is room", { a: [{}, { cpu: "1" }], b: [] }, create(pod("p", {}, asks("2"))), goesTo("b")),
]);

const term = (expression: Fields, field = "matchExpressions") => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ [field]: [expression] }] },
    },
  },
});
const noMatch = "node(s) didn't match Pod's node affinity/selector";
stories("a choice of nodes", [
  cluster(
    "by labels",
    { a: [], b: [{ labels: { disk: "fast" } }] },
    create(pod("p", { nodeSelector: { disk: "fast" } })),
    goesTo("b"),
  ),
  cluster(
    "that no node meets",
    { a: [] },
    create(pod("p", { nodeSelector: { disk: "fast" } })),
    waits(unhelpful(1, `1 ${noMatch}`)),
  ),
  cluster(
    "by what a label is not, or when it is missing",
    { a: [{ labels: { disk: "slow" } }], b: [] },
    create(pod("p", term({ key: "disk", operator: "NotIn", values: ["slow"] }))),
    goesTo("b"),
  ),
  cluster(
    "by number",
    { a: [{ labels: { n: "3" } }], b: [{ labels: { n: "7" } }] },
    create(pod("p", term({ key: "n", operator: "Gt", values: ["5"] }))),
    goesTo("b"),
  ),
  cluster(
    "by number, of a word",
    { a: [{ labels: { n: "many" } }] },
    create(pod("p", term({ key: "n", operator: "Gt", values: ["5"] }))),
    waits(unhelpful(1, `1 ${noMatch}`)),
  ),
  cluster(
    "by name",
    { a: [], b: [] },
    create(pod("p", term({ key: "metadata.name", operator: "In", values: ["{ns}-b"] }, "matchFields"))),
    goesTo("b"),
  ),
  cluster(
    "by preference",
    { a: [], b: [{ labels: { disk: "fast" } }] },
    create(
      pod("p", {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 100, preference: { matchExpressions: [{ key: "disk", operator: "Exists" }] } },
            ],
          },
        },
      }),
    ),
    goesTo("b"),
  ),
]);

const tainted = { taints: [{ key: "k", value: "v", effect: "NoSchedule" }] };
stories("a taint", [
  cluster(
    "keeps pods away",
    { a: [tainted] },
    create(pod("p")),
    waits(unhelpful(1, "1 node(s) had untolerated taint(s)")),
  ),
  cluster(
    "is tolerated by key and value",
    { a: [tainted] },
    create(pod("p", { tolerations: [{ key: "k", value: "v", effect: "NoSchedule" }] })),
    goesTo("a"),
  ),
  cluster(
    "is tolerated by those who tolerate all",
    { a: [tainted] },
    create(pod("p", { tolerations: [{ operator: "Exists" }] })),
    goesTo("a"),
  ),
  cluster(
    "of preference is avoided",
    { a: [{ taints: [{ key: "k", effect: "PreferNoSchedule" }] }], b: [] },
    create(pod("p")),
    goesTo("b"),
  ),
  cluster(
    "of a closed node is one too",
    { a: [{ unschedulable: true }] },
    create(pod("p")),
    waits(unhelpful(1, "1 node(s) were unschedulable")),
  ),
]);

const near = (kind: string, labels: Fields, topologyKey = "kubernetes.io/hostname") => ({
  affinity: {
    [kind]: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: labels }, topologyKey }],
    },
  },
});
const host = (name: string) => ({ labels: { "kubernetes.io/hostname": name } });
stories("pods among pods", [
  cluster(
    "want others near",
    { a: [host("a")], b: [host("b")] },
    create(pod("o", { nodeSelector: { "kubernetes.io/hostname": "b" } }, {}, { labels: { app: "x" } })),
    goesTo("b", "o"),
    create(pod("p", near("podAffinity", { app: "x" }))),
    goesTo("b"),
  ),
  cluster(
    "want others near that are not there",
    { a: [host("a")] },
    create(pod("p", near("podAffinity", { app: "x" }))),
    waits(unhelpful(1, "1 node(s) didn't match pod affinity rules")),
  ),
  cluster(
    "want others far",
    { a: [host("a")] },
    create(pod("o", {}, {}, { labels: { app: "x" } })),
    goesTo("a", "o"),
    create(pod("p", near("podAntiAffinity", { app: "x" }))),
    waits(noVictims("1 node(s) didn't match pod anti-affinity rules")),
  ),
  cluster(
    "are kept far by others",
    { a: [host("a")] },
    create(pod("o", near("podAntiAffinity", { app: "x" }))),
    goesTo("a", "o"),
    create(pod("p", {}, {}, { labels: { app: "x" } })),
    waits(noVictims("1 node(s) didn't satisfy existing pods anti-affinity rules")),
  ),
  cluster(
    "spread over zones",
    { a: [{ labels: { zone: "a" } }], b: [{ labels: { zone: "b" } }] },
    create(pod("o", { nodeSelector: { zone: "a" } }, {}, { labels: { app: "x" } })),
    goesTo("a", "o"),
    create(
      pod(
        "p",
        {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: "zone",
              whenUnsatisfiable: "DoNotSchedule",
              labelSelector: { matchLabels: { app: "x" } },
            },
          ],
        },
        {},
        { labels: { app: "x" } },
      ),
    ),
    goesTo("b"),
  ),
  cluster(
    "share no host port",
    { a: [] },
    create(pod("o", {}, { ports: [{ containerPort: 80, hostPort: 80 }] })),
    goesTo("a", "o"),
    create(pod("p", {}, { ports: [{ containerPort: 80, hostPort: 80 }] })),
    waits(noVictims("1 node(s) didn't have free ports for the requested pod ports")),
  ),
]);

stories("a pod that waits", [
  [
    "without nodes hears so",
    create(pod("p")),
    waits("no nodes available to schedule pods"),
    afterwards(remove("pods?gracePeriodSeconds=0")),
  ],
  cluster(
    "hears each node's reason, sorted as text",
    { a: [{}, { cpu: "1" }], b: [{ labels: { disk: "fast" }, ...tainted }], c: [{ labels: { disk: "slow" } }] },
    create(pod("p", term({ key: "disk", operator: "NotIn", values: ["slow"] }), asks("2"))),
    waits(unhelpful(3, `1 Insufficient cpu, 1 ${noMatch}, 1 node(s) had untolerated taint(s)`)),
  ),
  cluster(
    "is told in an event as well",
    { a: [] },
    create(pod("p", {}, asks("5"))),
    get("events?fieldSelector=reason=FailedScheduling")
      .shows({
        items: [
          { type: "Warning", message: unhelpful(1, "1 Insufficient cpu"), involvedObject: { kind: "Pod", name: "p" } },
        ],
      })
      .eventually(),
  ),
  cluster(
    "goes when there is room",
    { a: [] },
    create(pod("o", {}, asks("3"))),
    goesTo("a", "o"),
    create(pod("p", {}, asks("2"))),
    waits(noVictims("1 Insufficient cpu")),
    remove("pods/o?gracePeriodSeconds=0"),
    goesTo("a"),
  ),
  cluster(
    "behind a gate says so",
    { a: [] },
    create(pod("p", { schedulingGates: [{ name: "x.io/g" }] })).shows({
      status: {
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "SchedulingGated",
            message: "Scheduling is blocked due to non-empty scheduling gates",
          },
        ],
      },
    }),
    mergePatch("pods/p", { spec: { schedulingGates: [] } }),
    goesTo("a"),
  ),
  cluster(
    "for a claim that is missing",
    { a: [] },
    create(pod("p", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "none" } }] })),
    waits('0/1 nodes are available: persistentvolumeclaim "none" not found. not found'),
  ),
  cluster(
    "of another scheduler is not ours",
    { a: [] },
    create(pod("o", { schedulerName: "other" })),
    create(pod("p")),
    goesTo("a"),
    get("pods/o").lacks("spec.nodeName", "status.conditions"),
  ),
]);

stories("a pod of higher priority", [
  cluster(
    "takes the room of a lower one",
    { a: [] },
    create(priorityClass("{ns}", { value: 1000 })),
    create(pod("o", {}, asks("3"))),
    goesTo("a", "o"),
    create(pod("p", { priorityClassName: "{ns}" }, asks("3"))),
    get("pods/o")
      .hasCondition("DisruptionTarget", {
        reason: "PreemptionByScheduler",
        message: "default-scheduler: preempting to accommodate a higher priority pod",
      })
      .eventually(),
    get("pods/p").has("status.nominatedNodeName", "{ns}-a").eventually(),
  ),
  cluster(
    "takes nothing if it never does",
    { a: [] },
    create(priorityClass("{ns}", { value: 1000, preemptionPolicy: "Never" })),
    create(pod("o", {}, asks("3"))),
    goesTo("a", "o"),
    create(pod("p", { priorityClassName: "{ns}" }, asks("3"))),
    waits(
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
    ),
  ),
]);
