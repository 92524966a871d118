/** Server-side apply: who owns a field, who conflicts, what goes when nobody applies it any more. */
import {
  apply,
  create,
  get,
  mergePatch,
  remove,
  storyServer,
  type Story,
  update,
  type Written,
} from "#test/support/story.ts";
import { Step } from "#test/support/story-step.ts";
import { configMap, deployment, pod, secret, service, serviceAccount } from "#test/support/story-objects.ts";

const stories = storyServer();

const map = (data: Record<string, unknown> | undefined, metadata = {}) =>
  configMap("a", data === undefined ? {} : { data }, metadata);
const created = (object: Written, manager: string) => apply(object, manager).answers(201);
const entry = (manager: string, operation: string, fields: string[]) => ({
  manager,
  operation,
  apiVersion: "v1",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:data": Object.fromEntries(fields.map((field) => [`f:${field}`, {}])) },
});

stories("applying", [
  [
    "creates",
    created(map({ x: "1" }), "one").shows({
      data: { x: "1" },
      metadata: { managedFields: [entry("one", "Apply", ["x"])] },
    }),
  ],
  [
    "again changes nothing",
    created(map({ x: "1" }), "one").saves("rv", "metadata.resourceVersion"),
    apply(map({ x: "1" }), "one").has("metadata.resourceVersion", "{rv}"),
  ],
  [
    "items in another order is a change",
    created(serviceAccount("a", { secrets: [{ name: "x" }, { name: "y" }] }), "one"),
    apply(serviceAccount("a", { secrets: [{ name: "y" }, { name: "x" }] }), "two").has("secrets", [
      { name: "y" },
      { name: "x" },
    ]),
  ],
  [
    "an item without its key is one whose key is empty",
    apply(
      { apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec: { containers: [{ image: "app:1" }] } },
      "one",
    ).answers(422, 'Pod "a" is invalid: spec.containers[0].name: Required value'),
  ],
  [
    "less removes what only this manager applied",
    created(map({ x: "1", y: "2" }), "one"),
    apply(map({ x: "1" }), "one").has("data", { x: "1" }),
  ],
  [
    "less leaves what another applied too",
    created(map({ x: "1" }), "one"),
    apply(map({ x: "1" }), "two"),
    apply(map(undefined), "one").has("data", { x: "1" }),
    apply(map(undefined), "two").lacks("data"),
  ],
  [
    "leaves fields of others alone",
    create(map({ z: "9" })),
    apply(map({ x: "1" }), "one").has("data", { x: "1", z: "9" }),
  ],
  [
    "lists appliers before updaters",
    create(map({ z: "9" })),
    apply(map({ x: "1" }), "one").meets((body) => {
      const { managedFields } = body["metadata"] as { managedFields: { manager: string; operation: string }[] };
      const seen = managedFields.map(({ manager, operation }) => `${manager} ${operation}`).join();
      if (seen !== "one Apply,parity Update") throw new Error(seen);
    }),
  ],
  ["null in a map of texts is nothing", created(map({ x: null }), "one").has("data", { x: "" })],
  ["the same amount in other words is no conflict", created(withLimits("1000m"), "one"), apply(withLimits("1"), "two")],
  [
    "in a dry run keeps nothing",
    apply(map({ x: "1" }), "one", "&dryRun=All").answers(201),
    get("configmaps/a").answers(404, 'configmaps "a" not found'),
  ],
]);

function withLimits(cpu: string): Written {
  return deployment("a", {
    template: {
      metadata: { labels: { app: "a" } },
      spec: { containers: [{ name: "c", image: "x", resources: { limits: { cpu } } }] },
    },
  });
}
const conflict = (claim: string, ...steps: Step[]): Story => [claim, ...steps];
stories("a conflict", [
  conflict(
    "names the manager and the field",
    created(map({ x: "1" }), "one"),
    apply(map({ x: "2" }), "two").answers(409, 'Apply failed with 1 conflict: conflict with "one": .data.x'),
  ),
  conflict(
    "names the version for those who update",
    create(map({ x: "1" })),
    apply(map({ x: "2" }), "two").answers(
      409,
      'Apply failed with 1 conflict: conflict with "parity" using v1: .data.x',
    ),
  ),
  conflict(
    "names all managers",
    created(map({ x: "1" }), "one"),
    apply(map({ y: "1" }), "two"),
    apply(map({ x: "2", y: "2" }), "zed").answers(
      409,
      'Apply failed with 2 conflicts: conflicts with "one":\n- .data.x\nconflicts with "two":\n- .data.y',
    ),
  ),
  conflict(
    "names a list's element by its keys",
    created(service("a", { ports: [{ name: "x", port: 80, targetPort: 1 }] }), "one"),
    apply(service("a", { ports: [{ name: "y", port: 80, targetPort: 2 }] }), "two").answers(
      409,
      'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.ports[port=80,protocol="TCP"].name\n- .spec.ports[port=80,protocol="TCP"].targetPort',
    ),
  ),
  conflict(
    "is overcome by force, and the other loses the field",
    created(map({ x: "1" }), "one"),
    apply(map({ x: "2" }), "two", "&force=true").shows({
      data: { x: "2" },
      metadata: { managedFields: [entry("two", "Apply", ["x"])] },
    }),
  ),
  conflict("does not arise from the same value", created(map({ x: "1" }), "one"), apply(map({ x: "1" }), "two")),
  conflict(
    "does not arise from an update, which takes the field",
    created(map({ x: "1" }), "one"),
    mergePatch("configmaps/a?fieldManager=upd", { data: { x: "2" } }),
    apply(map({ x: "1" }), "one").answers(409, 'Apply failed with 1 conflict: conflict with "upd" using v1: .data.x'),
  ),
  conflict(
    "does not arise from an update to the same value",
    created(map({ x: "1" }), "one"),
    update(map({ x: "1" }), "?fieldManager=upd"),
    apply(map({ x: "2" }), "one").has("data", { x: "2" }),
  ),
  conflict(
    "names the scale that set replicas",
    created(deployment("a", { replicas: 1 }), "one"),
    mergePatch("deployments/a/scale?fieldManager=scaler", { spec: { replicas: 4 } }),
    apply(deployment("a", { replicas: 2 }), "one").answers(
      409,
      'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale" using apps/v1: .spec.replicas',
    ),
  ),
]);

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
const byKubectl = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { x: "1" } });
stories("kubectl's own way of applying", [
  [
    "conflicts with other managers",
    create(map({ x: "1" }, { annotations: { [lastApplied]: byKubectl } }), "?fieldManager=kubectl-client-side-apply"),
    apply(map({ x: "2" }), "other").answers(
      409,
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.x',
    ),
  ],
  [
    "goes over to kubectl's server-side way",
    create(map({ x: "1" }, { annotations: { [lastApplied]: byKubectl } }), "?fieldManager=kubectl-client-side-apply"),
    apply(map({ x: "2" }), "kubectl").has("data", { x: "2" }),
  ],
]);

stories("elements of lists", [
  [
    "of one key belong to who applied them",
    created(deployment("a"), "one"),
    apply(
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "a" },
        spec: { template: { spec: { containers: [{ name: "c", env: [{ name: "A", value: "1" }] }] } } },
      },
      "two",
    ).shows({
      spec: { template: { spec: { containers: [{ name: "c", image: "app:1", env: [{ name: "A", value: "1" }] }] } } },
    }),
  ],
  [
    "of a finalizer list go with their manager",
    created(map(undefined, { finalizers: ["x.io/f"] }), "one"),
    apply(map(undefined, { finalizers: ["x.io/g"] }), "two").has("metadata.finalizers", ["x.io/f", "x.io/g"]),
    apply(map(undefined), "one").has("metadata.finalizers", ["x.io/g"]),
  ],
  [
    "of another key are others",
    created(deploymentWithPort(80), "one"),
    apply(deploymentWithPort(8080), "one").shows({
      spec: { template: { spec: { containers: [{ ports: [{ containerPort: 8080 }] }] } } },
    }),
  ],
]);
function deploymentWithPort(containerPort: number): Written {
  return deployment("a", {
    template: {
      metadata: { labels: { app: "a" } },
      spec: { containers: [{ name: "c", image: "x", ports: [{ containerPort }] }] },
    },
  });
}

const raw = (path: string, body: unknown) => new Step("PATCH", path, body, "application/apply-patch+yaml");
const badly = (claim: string, body: unknown, code: number, text: string, query = "?fieldManager=m"): Story => [
  claim,
  raw(`configmaps/a${query}`, body).answers(code, text),
];
stories("what cannot be applied", [
  badly(
    "nobody's wish",
    map(undefined),
    422,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    "",
  ),
  badly(
    "several faults of options at once",
    map(undefined),
    422,
    'PatchOptions.meta.k8s.io "" is invalid: [fieldManager: Required value: is required for apply patch, dryRun: Unsupported value: ["Some"]: supported values: "All", fieldValidation: Unsupported value: "Bogus": supported values: "", "Ignore", "Strict", "Warn"]',
    "?dryRun=Some&fieldValidation=Bogus",
  ),
  badly(
    "an object without a name",
    { apiVersion: "v1", kind: "ConfigMap" },
    400,
    "the name of the object (a based on URL) was undeterminable: name must be provided",
  ),
  badly("an object without a kind", { metadata: { name: "a" } }, 400, "invalid object type: /, Kind="),
  badly(
    "an object of another group",
    { apiVersion: "nope.io/v1", kind: "ConfigMap", metadata: { name: "a" } },
    400,
    "invalid object type: nope.io/v1, Kind=ConfigMap",
  ),
  badly("null", "null", 400, "invalid object type: /, Kind="),
  badly(
    "broken YAML",
    "a: [\n",
    400,
    "error decoding YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content",
  ),
  badly("managed fields", map(undefined, { managedFields: [] }), 400, "metadata.managedFields must be nil"),
  badly(
    "a value of another type",
    map({ x: 1 }),
    500,
    "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .data.x: expected string, got &value.valueUnstructured{Value:1}",
  ),
  badly(
    "a field that is not there",
    { ...map(undefined), nope: 1 },
    500,
    "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .nope: field not declared in schema",
  ),
  badly(
    "a uid, if there is no object",
    map(undefined, { uid: "11111111-1111-4111-8111-111111111111" }),
    409,
    'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid 11111111-1111-4111-8111-111111111111, and no existing object was found',
  ),
  [
    "a status of nothing",
    raw("deployments/a/status?fieldManager=m", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "a" },
    }).answers(404, 'deployments.apps "a" not found'),
  ],
  [
    "a field that may not change",
    created(secret("a", { type: "x.io/one" }), "one"),
    apply(secret("a", { type: "x.io/two" }), "one").answers(
      422,
      'Secret "a" is invalid: type: Invalid value: "x.io/two": field is immutable',
    ),
  ],
  [
    "two elements of one key",
    apply(pod("a", {}, { ports: [{ containerPort: 80 }, { containerPort: 80 }] }), "one").answers(500),
  ],
  [
    "YAML may be the text",
    raw("configmaps/a?fieldManager=m", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: 'yes'}\n")
      .answers(201)
      .has("data", { x: "yes" }),
    remove("configmaps/a"),
  ],
]);
