/** Pods and nodes: defaults, validation, what may change, binding, eviction, resizing, security levels. */
import {
  create,
  get,
  jsonPatch,
  mergePatch,
  post,
  put,
  remove,
  storyServer,
  strategicPatch,
  type Story,
} from "#test/support/story.ts";
import { disruptionBudget, node, pod, priorityClass } from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const invalid = (claim: string, spec: Fields, text: string): Story => [claim, create(pod("p", spec)).isInvalid(text)];
const badContainer = (claim: string, container: Fields, text: string): Story => [
  claim,
  create(pod("p", {}, container)).isInvalid(text),
];
const c = "spec.containers[0]";

stories("a new pod", [
  [
    "gets defaults",
    create(pod("p")).shows({
      metadata: { generation: 1 },
      spec: {
        containers: [
          {
            name: "c",
            image: "app:1",
            resources: {},
            terminationMessagePath: "/dev/termination-log",
            terminationMessagePolicy: "File",
            imagePullPolicy: "IfNotPresent",
          },
        ],
        restartPolicy: "Always",
        terminationGracePeriodSeconds: 30,
        dnsPolicy: "ClusterFirst",
        serviceAccountName: "default",
        serviceAccount: "default",
        securityContext: {},
        schedulerName: "default-scheduler",
        priority: 0,
        enableServiceLinks: true,
        preemptionPolicy: "PreemptLowerPriority",
      },
      status: { phase: "Pending", qosClass: "BestEffort" },
    }),
  ],
  [
    "tolerates lost nodes for five minutes",
    create(pod("p")).has(
      "spec.tolerations",
      ["not-ready", "unreachable"].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      })),
    ),
  ],
  [
    "mounts a token that lasts an hour",
    create(pod("p"))
      .shows({
        spec: {
          containers: [
            { volumeMounts: [{ readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }] },
          ],
        },
      })
      .has("spec.volumes.0.projected.sources.0", { serviceAccountToken: { expirationSeconds: 3607, path: "token" } }),
  ],
  ["mounts none if told so", create(pod("p", { automountServiceAccountToken: false })).lacks("spec.volumes")],
  [
    "pulls an image without a tag each time",
    create(pod("p", {}, { image: "app" })).has("spec.containers.0.imagePullPolicy", "Always"),
  ],
  [
    "requests what it limits",
    create(pod("p", {}, { resources: { limits: { cpu: "1", memory: "1Gi" } } }))
      .has("spec.containers.0.resources.requests", { cpu: "1", memory: "1Gi" })
      .has("status.qosClass", "Guaranteed"),
  ],
  [
    "is burstable with any request",
    create(pod("p", {}, { resources: { requests: { cpu: "1" } } })).has("status.qosClass", "Burstable"),
  ],
  [
    "probes with defaults",
    create(pod("p", {}, { livenessProbe: { httpGet: { port: 80 } } })).has("spec.containers.0.livenessProbe", {
      httpGet: { path: "/", port: 80, scheme: "HTTP" },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    }),
  ],
  [
    "gets default modes of volumes",
    create(
      pod("p", {
        automountServiceAccountToken: false,
        volumes: [
          { name: "v", configMap: { name: "m" } },
          { name: "h", hostPath: { path: "/x" } },
        ],
      }),
    ).has("spec.volumes", [
      { name: "v", configMap: { name: "m", defaultMode: 420 } },
      { name: "h", hostPath: { path: "/x", type: "" } },
    ]),
  ],
  [
    "takes its status from the server",
    create({ ...pod("p"), status: { phase: "Running" } }).has("status.phase", "Pending"),
  ],
]);

stories("a pod is invalid", [
  invalid("without containers", { containers: [] }, "spec.containers: Required value"),
  invalid(
    "with two containers of a name",
    {
      containers: [
        { name: "c", image: "a" },
        { name: "c", image: "b" },
      ],
    },
    'spec.containers[1].name: Duplicate value: "c"',
  ),
  invalid(
    "with debug containers from the start",
    { ephemeralContainers: [{ name: "d", image: "x" }] },
    "spec.ephemeralContainers: Forbidden: cannot be set on create",
  ),
  invalid(
    "with an unknown DNS policy",
    { dnsPolicy: "Magic" },
    'spec.dnsPolicy: Unsupported value: "Magic": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
  ),
  invalid(
    "with an unknown restart policy",
    { restartPolicy: "Sometimes" },
    'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
  ),
  invalid(
    "with its own and the host's processes",
    { shareProcessNamespace: true, hostPID: true },
    "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and HostPID cannot both be enabled",
  ),
  invalid(
    "with a toleration of any key but one value",
    { tolerations: [{ operator: "Equal", value: "x" }] },
    'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
  ),
  invalid(
    "with a volume from two places",
    { volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/x" } }] },
    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
  ),
  invalid(
    "with fewer than one domain to spread over",
    {
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", labelSelector: {}, minDomains: 0 },
      ],
    },
    "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than zero",
  ),
  invalid(
    "with an affinity of an unknown operator",
    {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "Like", values: ["x"] }] }],
          },
        },
      },
    },
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
  ),
  invalid(
    "with a volume whose faults are all told",
    { volumes: [{ name: "v", iscsi: { targetPortal: "", iqn: "bad", lun: 300 } }] },
    '[spec.volumes[0].iscsi.targetPortal: Required value, spec.volumes[0].iscsi.iqn: Invalid value: "bad": must be valid format starting with iqn, eui, or naa, spec.volumes[0].iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive]',
  ),
  badContainer(
    "with an image in blanks",
    { image: "nginx " },
    `${c}.image: Invalid value: "nginx ": must not have leading or trailing whitespace`,
  ),
  badContainer(
    "with a protocol in small letters",
    { ports: [{ containerPort: 80, protocol: "tcp" }] },
    `${c}.ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"`,
  ),
  badContainer(
    "with a host port beyond the last",
    { ports: [{ containerPort: 80, hostPort: 65536 }] },
    `${c}.ports[0].hostPort: Invalid value: 65536: must be between 1 and 65535, inclusive`,
  ),
  badContainer(
    "with a variable from two places",
    {
      env: [
        { name: "A", valueFrom: { fieldRef: { fieldPath: "metadata.name" }, secretKeyRef: { name: "s", key: "k" } } },
      ],
    },
    `${c}.env[0].valueFrom: Invalid value: "": may not have more than one field specified at a time`,
  ),
  badContainer(
    "with a variable that has value and source",
    { env: [{ name: "A", value: "x", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] },
    `${c}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
  ),
  badContainer(
    "with a mount of no volume",
    { volumeMounts: [{ name: "v", mountPath: "/x" }] },
    `${c}.volumeMounts[0].name: Not found: "v"`,
  ),
  badContainer(
    "with huge pages alone",
    { resources: { limits: { "hugepages-2Mi": "2Mi" } } },
    `${c}.resources: Forbidden: HugePages require cpu or memory`,
  ),
  badContainer(
    "with a request above its limit",
    { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
    `${c}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ),
  badContainer(
    "with a probe of nothing",
    { livenessProbe: { exec: { command: [] } } },
    `${c}.livenessProbe.exec.command: Required value`,
  ),
  badContainer(
    "with a probe that ends at once",
    { livenessProbe: { exec: { command: ["a"] }, terminationGracePeriodSeconds: 0 } },
    `${c}.livenessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0`,
  ),
  badContainer(
    "with an unknown seccomp profile",
    { securityContext: { seccompProfile: { type: "Strict" } } },
    `${c}.securityContext.seccompProfile.type: Unsupported value: "Strict": supported values: "Localhost", "RuntimeDefault", "Unconfined"`,
  ),
]);

stories("a pod is warned of", [
  [
    "ports that come twice",
    create(pod("p", {}, { ports: [{ containerPort: 80 }, { containerPort: 80 }] })).warns(
      `${c}.ports[1]: duplicate port definition with ${c}.ports[0]`,
    ),
  ],
  [
    "bytes in fractions",
    create(pod("p", {}, { resources: { requests: { memory: "1500m" } } })).warns(
      `${c}.resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer`,
    ),
  ],
]);

const add = (path: string, value: unknown) => [{ op: "add", path, value }];
const update = (claim: string, patch: unknown, text: string, spec: Fields = {}): Story => [
  claim,
  create(pod("p", spec)),
  jsonPatch("pods/p", patch).answers(422, `Pod "p" is invalid: ${text}`),
];
stories("a change of a pod", [
  [
    "may change an image, which makes a generation",
    create(pod("p")),
    jsonPatch("pods/p", add("/spec/containers/0/image", "app:2")).has("metadata.generation", 2),
    mergePatch("pods/p", { metadata: { labels: { a: "b" } } }).has("metadata.generation", 2),
  ],
  ["may set a deadline", create(pod("p")), mergePatch("pods/p", { spec: { activeDeadlineSeconds: 50 } })],
  [
    "may add a toleration",
    create(pod("p")),
    jsonPatch("pods/p", add("/spec/tolerations/-", { key: "k", operator: "Exists" })),
  ],
  update(
    "may not change one",
    [{ op: "replace", path: "/spec/tolerations/0/key", value: "other" }],
    "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
    { tolerations: [{ key: "k", operator: "Exists" }] },
  ),
  update(
    "may not add containers",
    add("/spec/initContainers", [{ name: "i", image: "x" }]),
    "spec.initContainers: Forbidden: pod updates may not add or remove containers",
  ),
  update(
    "may not leave an image empty",
    [{ op: "replace", path: "/spec/containers/0/image", value: "" }],
    `${c}.image: Required value`,
  ),
  update(
    "may not add a gate",
    add("/spec/schedulingGates/-", { name: "two" }),
    "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'two'",
    { schedulingGates: [{ name: "one" }] },
  ),
  update(
    "may only add to the node selector while gated",
    [{ op: "replace", path: "/spec/nodeSelector", value: { a: "z" } }],
    'spec.nodeSelector: Invalid value: {"a":"z"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    { schedulingGates: [{ name: "one" }], nodeSelector: { a: "b" } },
  ),
  ["may change nothing else", create(pod("p")), mergePatch("pods/p", { spec: { hostname: "h" } }).answers(422)],
]);

stories("a pod's status", [
  [
    "changes by itself",
    create(pod("p")),
    mergePatch("pods/p/status", {
      metadata: { annotations: { a: "b" } },
      spec: { restartPolicy: "Never" },
      status: { phase: "Running", message: "m" },
    }).shows({ spec: { restartPolicy: "Always" }, status: { phase: "Running", message: "m" } }),
  ],
  [
    "counts generations from zero",
    create(pod("p")),
    mergePatch("pods/p/status", { status: { observedGeneration: -1 } }).answers(
      422,
      'Pod "p" is invalid: status.observedGeneration: Invalid value: -1: must be a non-negative integer',
    ),
  ],
]);

const target = { kind: "Node", name: "n1" };
stories("binding", [
  [
    "names the node and says so in a condition",
    create(pod("p")),
    post("pods/p/binding", { metadata: { name: "p" }, target }).shows({ status: "Success" }),
    get("pods/p").shows({
      spec: { nodeName: "n1" },
      status: { conditions: [{ type: "PodScheduled", status: "True" }] },
    }),
  ],
  [
    "works once",
    create(pod("p")),
    post("pods/p/binding", { metadata: { name: "p" }, target }),
    post("pods/p/binding", { metadata: { name: "p" }, target }).answers(
      409,
      'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"',
    ),
  ],
  [
    "waits for gates",
    create(pod("p", { schedulingGates: [{ name: "g" }] })),
    post("pods/p/binding", { metadata: { name: "p" }, target }).answers(
      409,
      'Operation cannot be fulfilled on pods/binding "p": pod p has non-empty .spec.schedulingGates',
    ),
  ],
  [
    "names the pod of its path",
    create(pod("p")),
    post("pods/p/binding", { metadata: { name: "q" }, target }).answers(
      400,
      "name in URL does not match name in Binding object",
    ),
  ],
  [
    "cannot be read",
    create(pod("p")),
    get("pods/p/binding").answers(405, "the server does not allow this method on the requested resource"),
  ],
]);

const evict = (name = "p", options: Fields = {}) =>
  post("pods/p/eviction", { apiVersion: "policy/v1", kind: "Eviction", metadata: { name }, ...options });
const running = [
  create(pod("p", { nodeName: "n1" }, {}, { labels: { app: "a" } })),
  mergePatch("pods/p/status", { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } }),
];
const budget = create(disruptionBudget("b", { spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } } } }));
const observed = (disruptionsAllowed: number) =>
  mergePatch("poddisruptionbudgets/b/status", {
    status: { observedGeneration: 1, disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  });
stories("eviction", [
  [
    "may be of the version of old, not of one to come",
    create(pod("p")),
    ...["policy/v1beta1", "policy/v1"].map((apiVersion) =>
      post("pods/p/eviction?dryRun=All", { apiVersion, kind: "Eviction", metadata: { name: "p" } }).shows({
        status: "Success",
      }),
    ),
    post("pods/p/eviction", { apiVersion: "policy/v2", kind: "Eviction", metadata: { name: "p" } }).answers(
      400,
      'Eviction in version "v2" cannot be handled as a Eviction: no kind "Eviction" is registered for version "policy/v2" in scheme "pkg/api/legacyscheme/scheme.go:30"',
    ),
  ],
  [
    "of an unscheduled pod is at once",
    create(pod("p")),
    evict().shows({ status: "Success" }),
    get("pods/p").answers(404),
  ],
  [
    "takes the options of a deletion",
    ...running,
    evict("p", { deleteOptions: { gracePeriodSeconds: 3 } }),
    get("pods/p").shows({ metadata: { deletionGracePeriodSeconds: 3 } }),
  ],
  [
    "names the pod of its path",
    create(pod("p")),
    evict("q").answers(400, "name in URL does not match name in Eviction object"),
  ],
  [
    "waits for a budget nobody has looked at",
    ...running,
    budget,
    evict()
      .answers(429, "Cannot evict pod as it would violate the pod's disruption budget.")
      .shows({
        details: {
          causes: [
            { reason: "DisruptionBudget", message: "The disruption budget b is still being processed by the server." },
          ],
        },
      }),
  ],
  [
    "is refused by a budget that is used up",
    ...running,
    budget,
    observed(0),
    evict().answers(429, "Cannot evict pod as it would violate the pod's disruption budget."),
    get("pods/p").lacks("metadata.deletionTimestamp"),
  ],
  [
    "takes from a budget and tells the pod",
    ...running,
    budget,
    observed(1),
    evict(),
    get("poddisruptionbudgets/b").has("status.disruptionsAllowed", 0),
    get("pods/p").hasCondition("DisruptionTarget", { reason: "EvictionByEvictionAPI" }),
  ],
  [
    "knows one budget for a pod",
    ...running,
    budget,
    create(disruptionBudget("d", { spec: { minAvailable: 1, selector: { matchLabels: { app: "a" } } } })),
    evict().answers(
      500,
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    ),
  ],
]);

const debug = (container: Fields) =>
  strategicPatch("pods/p/ephemeralcontainers", {
    spec: { ephemeralContainers: [{ name: "d", image: "x", ...container }] },
  });
const linux = node(
  "{ns}",
  { status: { capacity: { cpu: "2", memory: "1Gi" } } },
  { labels: { "kubernetes.io/os": "linux" } },
);
stories("a pod that is changed in place", [
  [
    "gets debug containers and keeps them",
    create(pod("p")),
    debug({}).shows({ spec: { ephemeralContainers: [{ name: "d", imagePullPolicy: "Always" }] } }),
    mergePatch("pods/p/ephemeralcontainers", { spec: { ephemeralContainers: null } }).answers(
      422,
      'Pod "p" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral containers "d" may not be removed\n',
    ),
  ],
  [
    "debugs a container that is there",
    create(pod("p")),
    debug({ targetContainerName: "zz" }).answers(
      422,
      'Pod "p" is invalid: spec.ephemeralContainers[0].targetContainerName: Not found: "zz"',
    ),
  ],
  [
    "grows by resize",
    create(pod("p", {}, { resources: { requests: { cpu: "100m" } } })),
    strategicPatch("pods/p/resize", {
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "200m" } } }] },
    }).has("spec.containers.0.resources.requests", { cpu: "200m" }),
  ],
  [
    "grows as far as its node has room for it at all",
    create(linux),
    create(pod("p", { nodeName: "{ns}" }, { resources: { requests: { cpu: "100m" } } })),
    strategicPatch("pods/p/resize", {
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "3", memory: "2Gi" } } }] },
    })
      .answers(
        403,
        `pods "p" is forbidden: node didn't have enough allocatable resources: cpu, requested: 3000, allocatable: 2000; memory, requested: 2147483648, allocatable: 1073741824`,
      )
      .has("details", { name: "p", kind: "pods", causes: [{ reason: "NodeCapacity" }] }),
    strategicPatch("pods/p/resize", {
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "2" } } }] },
    }).has("spec.containers.0.resources.requests", { cpu: "2" }),
  ],
  [
    "grows on Linux only",
    create(node("{ns}", { status: { capacity: { cpu: "2", memory: "1Gi" } } })),
    create(pod("p", { nodeName: "{ns}" }, { resources: { requests: { cpu: "100m" } } })),
    strategicPatch("pods/p/resize", {
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] },
    }),
    mergePatch("/api/v1/nodes/{ns}", { metadata: { labels: { "kubernetes.io/os": "windows" } } }),
    // Which is told before how much it has.
    strategicPatch("pods/p/resize", {
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "500" } } }] },
    }).answers(403, 'pods "p" is forbidden: pod resize is only supported on linux nodes, node "{ns}" is "windows"'),
  ],
  [
    "grows on a node that is there",
    create(pod("p", { nodeName: "{ns}-gone" }, { resources: { requests: { cpu: "100m" } } })),
    strategicPatch("pods/p/resize", {
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] },
    }).answers(403, 'pods "p" is forbidden: node "{ns}-gone" not found'),
  ],
  [
    "grows as a whole where its node says that it can do that",
    create(linux),
    create(pod("p", { nodeName: "{ns}", resources: { requests: { cpu: "100m" } } })),
    strategicPatch("pods/p/resize", { spec: { resources: { requests: { cpu: "1" } } } }).answers(
      403,
      'pods "p" is forbidden: pod update requires features InPlacePodLevelResourcesVerticalScaling which are not available on node "{ns}"',
    ),
    mergePatch("/api/v1/nodes/{ns}/status", {
      status: { declaredFeatures: ["InPlacePodLevelResourcesVerticalScaling"] },
    }),
    strategicPatch("pods/p/resize", { spec: { resources: { requests: { cpu: "1" } } } }).has("spec.resources", {
      requests: { cpu: "1" },
    }),
  ],
  [
    "stays in its class",
    create(pod("p")),
    strategicPatch("pods/p/resize", {
      spec: { containers: [{ name: "c", resources: { requests: { cpu: "200m" } } }] },
    }).answers(
      422,
      'Pod "p" is invalid: spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
    ),
  ],
  ["of an unscheduled pod the log is empty", create(pod("p")), get("pods/p/log").answers(204)],
]);

stories("priority", [
  [
    "comes from the class",
    create(priorityClass("{ns}-high", { value: 1234, preemptionPolicy: "Never" })),
    create(pod("p", { priorityClassName: "{ns}-high" })).shows({ spec: { priority: 1234, preemptionPolicy: "Never" } }),
  ],
  [
    "needs a class that is there",
    create(pod("p", { priorityClassName: "nope" })).answers(
      403,
      'pods "p" is forbidden: no PriorityClass with name nope was found',
    ),
  ],
]);

stories("a node", [
  [
    "keeps the status it is made with, and can allocate what it has",
    create(node("{ns}", { status: { capacity: { cpu: "4" } } }))
      .has("status.allocatable", { cpu: "4" })
      .lacks("metadata.generation"),
  ],
  [
    "is tainted until it is ready",
    create(node("{ns}")).has("spec.taints", [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]),
  ],
  [
    "has one range for each family of addresses",
    create(node("{ns}", { spec: { podCIDR: "10.42.8.0/24" } })).has("spec.podCIDRs", ["10.42.8.0/24"]),
    mergePatch("/api/v1/nodes/{ns}", { spec: { podCIDR: "10.42.9.0/24", podCIDRs: ["10.42.9.0/24"] } }).answers(
      422,
      'Node "{ns}" is invalid: spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    ),
  ],
  [
    "is warned of a field of old",
    create(node("{ns}", { spec: { externalID: "x" } })).warns(
      "spec.externalID: this field is deprecated, and is unused by Kubernetes",
    ),
    remove("/api/v1/nodes/{ns}"),
  ],
  [
    "changes its status apart",
    create(node("{ns}")),
    mergePatch("/api/v1/nodes/{ns}", { status: { capacity: { cpu: "4" } } }).lacks("status.capacity"),
    mergePatch("/api/v1/nodes/{ns}/status", { status: { capacity: { cpu: "4" } } }).has("status.capacity", {
      cpu: "4",
    }),
    put("/api/v1/nodes/{ns}", node("{ns}", { spec: { unschedulable: true } })).has("spec.unschedulable", true),
  ],
]);
