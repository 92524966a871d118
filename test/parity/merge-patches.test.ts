/** Merge patches (RFC 7396) and strategic merge patches, with upstream's directives and merge keys. */
import { create, mergePatch, post, storyServer, strategicPatch, type Story } from "#test/support/story.ts";
import {
  configMap,
  deployment,
  ingress,
  networkPolicy,
  pod,
  role,
  secret,
  service,
  serviceAccount,
} from "#test/support/story-objects.ts";

const stories = storyServer();

const before = configMap("a", { data: { k: "1", l: "2" } }, { labels: { x: "1" }, finalizers: ["x.io/f", "x.io/g"] });
const merges = (claim: string, patch: unknown, path: string, value: unknown): Story => [
  claim,
  create(before),
  mergePatch("configmaps/a", patch).has(path, value),
];
const mergeFails = (claim: string, patch: unknown, code: number, text: string): Story => [
  claim,
  create(before),
  mergePatch("configmaps/a", patch).answers(code, text),
];

stories("a merge patch", [
  merges("sets keys and keeps the others", { data: { l: "9", n: "3" } }, "data", { k: "1", l: "9", n: "3" }),
  merges("removes a key by null", { data: { k: null } }, "data", { l: "2" }),
  merges("removes a map by null", { data: null }, "data", undefined),
  merges("drops nulls within a new map", { binaryData: { n: "AA==", m: null } }, "binaryData", { n: "AA==" }),
  merges("replaces a list as a whole", { metadata: { finalizers: ["x.io/h"] } }, "metadata.finalizers", ["x.io/h"]),
  merges("does not change what the server keeps", { metadata: { generation: 77 } }, "metadata.generation", undefined),
  mergeFails(
    "cannot be a text",
    '"x"',
    400,
    "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}",
  ),
  mergeFails("cannot be null", "null", 400, "Invalid JSON Patch"),
  mergeFails("cannot be cut short", '{"data": ', 400, "error decoding patch: unexpected end of JSON input"),
  mergeFails(
    "cannot remove the metadata",
    { metadata: null },
    400,
    "the name of the object (a based on URL) was undeterminable: name must be provided",
  ),
  mergeFails(
    "cannot rename",
    { metadata: { name: "b" } },
    400,
    "the name of the object (b) does not match the name on the URL (a)",
  ),
  mergeFails(
    "cannot set a deletion time",
    { metadata: { deletionTimestamp: "2030-01-01T00:00:00Z" } },
    422,
    'ConfigMap "a" is invalid: metadata.deletionTimestamp: Invalid value: "2030-01-01T00:00:00Z": field is immutable',
  ),
  mergeFails(
    "is checked like an update",
    { metadata: { labels: { "bad key": "v" } } },
    422,
    `ConfigMap "a" is invalid: metadata.labels: Invalid value: "bad key": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  ),
  [
    "is not for a collection",
    mergePatch("configmaps", { data: {} }).answers(
      405,
      "the server does not allow this method on the requested resource",
    ),
  ],
  [
    "replaces containers that a strategic one would merge",
    create(deployment("a")),
    mergePatch("deployments/a", {
      spec: { template: { spec: { containers: [{ name: "d", image: "app:2" }] } } },
    }).shows({
      metadata: { generation: 2 },
      spec: { template: { spec: { containers: [{ name: "d", image: "app:2" }] } } },
    }),
  ],
]);

const twoContainers = [
  {
    name: "one",
    image: "app:1",
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "2" },
    ],
    ports: [{ containerPort: 80 }],
  },
  { name: "two", image: "app:1" },
];
const whole = deployment(
  "a",
  {
    template: {
      metadata: { labels: { app: "a" } },
      spec: {
        containers: twoContainers,
        volumes: [{ name: "v", emptyDir: {} }],
        tolerations: [{ key: "k", operator: "Exists" }],
        nodeSelector: { disk: "fast" },
      },
    },
  },
  { labels: { l: "1", m: "2" }, finalizers: ["x.io/f", "x.io/g"] },
);
const inPod = (spec: unknown) => ({ spec: { template: { spec } } });
const becomes = (claim: string, patch: unknown, fields: Record<string, unknown>): Story => [
  claim,
  create(whole),
  strategicPatch("deployments/a", patch).shows(fields),
];
const fails = (claim: string, patch: unknown, code: number, text: string): Story => [
  claim,
  create(whole),
  strategicPatch("deployments/a", patch).answers(code, text),
];

stories("a strategic merge patch", [
  becomes("finds a container by its name", inPod({ containers: [{ name: "two", image: "app:2" }] }), {
    spec: {
      template: {
        spec: {
          containers: [
            { name: "one", image: "app:1" },
            { name: "two", image: "app:2" },
          ],
        },
      },
    },
  }),
  becomes("puts a new container first", inPod({ containers: [{ name: "three", image: "app:3" }] }), {
    spec: { template: { spec: { containers: [{ name: "three" }, { name: "one" }, { name: "two" }] } } },
  }),
  becomes("deletes a container", inPod({ containers: [{ name: "one", $patch: "delete" }] }), {
    spec: { template: { spec: { containers: [{ name: "two" }] } } },
  }),
  becomes("deletes what is not there without a word", inPod({ containers: [{ name: "zzz", $patch: "delete" }] }), {
    spec: { template: { spec: { containers: [{ name: "one" }, { name: "two" }] } } },
  }),
  becomes("changes nothing by an empty list", inPod({ containers: [] }), {
    metadata: { generation: 1 },
    spec: { template: { spec: { containers: [{ name: "one" }, { name: "two" }] } } },
  }),
  becomes(
    "replaces a list by directive",
    inPod({ containers: [{ $patch: "replace" }, { name: "new", image: "app:4" }] }),
    {
      spec: { template: { spec: { containers: [{ name: "new", image: "app:4" }] } } },
    },
  ),
  becomes(
    "orders a list by $setElementOrder",
    inPod({
      "$setElementOrder/containers": [{ name: "two" }, { name: "three" }, { name: "one" }],
      containers: [{ name: "three", image: "app:3" }],
    }),
    { spec: { template: { spec: { containers: [{ name: "two" }, { name: "three" }, { name: "one" }] } } } },
  ),
  becomes(
    "merges env by name",
    inPod({
      containers: [
        {
          name: "one",
          env: [
            { name: "B", value: "9" },
            { name: "C", value: "3" },
          ],
        },
      ],
    }),
    {
      spec: {
        template: {
          spec: { containers: [{ env: [{ name: "A" }, { name: "B", value: "9" }, { name: "C" }] }, { name: "two" }] },
        },
      },
    },
  ),
  becomes(
    "merges ports by number",
    inPod({ containers: [{ name: "one", ports: [{ containerPort: 80, name: "web" }] }] }),
    {
      spec: {
        template: {
          spec: { containers: [{ ports: [{ containerPort: 80, name: "web", protocol: "TCP" }] }, { name: "two" }] },
        },
      },
    },
  ),
  becomes("replaces tolerations, which have no key", inPod({ tolerations: [{ key: "z", operator: "Exists" }] }), {
    spec: { template: { spec: { tolerations: [{ key: "z", operator: "Exists" }] } } },
  }),
  becomes(
    "keeps only some keys of a volume by $retainKeys",
    inPod({ volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x" } }] }),
    {
      spec: { template: { spec: { volumes: [{ name: "v", hostPath: { path: "/x", type: "" } }] } } },
    },
  ),
  becomes(
    "removes from a list of texts",
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["x.io/f"] } },
    { metadata: { finalizers: ["x.io/g"] } },
  ),
  [
    "replaces a map by directive",
    create(whole),
    strategicPatch("deployments/a", { metadata: { labels: { $patch: "replace", n: "9" } } }).has("metadata.labels", {
      n: "9",
    }),
  ],
  becomes("sets a field back to its default by null", { spec: { replicas: null } }, { spec: { replicas: 1 } }),
  becomes("changes nothing when it is null", "null", { metadata: { generation: 1 } }),
  fails(
    "needs the merge key",
    inPod({ containers: [{ image: "app:2" }] }),
    500,
    "map: map[image:app:2] does not contain declared merge key: name",
  ),
  fails(
    "refuses an unknown directive",
    inPod({ containers: [{ name: "one", $patch: "nonsense" }] }),
    500,
    "unknown patch type: nonsense in map: map[$patch:nonsense name:one]",
  ),
  fails(
    "refuses an order that lacks an element",
    inPod({ "$setElementOrder/containers": [{ name: "two" }], containers: [{ name: "three", image: "alpine" }] }),
    500,
    "The order in patch list:\n[map[image:alpine name:three]]\n doesn't match $setElementOrder list:\n[map[name:two]]\n",
  ),
  fails(
    "refuses an order that is no list",
    inPod({ "$setElementOrder/containers": "x" }),
    500,
    "expected a []interface {}, but received a string",
  ),
  fails(
    "refuses keys to retain that are no list",
    { spec: { strategy: { $retainKeys: "type" } } },
    400,
    "invalid patch format of retainKeys",
  ),
  fails(
    "cannot delete the object",
    { $patch: "delete" },
    400,
    "the name of the object (a based on URL) was undeterminable: name must be provided",
  ),
  fails("cannot be a text", '"x"', 400, "json: cannot unmarshal string into Go value of type map[string]interface {}"),
  fails(
    "names the type that a value should have",
    { spec: { replicas: "three" } },
    422,
    ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:three]]": unrecognized type: int32',
  ),
  fails(
    "keeps what its result may not have: a rolling update with Recreate",
    { spec: { strategy: { type: "Recreate" } } },
    422,
    `Deployment.apps "a" is invalid: spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy \`type\` is 'Recreate'`,
  ),
  fails(
    "adds a second source to a volume",
    inPod({ volumes: [{ name: "v", hostPath: { path: "/x" } }] }),
    422,
    'Deployment.apps "a" is invalid: spec.template.spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
  ),
  [
    "warns of unknown fields",
    create(whole),
    strategicPatch("deployments/a", inPod({ containers: [{ name: "one", nonsense: true }] })).warns(
      'unknown field "spec.template.spec.containers[0].nonsense"',
    ),
  ],
]);

stories("the merge keys of other kinds", [
  [
    "service ports merge by number",
    create(
      service("a", {
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 81 },
        ],
      }),
    ),
    strategicPatch("services/a", { spec: { ports: [{ port: 80, targetPort: 8080 }] } }).shows({
      spec: {
        ports: [
          { name: "a", port: 80, targetPort: 8080 },
          { name: "b", port: 81 },
        ],
      },
    }),
  ],
  [
    "a service account's secrets merge by name",
    create(serviceAccount("a", { secrets: [{ name: "p" }] })),
    strategicPatch("serviceaccounts/a", { secrets: [{ name: "q" }] }).has("secrets", [{ name: "q" }, { name: "p" }]),
  ],
  [
    "rules of roles, ingresses and network policies are replaced",
    create(role("a", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] })),
    strategicPatch("roles/a", { rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }] }).has("rules", [
      { apiGroups: [""], resources: ["secrets"], verbs: ["list"] },
    ]),
    create(ingress("a", { spec: { rules: [{ host: "a.example" }] } })),
    strategicPatch("ingresses/a", { spec: { rules: [{ host: "b.example" }] } }).has("spec.rules", [
      { host: "b.example" },
    ]),
    create(networkPolicy("a", { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } })),
    strategicPatch("networkpolicies/a", { spec: { ingress: [{ ports: [{ port: 81 }] }] } }).has("spec.ingress", [
      { ports: [{ port: 81, protocol: "TCP" }] },
    ]),
  ],
  [
    "a secret's stringData is folded into its data",
    create(secret("a", { data: { a: "MQ==", b: "Mg==" } })),
    strategicPatch("secrets/a", { stringData: { a: "9" }, data: { b: null } })
      .has("data", { a: "OQ==" })
      .lacks("stringData"),
  ],
  [
    "conditions of a status merge by type",
    create(pod("a")),
    strategicPatch("pods/a/status", { status: { conditions: [{ type: "Ready", status: "False", reason: "R" }] } }),
    strategicPatch("pods/a/status", { status: { conditions: [{ type: "x.io/y", status: "True" }] } })
      .hasCondition("Ready", { reason: "R" })
      .hasCondition("x.io/y", { status: "True" }),
  ],
  [
    "the status is not changed through the object itself",
    create(pod("a")),
    strategicPatch("pods/a", { status: { conditions: [{ type: "Ready", status: "True" }] } }).lacks(
      "status.conditions",
    ),
  ],
  [
    "a patch of another media type is refused",
    post("configmaps", configMap("a")),
    strategicPatch("configmaps/a", "data: {}").answers(400, "invalid character 'd' looking for beginning of value"),
  ],
]);
