/** Rules of pods, nodes and quotas that are told in places and words of their own. */
import { expect } from "vitest";
import {
  afterwards,
  create,
  get,
  mergePatch,
  post,
  put,
  remove,
  storyServer,
  strategicPatch,
  type Story,
} from "#test/support/story.ts";
import { event, limitRange, node, pod, resourceQuota, serviceAccount } from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const invalid = (claim: string, spec: Fields, ...texts: string[]): Story => [
  claim,
  create(pod("p", spec)).isInvalid(texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`),
];
const volume = (source: Fields) => ({ volumes: [{ name: "v", ...source }] });
const v = "spec.volumes[0]";

stories("a volume", [
  invalid(
    "of GCE is told under another name",
    volume({ gcePersistentDisk: {} }),
    `${v}.persistentDisk.pdName: Required value`,
  ),
  invalid(
    "with a token tells its path at the whole",
    volume({ projected: { sources: [{ serviceAccountToken: { path: "" } }] } }),
    `${v}.projected.path: Required value`,
  ),
  invalid(
    "with files of the pod tells their faults at the whole",
    volume({ downwardAPI: { items: [{ path: "a" }] } }),
    `${v}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required`,
  ),
  invalid(
    "of two sources is told in the names of old",
    volume({ emptyDir: {}, cephfs: { monitors: ["m"] } }),
    `${v}.cephFS: Forbidden: may not specify more than 1 volume type`,
  ),
]);

const spread = { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" };
const selector = { matchLabels: { a: "1" }, matchExpressions: [{ key: "a", operator: "Exists" }] };

stories("a pod spec", [
  invalid(
    "has a label key to match in the selector once",
    { topologySpreadConstraints: [{ ...spread, matchLabelKeys: ["a"], labelSelector: selector }] },
    'spec.topologySpreadConstraints[0][0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector',
  ),
  invalid(
    "compares no taints",
    { tolerations: [{ key: "k", operator: "Lt", value: "1" }] },
    'spec.tolerations[0].operator: Unsupported value: "Lt": supported values: "Equal", "Exists", "Lt", "Gt"',
  ),
  invalid(
    "of Windows has no resources of its own",
    { os: { name: "windows" }, resources: { limits: { cpu: "1" } } },
    "spec.resources: Forbidden: may not be set for a windows pod",
  ),
  invalid(
    "tells a file's volume last",
    {
      os: { name: "x" },
      containers: [
        {
          name: "c",
          image: "i",
          env: [{ name: "A", valueFrom: { fileKeyRef: { volumeName: "v", path: "f", key: "k" } } }],
        },
      ],
    },
    'spec.os: Unsupported value: "x": supported values: "linux", "windows"',
    'spec.containers[0].env[0].valueFrom.fileKeyRef.volumeName: Not found: "v"',
  ),
  [
    "takes huge pages of its containers where it limits anything",
    create(
      pod(
        "p",
        { resources: { limits: { cpu: "2" } } },
        { resources: { limits: { cpu: "1", "hugepages-2Mi": "4Mi" } } },
      ),
    ).has("spec.resources", {
      limits: { cpu: "2", "hugepages-2Mi": "4Mi" },
      requests: { cpu: "1", "hugepages-2Mi": "4Mi" },
    }),
  ],
  [
    "is limited in huge pages where it asks for anything",
    create(
      pod(
        "p",
        { resources: { requests: { cpu: "2" } } },
        { resources: { requests: { cpu: "1" }, limits: { "hugepages-2Mi": "4Mi" } } },
      ),
    ).has("spec.resources", {
      limits: { "hugepages-2Mi": "4Mi" },
      requests: { cpu: "2", "hugepages-2Mi": "4Mi" },
    }),
  ],
  [
    "is warned of names of ports in init containers, too",
    create(
      pod(
        "p",
        { initContainers: [{ name: "i", image: "i", ports: [{ name: "web", containerPort: 80 }] }] },
        { ports: [{ name: "web", containerPort: 81 }] },
      ),
    ).warns(
      'spec.containers[0].ports[0]: duplicate port name "web" with spec.initContainers[0].ports[0], services and probes that select ports by name will use spec.initContainers[0].ports[0]',
    ),
  ],
  [
    "is warned of the files of a source again where the next lists none",
    create(
      pod(
        "p",
        volume({
          projected: {
            sources: [{ secret: { name: "s", items: [{ key: "k", path: "t" }] } }, { configMap: { name: "c" } }],
          },
        }),
      ),
    ).warns('volume "v" (Projected): overlapping paths: "t" (Secret "s") with "t" (Secret "s")'),
  ],
]);

const appArmor = "container.apparmor.security.beta.kubernetes.io/c";
const deprecated = `metadata.annotations[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`;

stories("an AppArmor annotation", [
  [
    "becomes a field, with a warning",
    create(pod("p", {}, {}, { annotations: { [appArmor]: "unconfined" } }))
      .warns(deprecated)
      .has("spec.containers.0.securityContext", { appArmorProfile: { type: "Unconfined" } }),
  ],
  [
    "is warned of though the pod is refused",
    create(pod("p", {}, {}, { annotations: { [appArmor]: "magic" } }))
      .warns(deprecated)
      .isInvalid(`metadata.annotations[${appArmor}]: Invalid value: "magic": invalid AppArmor profile name: "magic"`),
  ],
  [
    "stays",
    create(pod("p", {}, {}, { annotations: { [appArmor]: "unconfined" } })).warns(deprecated),
    mergePatch("pods/p", { metadata: { annotations: null } }).answers(
      422,
      `Pod "p" is invalid: metadata.annotations[${appArmor}]: Forbidden: may not remove or update AppArmor annotations`,
    ),
  ],
]);

const terminated = {
  name: "c",
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode: 3 } },
};
const running = { ...terminated, state: { running: {} } };
const restarting = {
  restartPolicy: "Never",
  restartPolicyRules: [{ action: "Restart", exitCodes: { operator: "In", values: [3] } }],
};

stories("a status", [
  [
    "has the first address alone, too, and believes it",
    create(pod("p")),
    mergePatch("pods/p/status", { status: { podIPs: [{ ip: "10.0.0.1" }] } }).has("status.podIP", "10.0.0.1"),
    mergePatch("pods/p/status", { status: { podIP: "10.0.0.2" } }).has("status.podIPs", [{ ip: "10.0.0.2" }]),
  ],
  [
    "lets a container come back that its rules restart",
    create(pod("p", { restartPolicy: "Never" }, restarting)),
    mergePatch("pods/p/status", { status: { containerStatuses: [terminated] } }),
    mergePatch("pods/p/status", { status: { containerStatuses: [running] } }).answers(200),
  ],
  [
    "nominates no node for a bound pod",
    create(pod("p", { nodeName: "n" })),
    mergePatch("pods/p/status", { status: { nominatedNodeName: "m" } }).answers(
      422,
      'Pod "p" is invalid: status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node',
    ),
  ],
  [
    "is warned of an address that others would write otherwise",
    create(pod("p")),
    mergePatch("pods/p/status", { status: { podIPs: [{ ip: "2001:DB8::1" }] } }).warns(
      'status.podIPs[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    ),
  ],
]);

stories("a resize", [
  [
    "keeps the containers",
    create(pod("p")),
    put("pods/p/resize", pod("p", { containers: [{ name: "d", image: "i" }] })).answers(
      422,
      'Pod "p" is invalid: spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize',
    ),
  ],
  [
    "owns resources alone, whatever else was sent",
    create(pod("p", {}, { resources: { requests: { cpu: "1" } } })),
    strategicPatch("pods/p/resize?fieldManager=m", {
      metadata: { labels: { a: "b" } },
      spec: { hostname: "h", containers: [{ name: "c", image: "j", resources: { requests: { cpu: "2" } } }] },
    }).meets(({ metadata }) =>
      expect((metadata as { managedFields: Fields[] }).managedFields.find(({ manager }) => manager === "m")).toEqual({
        manager: "m",
        operation: "Update",
        apiVersion: "v1",
        time: expect.any(String) as string,
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:spec": { "f:containers": { 'k:{"name":"c"}': { "f:resources": { "f:requests": { "f:cpu": {} } } } } },
        },
        subresource: "resize",
      }),
    ),
  ],
  [
    "sets no resources of nothing",
    create(pod("p")),
    mergePatch("pods/p/resize", { spec: { resources: {} } }).answers(
      422,
      'Pod "p" is invalid: spec: Forbidden: only cpu and memory resources are mutable',
    ),
  ],
  [
    "is not for static pods, whatever else is wrong",
    create(node("{ns}")),
    create(pod("p", { nodeName: "{ns}" }, {}, { annotations: { "kubernetes.io/config.mirror": "x" } })),
    strategicPatch("pods/p/resize", {
      spec: { containers: [{ name: "c", resources: { limits: { cpu: "-1" } } }] },
    }).answers(422, 'Pod "p" is invalid: []: Forbidden: static pods cannot be resized'),
    afterwards(remove("/api/v1/nodes/{ns}")),
  ],
]);

const eviction = (deleteOptions?: Fields) => ({ metadata: { name: "p" }, ...(deleteOptions && { deleteOptions }) });

stories("a binding or an eviction", [
  [
    "gives the pod the zone of its node",
    create(node("{ns}", {}, { labels: { "topology.kubernetes.io/zone": "z" } })),
    create(pod("p", {}, {}, { labels: { "topology.kubernetes.io/zone": "mine" } })),
    post("pods/p/binding", { metadata: { name: "p" }, target: { kind: "Node", name: "{ns}" } }),
    get("pods/p").has("metadata.labels", { "topology.kubernetes.io/zone": "z" }),
    create(pod("q", { nodeName: "{ns}" })).has("metadata.labels", { "topology.kubernetes.io/zone": "z" }),
    // Not where it is no part of the pod, nor where it does not say that a node is a node.
    create(pod("r")),
    post("/api/v1/namespaces/{ns}/bindings", { metadata: { name: "r" }, target: { kind: "Node", name: "{ns}" } }),
    get("pods/r").has("spec.nodeName", "{ns}").lacks("metadata.labels"),
    create(pod("s")),
    post("pods/s/binding", { metadata: { name: "s" }, target: { name: "{ns}" } }),
    get("pods/s").has("spec.nodeName", "{ns}").lacks("metadata.labels"),
    afterwards(remove("/api/v1/nodes/{ns}")),
  ],
  [
    "tells no init containers as they were written of old",
    create(pod("p")),
    post("pods/p/binding", {
      metadata: { name: "p", annotations: { "pod.beta.kubernetes.io/init-containers": "[]", kept: "v" } },
      target: { name: "n" },
    }),
    get("pods/p").has("metadata.annotations", { kept: "v" }),
  ],
  [
    "names its pod",
    create(pod("p")),
    post("pods/p/binding", { target: { name: "n" } }).answers(400, "name in URL does not match name in Binding object"),
  ],
  [
    "tells why a pod goes that nothing holds",
    create(pod("p", { nodeName: "n" })),
    post("pods/p/eviction", eviction()),
    get("pods/p").has("status.conditions.0.reason", "EvictionByEvictionAPI"),
  ],
  [
    "keeps to the version that it was asked for",
    create(pod("p", { nodeName: "n" })).saves("version", "metadata.resourceVersion"),
    post("pods/p/eviction", eviction({ preconditions: { resourceVersion: "1" } })).answers(409),
    get("pods/p").lacks("status.conditions"),
    post("pods/p/eviction", eviction({ preconditions: { resourceVersion: "{version}" } })),
  ],
  [
    "has one kind of trial",
    create(pod("p")),
    post("pods/p/eviction?dryRun=All", eviction({ dryRun: ["None"] })).answers(
      500,
      "Non-matching dry-run options in request and content: [All] and [None]",
    ),
  ],
]);

stories("a log", [
  [
    "starts at a time that Go can read",
    create(pod("p")),
    get("pods/p/log?sinceTime=x").answers(
      400,
      'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    ),
  ],
]);

stories("small kinds", [
  [
    "a quota's conflict shows the scopes of its spec",
    create(
      resourceQuota("q", {
        spec: {
          hard: { pods: "1" },
          scopeSelector: {
            matchExpressions: ["BestEffort", "NotBestEffort"].map((scopeName) => ({ scopeName, operator: "Exists" })),
          },
        },
      }),
    ).isInvalid("spec.scopeSelector.matchExpressions: Invalid value: null: conflicting scopes"),
  ],
  [
    "a claim's ratio is told after its bounds",
    create(
      limitRange("l", { spec: { limits: [{ type: "PersistentVolumeClaim", maxLimitRequestRatio: { odd: "2" } }] } }),
    ).isInvalid(
      "[spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided, " +
        'spec.limits[0].maxLimitRequestRatio[odd]: Invalid value: "odd": must be a standard resource type or fully qualified]',
    ),
  ],
  [
    "an account's secret without a name leaves its fields to nobody",
    create(serviceAccount("a", { secrets: [{}] })).lacks("metadata.managedFields"),
  ],
  [
    "a label's fault is told as often as upstream looks",
    create(limitRange("l", { spec: { limits: [] } })),
    mergePatch("limitranges/l", { metadata: { labels: { a: "-" } } })
      .answers(422)
      .meets(({ details }) => expect((details as { causes: unknown[] }).causes).toHaveLength(3)),
  ],
  ["an event of old has any name", create(event("Pod:a", { involvedObject: { namespace: "{ns}" } })).answers(201)],
  [
    "a node's features are sorted",
    create(node("{ns}", { status: { declaredFeatures: ["B", "A"] } })).isInvalid(
      'status.declaredFeatures[1]: Invalid value: "A": list must be sorted alphabetically',
    ),
  ],
  [
    "a namespace is active where nothing else is said",
    put("/api/v1/namespaces/{ns}/status", { metadata: { name: "{ns}" } }).has("status.phase", "Active"),
  ],
  [
    "a namespace waits for finalizers with good names",
    put("/api/v1/namespaces/{ns}/finalize", { metadata: { name: "{ns}" }, spec: { finalizers: ["x"] } }).answers(
      422,
      'Namespace "{ns}" is invalid: spec.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
    ),
  ],
]);
