/** Small print of writes: metadata that a client sends, faults of options and directives, what is looked at first. */
import {
  create,
  get,
  jsonPatch,
  mergePatch,
  post,
  put,
  remove,
  storyServer,
  type Story,
  strategicPatch,
  update,
} from "#test/support/story.ts";
import { Step } from "#test/support/story-step.ts";
import { configMap, deployment, pod } from "#test/support/story-objects.ts";

const stories = storyServer();

const owner = { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u" };
const other = { ...owner, name: "p" };
const twice = (uids: string, when = "") =>
  `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`;
const owned = (ownerReferences: unknown[]) => configMap("a", {}, { ownerReferences });

stories("an owner that is named twice", [
  [
    "goes from a new object, with a warning",
    create(owned([owner, owner]))
      .warns(twice("u"))
      .has("metadata.ownerReferences", [owner]),
  ],
  [
    "goes from a changed one",
    create(configMap("a")),
    update(owned([owner, other, owner]))
      .warns(twice("u"))
      .has("metadata.ownerReferences", [owner, other]),
  ],
  [
    "is seen in a patch only after admission",
    create(configMap("a")),
    mergePatch("configmaps/a", { metadata: { ownerReferences: [owner, owner] } })
      .warns(twice("u", " after mutating admission happens"))
      .has("metadata.ownerReferences", [owner]),
  ],
  ["may stay where the two differ", create(owned([owner, other])).has("metadata.ownerReferences", [owner, other])],
]);

stories("metadata that the server keeps for itself", [
  [
    "a kind without generations keeps the one it was created with",
    create(configMap("a", {}, { generation: 5 })).has("metadata.generation", 5),
    mergePatch("configmaps/a", { metadata: { generation: 6 } }).has("metadata.generation", 5),
  ],
  [
    "a generation is no negative number",
    create(configMap("a", {}, { generation: -1 })).isInvalid(
      "metadata.generation: Invalid value: -1: must be greater than or equal to 0",
    ),
  ],
  [
    "a self link is not stored",
    create(configMap("a", {}, { selfLink: "/x" }))
      .lacks("metadata.selfLink")
      .saves("rv", "metadata.resourceVersion"),
    mergePatch("configmaps/a", { metadata: { selfLink: "/x" } })
      .lacks("metadata.selfLink")
      .has("metadata.resourceVersion", "{rv}"),
  ],
]);

const precondition =
  'Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: /registry/configmaps/{ns}/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: ';
stories("what is looked at first", [
  [
    "the uid of an object that is not there",
    put("configmaps/a", { metadata: { name: "a", uid: "u" } }).answers(409, precondition),
  ],
  [
    "the body of an apply to a status, then whether there is an object",
    new Step("PATCH", "pods/b/status?fieldManager=me", { kind: "Pot" }, "application/apply-patch+yaml").answers(
      400,
      "invalid object type: /, Kind=Pot",
    ),
    new Step("PATCH", "pods/b/status?fieldManager=me", pod("b"), "application/apply-patch+yaml").answers(
      404,
      'pods "b" not found',
    ),
    mergePatch("pods/b/status", "{").answers(404, 'pods "b" not found'),
  ],
  [
    "the version of a body that names a group only",
    post("configmaps", { kind: "ConfigMap", apiVersion: "v1/", metadata: { name: "a" } }).answers(
      400,
      `ConfigMap in version "" cannot be handled as a ConfigMap: Object 'apiVersion' is missing in '{"kind":"ConfigMap","apiVersion":"v1/","metadata":{"name":"a"}}'`,
    ),
  ],
  [
    "null is an empty object",
    post("configmaps", "null").answers(
      422,
      'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    ),
    put("configmaps/a", "null").answers(
      400,
      "the name of the object (a based on URL) was undeterminable: name must be provided",
    ),
  ],
  [
    "a version beyond 64 bits",
    create(configMap("a")),
    update(configMap("a", {}, { resourceVersion: "18446744073709551616" })).answers(
      500,
      'strconv.ParseUint: parsing "18446744073709551616": value out of range',
    ),
    get("configmaps?resourceVersion=18446744073709551616").answers(
      400,
      'resourceVersion: Invalid value: "18446744073709551616": strconv.ParseUint: parsing "18446744073709551616": value out of range',
    ),
  ],
]);

const manager = "a\u0001\u0002";
stories("options", [
  [
    "every character of a field manager is looked at",
    post(`configmaps?fieldManager=${encodeURIComponent(manager)}`, configMap("a")).answers(
      422,
      'CreateOptions.meta.k8s.io "" is invalid: [fieldManager: Invalid value: "a\\x01\\x02": invalid character U+0001 (at position 1), fieldManager: Invalid value: "a\\x01\\x02": invalid character U+0002 (at position 2)]',
    ),
  ],
  [
    "who deletes what cannot be read asks for nothing else",
    create(configMap("a")),
    remove("configmaps/a", {
      ignoreStoreReadErrorWithClusterBreakingPotential: true,
      dryRun: ["All"],
      propagationPolicy: "Orphan",
      gracePeriodSeconds: 1,
      preconditions: {},
    }).answers(
      422,
      `DeleteOptions.meta.k8s.io "" is invalid: [${["dryRun", "propagationPolicy", "gracePeriodSeconds", "preconditions"].map((name) => `ignoreStoreReadErrorWithClusterBreakingPotential: Invalid value: true: cannot be set together with .${name}`).join(", ")}]`,
    ),
    remove("configmaps/a?ignoreStoreReadErrorWithClusterBreakingPotential=true"),
  ],
]);

const tokenOf = (text: string) => Buffer.from(text).toString("base64url");
const continued = (claim: string, token: string, fault: string): Story => [
  claim,
  get(`configmaps?continue=${token}`).answers(400, `invalid continue token: continue key is not valid${fault}`),
];
stories("a continue token", [
  continued("is base64 of a whole number of bytes", "eyJ2I", ": illegal base64 data at input byte 4"),
  continued("is whole JSON", tokenOf("{"), ": unexpected end of JSON input"),
  continued(
    "is an object",
    tokenOf("[]"),
    ": json: cannot unmarshal array into Go value of type storage.continueToken",
  ),
  continued(
    "has a version that is a number",
    tokenOf('{"v":"meta.k8s.io/v1","rv":"5","start":"a"}'),
    ": json: cannot unmarshal string into Go struct field continueToken.rv of type int64",
  ),
  continued(
    "has a start",
    tokenOf('{"v":"meta.k8s.io/v1","rv":5}'),
    ": encoded start key empty (version meta.k8s.io/v1)",
  ),
  continued("starts inside its collection", tokenOf('{"v":"meta.k8s.io/v1","rv":5,"start":"a/../b"}'), ": a/../b"),
]);

const inPod = (spec: Record<string, unknown>) => ({ spec: { template: { spec } } });
const refused = (claim: string, patch: unknown, text: string): Story => [
  claim,
  create(deployment("a")),
  strategicPatch("deployments/a", patch).answers(500, text),
];
stories("a strategic merge patch is refused when", [
  refused(
    "a directive is no text",
    { spec: { strategy: { $patch: 5 } } },
    "unknown patch type: %!s(int64=5) in map: map[$patch:5]",
  ),
  refused(
    "it orders a list that the type does not have",
    inPod({ "$setElementOrder/bogus": [] }),
    'unable to find api field in struct PodSpec for the json field "bogus"',
  ),
  refused(
    "it orders maps by something else",
    inPod({ "$setElementOrder/containers": ["c"] }),
    "value for key 0 is not a map",
  ),
  refused(
    "items of a list are of two sorts",
    { metadata: { finalizers: ["x.io/a", 1], "$setElementOrder/finalizers": [] } },
    "list element types are not identical: [[] [x.io/a 1]]",
  ),
]);

stories("a path that begins with a verb", [
  [
    "is only for looking",
    post("/api/v1/watch/namespaces/{ns}/configmaps", configMap("a")).answers(
      405,
      "the server does not allow this method on the requested resource",
    ),
    get("configmaps/a").answers(404, 'configmaps "a" not found'),
    create(configMap("a")),
    remove("/api/v1/watch/namespaces/{ns}/configmaps/a").answers(
      405,
      "the server does not allow this method on the requested resource",
    ),
    get("configmaps/a"),
  ],
  [
    "has no subresources, and no proxy",
    get("/api/v1/watch/namespaces/{ns}/pods/a/status").answers(404, "the server could not find the requested resource"),
    get("/api/v1/proxy/nodes/a").answers(404, "the server could not find the requested resource"),
    get("/api/v1/nodes/nope/proxy/").answers(404, 'nodes "nope" not found'),
  ],
]);

const yaml = "application/apply-patch+yaml";
const repeated = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: y, x: z}\n";
stories("an apply of keys that are there twice", [
  [
    "warns line by line, once all else is right",
    new Step("PATCH", "configmaps/a?fieldManager=m", repeated, yaml)
      .answers(201)
      .warns('line 4: key "x" already set in map'),
    new Step("PATCH", "configmaps/a?fieldManager=m", "kind: Pot\nkind: Pan\n", yaml).answers(
      400,
      "invalid object type: /, Kind=Pan",
    ),
  ],
  [
    "is refused if it must be strict",
    new Step("PATCH", "configmaps/a?fieldManager=m&fieldValidation=Strict", repeated, yaml).answers(
      400,
      'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 4: key "x" already set in map',
    ),
  ],
  [
    "says of itself what it is in text",
    new Step("PATCH", "configmaps/a?fieldManager=m", { apiVersion: 5, kind: "ConfigMap" }, yaml).answers(
      400,
      "invalid object type: /, Kind=ConfigMap",
    ),
    new Step("PATCH", "configmaps/a?fieldManager=m", { apiVersion: "a/b/c", kind: "ConfigMap" }, yaml).answers(
      400,
      "invalid object type: /, Kind=",
    ),
  ],
]);

stories("a JSON patch", [
  [
    "tests numbers as they are written",
    create(deployment("a", { replicas: 1 })),
    jsonPatch("deployments/a", [{ op: "test", path: "/spec/replicas", value: 1 }]),
    jsonPatch("deployments/a", '[{"op":"test","path":"/spec/replicas","value":1.0}]').answers(
      422,
      "the server rejected our request due to an error in our request",
    ),
  ],
]);

const unversioned = (apiVersion: string, kind: string, plural: string, content: Record<string, unknown>): Story => {
  const object = { apiVersion, kind, metadata: { name: "{ns}" }, ...content };
  return [
    `of ${plural} names the version it is of`,
    create(object),
    update(object).answers(
      422,
      `${plural}.${apiVersion.split("/")[0]} "{ns}" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
    ),
  ];
};

stories("an update", [
  unversioned("storage.k8s.io/v1", "CSIDriver", "csidrivers", { spec: {} }),
  unversioned("storage.k8s.io/v1", "CSINode", "csinodes", { spec: { drivers: [] } }),
  unversioned(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    {},
  ),
]);

stories("the status of an API service", [
  [
    "is written without its metadata",
    post("/apis/apiregistration.k8s.io/v1/apiservices", {
      metadata: { name: "v1.{ns}.io" },
      spec: { group: "{ns}.io", version: "v1", groupPriorityMinimum: 1, versionPriority: 1 },
    }).answers(201),
    mergePatch("/apis/apiregistration.k8s.io/v1/apiservices/v1.{ns}.io/status", {
      metadata: { labels: { a: "b" } },
    }).lacks("metadata.labels"),
    remove("/apis/apiregistration.k8s.io/v1/apiservices/v1.{ns}.io"),
  ],
]);

const limited = (sizeLimit: unknown) =>
  pod("a", {
    containers: [{ name: "c", image: "app:1", resources: { limits: { cpu: "1.500", memory: "1024Mi" } } }],
    volumes: [{ name: "v", emptyDir: { sizeLimit } }],
  });
const shownLimit = (sizeLimit: unknown, shown: string): Story => [
  `${JSON.stringify(sizeLimit)} is read as ${shown}`,
  create(limited(sizeLimit)).has("spec.volumes.0.emptyDir.sizeLimit", shown),
];
stories("a quantity", [
  shownLimit("1024Mi", "1Gi"),
  shownLimit(1000, "1k"),
  shownLimit("1000m", "1"),
  shownLimit("1.5", "1500m"),
  shownLimit("1.500", "1.500"),
  shownLimit("+5", "+5"),
  [
    "of a limit is shown like any other",
    create(limited("1")).has("spec.containers.0.resources.limits", { cpu: "1.500", memory: "1Gi" }),
  ],
]);
