/** JSON patches (RFC 6902) as upstream's library reads them, with its odd ends. */
import { create, get, jsonPatch, storyServer, type Story } from "#test/support/story.ts";
import { configMap, pod } from "#test/support/story-objects.ts";

const stories = storyServer();

const annotations = { "x.io/one": "1" };
const finalizers = ["x.io/f", "x.io/g"];
const before = configMap("a", { data: { k: "1" } }, { annotations, finalizers });
const refused = "the server rejected our request due to an error in our request";

const patched = (claim: string, patch: unknown, fields: Record<string, unknown>): Story => [
  claim,
  create(before),
  jsonPatch("configmaps/a", patch).shows(fields),
];
const refuses = (claim: string, patch: unknown, code = 422, text = refused): Story => [
  claim,
  create(before),
  jsonPatch("configmaps/a", patch).answers(code, text),
  get("configmaps/a").has("data", { k: "1" }).has("metadata.finalizers", finalizers),
];

stories("a JSON patch changes", [
  patched("a new key", [{ op: "add", path: "/data/n", value: "2" }], { data: { k: "1", n: "2" } }),
  patched("a key to null, which a map of strings turns into nothing", [{ op: "add", path: "/data/n", value: null }], {
    data: { n: "" },
  }),
  patched("an add without a value as if it said null", [{ op: "add", path: "/data/n" }], { data: { n: "" } }),
  patched("a whole map that was not there", [{ op: "add", path: "/binaryData", value: { n: "AA==" } }], {
    binaryData: { n: "AA==" },
  }),
  patched("the end of a list by -", [{ op: "add", path: "/metadata/finalizers/-", value: "x.io/h" }], {
    metadata: { finalizers: ["x.io/f", "x.io/g", "x.io/h"] },
  }),
  patched("the end of a list by its length", [{ op: "add", path: "/metadata/finalizers/2", value: "x.io/h" }], {
    metadata: { finalizers: ["x.io/f", "x.io/g", "x.io/h"] },
  }),
  patched("the end of a list by -1", [{ op: "add", path: "/metadata/finalizers/-1", value: "x.io/h" }], {
    metadata: { finalizers: ["x.io/f", "x.io/g", "x.io/h"] },
  }),
  patched("an index with a leading zero", [{ op: "add", path: "/metadata/finalizers/01", value: "x.io/h" }], {
    metadata: { finalizers: ["x.io/f", "x.io/h", "x.io/g"] },
  }),
  patched("the last element, removed by -1", [{ op: "remove", path: "/metadata/finalizers/-1" }], {
    metadata: { finalizers: ["x.io/f"] },
  }),
  patched("a missing key by replace", [{ op: "replace", path: "/data/n", value: "2" }], { data: { k: "1", n: "2" } }),
  patched("a key with a slash in its name", [{ op: "replace", path: "/metadata/annotations/x.io~1one", value: "2" }], {
    metadata: { annotations: { "x.io/one": "2" } },
  }),
  patched("by copy", [{ op: "copy", from: "/data/k", path: "/data/z" }], { data: { k: "1", z: "1" } }),
  patched(
    "only after its test",
    [
      { op: "test", path: "/data/k", value: "1" },
      { op: "replace", path: "/data/k", value: "2" },
    ],
    { data: { k: "2" } },
  ),
  patched("nothing when a missing path is tested for null", [{ op: "test", path: "/data/zz", value: null }], {
    data: { k: "1" },
  }),
  patched("nothing when it is empty", [], { data: { k: "1" } }),
  [
    "the whole object by replace of the root",
    create(before),
    jsonPatch("configmaps/a", [
      {
        op: "replace",
        path: "",
        value: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { z: "1" } },
      },
    ])
      .has("data", { z: "1" })
      .lacks("metadata.annotations", "metadata.finalizers"),
  ],
  [
    "a container's image, and so the generation",
    create(pod("p")),
    jsonPatch("pods/p", [{ op: "replace", path: "/spec/containers/0/image", value: "app:2" }]).shows({
      metadata: { generation: 2 },
    }),
  ],
]);

stories("a JSON patch is refused, and nothing changes, when it", [
  refuses("adds below what is missing", [{ op: "add", path: "/binaryData/n", value: "AA==" }]),
  refuses("adds beyond the end of a list", [{ op: "add", path: "/metadata/finalizers/7", value: "x.io/h" }]),
  refuses("indexes a list by a word", [{ op: "add", path: "/metadata/finalizers/x", value: "x.io/h" }]),
  refuses("removes what is missing", [{ op: "remove", path: "/data/zz" }]),
  refuses("adds or removes the root", [{ op: "remove", path: "" }]),
  refuses("moves from nowhere", [{ op: "move", path: "/data/z" }]),
  refuses("tests for another value", [{ op: "test", path: "/data/k", value: "7" }]),
  refuses("fails in its last operation", [
    { op: "add", path: "/data/n", value: "2" },
    { op: "test", path: "/data/k", value: "7" },
  ]),
  refuses("names an operation that is none", [{ op: "merge", path: "/data/n", value: "x" }]),
  refuses(
    "is an object",
    { op: "add" },
    400,
    "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
  ),
  refuses(
    "lists texts",
    ["add"],
    400,
    "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp",
  ),
  refuses("is cut short", '[{"op": ', 400, "error decoding patch: unexpected end of JSON input"),
  refuses(
    "renames the object",
    [{ op: "replace", path: "/metadata/name", value: "b" }],
    400,
    "the name of the object (b) does not match the name on the URL (a)",
  ),
  refuses(
    "moves it to another namespace",
    [{ op: "replace", path: "/metadata/namespace", value: "other" }],
    400,
    "the namespace of the provided object does not match the namespace sent on the request",
  ),
  refuses(
    "makes the object invalid",
    [{ op: "add", path: "/data/a~0b", value: "2" }],
    422,
    `ConfigMap "a" is invalid: data[a~b]: Invalid value: "a~b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  ),
]);

stories("a JSON patch warns", [
  [
    "of members that operations do not have",
    create(before),
    jsonPatch("configmaps/a", [{ op: "add", path: "/data/n", value: "x", extra: true }])
      .shows({ data: { n: "x" } })
      .warns('json patch unknown field "[0].extra"'),
  ],
  [
    "of unknown fields in what it makes",
    create(before),
    jsonPatch("configmaps/a", [{ op: "add", path: "/nonsense", value: 1 }])
      .lacks("nonsense")
      .warns('unknown field "nonsense"'),
  ],
  [
    "when a pointer without a leading slash loses its first segment",
    create(before),
    jsonPatch("configmaps/a", [{ op: "add", path: "data/n", value: "x" }])
      .has("data", { k: "1" })
      .warns('unknown field "n"'),
  ],
]);
