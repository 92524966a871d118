/** Admission policies that users write, and what else of the API server others extend. */
import {
  afterwards,
  create,
  get,
  mergePatch,
  post,
  put,
  remove,
  storyServer,
  type Runnable,
} from "#test/support/story.ts";
import { deployment, pod } from "#test/support/story-objects.ts";
import { Step } from "#test/support/story-step.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const registration = "/apis/admissionregistration.k8s.io/v1";
const here = { matchLabels: { "kubernetes.io/metadata.name": "{ns}" } };
const rule = (
  group: string,
  version: string,
  resources: string,
  operations: readonly string[] = ["CREATE", "UPDATE"],
) => ({
  apiGroups: [group],
  apiVersions: [version],
  operations,
  resources: [resources],
});
const maps = rule("", "v1", "configmaps");

/** A policy and its binding, for this story's namespace alone. */
function policy(kind: "validating" | "mutating", spec: Fields, binding: Fields = {}, matched = maps): Runnable[] {
  const policies = `${registration}/${kind}admissionpolicies`;
  const matchResources = { namespaceSelector: here };
  const matchConstraints = { resourceRules: [matched], ...matchResources };
  const actions = kind === "validating" ? { validationActions: ["Deny"] } : {};
  return [
    post(policies, { metadata: { name: "p-{ns}" }, spec: { matchConstraints, ...spec } }),
    post(policies.replace("policies", "policybindings"), {
      metadata: { name: "b-{ns}" },
      spec: { policyName: "p-{ns}", matchResources, ...actions, ...binding },
    }),
    afterwards(remove(`${policies}/p-{ns}`)),
    afterwards(remove(`${policies.replace("policies", "policybindings")}/b-{ns}`)),
  ];
}
const map = (data: Fields, more: Fields = {}) =>
  post("/api/v1/namespaces/{ns}/configmaps", { metadata: { name: "m", ...more }, data });
const denied = (text: string) =>
  `configmaps "m" is forbidden: ValidatingAdmissionPolicy 'p-{ns}' with binding 'b-{ns}' denied request: ${text}`;
const equals = (expression: string, more: Fields = {}) => ({ validations: [{ expression, ...more }] });

/** True, after millions of steps. */
const costly = [..."abcdef"].reduceRight((body, name) => `[1,2,3,4,5,6,7,8,9,10].all(${name}, ${body})`, "true");

stories("a validating policy", [
  [
    "denies with its message, else with its expression",
    ...policy("validating", equals("object.data.x == 'ok'", { message: "x is not ok" })),
    map({ x: "no" }).answers(422, denied("x is not ok")),
    map({ x: "ok" }),
  ],
  [
    "makes messages, and gives its reason a code",
    ...policy(
      "validating",
      equals("object.data.x == 'ok'", { messageExpression: "'x is ' + object.data.x", reason: "Forbidden" }),
    ),
    map({ x: "no" }).answers(403, denied("x is no")),
  ],
  [
    "makes no long messages and none of several lines",
    ...policy(
      "validating",
      equals("object.data.y == 'ok'", { messageExpression: "string(object.data.x)", message: "no" }),
    ),
    map({ x: "x".repeat(5 * 1024), y: "" }).answers(422, denied("x".repeat(5 * 1024))),
    map({ x: "x".repeat(5 * 1024 + 1), y: "" }).answers(422, denied("no")),
    map({ x: "a\nb", y: "" }).answers(422, denied("no")),
  ],
  [
    "is at fault where an expression costs too much",
    ...policy("validating", equals(costly)),
    map({}).answers(
      422,
      denied(`expression '${costly}' resulted in error: operation cancelled: actual cost limit exceeded`),
    ),
  ],
  [
    "knows the request",
    ...policy("validating", equals("request.namespace != '{ns}' || request.name == 'other'")),
    map({}).answers(422, denied("failed expression: request.namespace != '{ns}' || request.name == 'other'")),
  ],
  [
    "only warns if its binding says so",
    ...policy("validating", equals("false", { message: "no" }), { validationActions: ["Warn"] }),
    map({}).warns("Validation failed for ValidatingAdmissionPolicy 'p-{ns}' with binding 'b-{ns}': no"),
  ],
  [
    "denies in any case what it cannot write into its audit log",
    ...policy(
      "validating",
      { ...equals("true"), auditAnnotations: [{ key: "k", valueExpression: "string(object.data.x)" }] },
      { validationActions: ["Audit"] },
    ),
    map({ x: "1" }),
    map({ y: "1" }, { name: "n" }).answers(
      422,
      denied("expression 'string(object.data.x)' resulted in error: no such key: x").replace('"m"', '"n"'),
    ),
  ],
  [
    "tells all conditions that cannot be told",
    ...policy("validating", {
      ...equals("true"),
      matchConditions: [
        { name: "a", expression: "object.data.a == '1'" },
        { name: "b", expression: "object.data.b == '1'" },
      ],
    }),
    map({ x: "1" }).answers(
      422,
      denied(
        "[expression 'object.data.a == '1'' resulted in error: no such key: a, expression 'object.data.b == '1'' resulted in error: no such key: b]",
      ),
    ),
    map({ b: "2" }),
  ],
  [
    "sees what matched: another version, a Scale",
    ...policy(
      "validating",
      equals("false", { messageExpression: "object.apiVersion + ' for ' + request.requestKind.version" }),
      {},
      rule("autoscaling", "v1", "horizontalpodautoscalers"),
    ),
    post("/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers", {
      metadata: { name: "h" },
      spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" } },
    }).answers(
      422,
      "horizontalpodautoscalers.autoscaling \"h\" is forbidden: ValidatingAdmissionPolicy 'p-{ns}' with binding 'b-{ns}' denied request: autoscaling/v1 for v2",
    ),
  ],
  [
    "sees a Scale at the scale subresource",
    create(deployment("d")),
    ...policy(
      "validating",
      equals("object.spec.replicas < 5", { messageExpression: "object.kind + ' of ' + string(object.spec.replicas)" }),
      {},
      rule("apps", "v1", "deployments/scale"),
    ),
    put("/apis/apps/v1/namespaces/{ns}/deployments/d/scale", {
      apiVersion: "autoscaling/v1",
      kind: "Scale",
      metadata: { name: "d", namespace: "{ns}" },
      spec: { replicas: 9 },
    }).answers(
      422,
      "deployments.apps \"d\" is forbidden: ValidatingAdmissionPolicy 'p-{ns}' with binding 'b-{ns}' denied request: Scale of 9",
    ),
  ],
  [
    "takes parameters by name or by label, and says when there are none",
    ...policy(
      "validating",
      { ...equals("object.data.x == params.data.x"), paramKind: { apiVersion: "v1", kind: "ConfigMap" } },
      { paramRef: { selector: { matchLabels: { param: "yes" } }, parameterNotFoundAction: "Deny" } },
    ),
    map({ x: "1" }).answers(
      422,
      denied("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"),
    ),
  ],
  [
    "whose kind of parameters nobody knows denies all",
    ...policy(
      "validating",
      { ...equals("true"), paramKind: { apiVersion: "x.io/v1", kind: "None" } },
      { paramRef: { name: "p", parameterNotFoundAction: "Allow" } },
    ),
    map({}).answers(
      422,
      "configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p-{ns}' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'x.io/v1, Kind=None'",
    ),
  ],
  [
    "sees deletions",
    map({}),
    ...policy("validating", equals("oldObject.metadata.name != 'm'"), {}, rule("", "v1", "configmaps", ["DELETE"])),
    remove("/api/v1/namespaces/{ns}/configmaps/m").answers(
      422,
      denied("failed expression: oldObject.metadata.name != 'm'"),
    ),
  ],
]);

const mutating = (mutations: unknown[], more: Fields = {}) => ({
  reinvocationPolicy: "Never",
  mutations,
  ...more,
});
const applied = (expression: string) => ({ patchType: "ApplyConfiguration", applyConfiguration: { expression } });
const patched = (expression: string) => ({ patchType: "JSONPatch", jsonPatch: { expression } });
stories("a mutating policy", [
  [
    "applies what it makes",
    ...policy("mutating", mutating([applied("Object{data: {'made': object.data.x + '!'}}")])),
    map({ x: "1" }).has("data", { x: "1", made: "1!" }),
  ],
  [
    "patches, one mutation after the other",
    ...policy(
      "mutating",
      mutating([
        patched("[JSONPatch{op: 'add', path: '/data/a', value: '1'}]"),
        patched("[JSONPatch{op: 'add', path: '/data/b', value: object.data.a + '2'}]"),
      ]),
    ),
    map({ x: "1" }).has("data", { x: "1", a: "1", b: "12" }),
  ],
  [
    "does nothing where a test fails",
    ...policy(
      "mutating",
      mutating([
        patched(
          "[JSONPatch{op: 'test', path: '/data/x', value: '2'}, JSONPatch{op: 'add', path: '/data/a', value: '1'}]",
        ),
      ]),
    ),
    map({ x: "1" }).has("data", { x: "1" }),
  ],
  [
    "may not apply a field that there is not",
    ...policy("mutating", mutating([applied("Object{spec: Object.spec{none: 1}}")])),
    map({ x: "1" }).answers(
      403,
      "policy 'p-{ns}' with binding 'b-{ns}' denied request: error applying patch: failed to convert patch object to typed object: .spec: field not declared in schema",
    ),
  ],
  [
    "may say null where there is a text, which then is empty",
    ...policy("mutating", mutating([applied("Object{metadata: Object.metadata{labels: {'a': dyn(null)}}}")])),
    map({ x: "1" }).has("metadata.labels", { a: "" }),
  ],
  [
    "leaves out what is optional and has no value",
    ...policy(
      "mutating",
      mutating([
        applied(
          "Object{metadata: Object.metadata{?labels: optional.of({'l': 'v'}), ?annotations: object.?metadata.?annotations}}",
        ),
      ]),
    ),
    map({ x: "1" }).has("metadata.labels", { l: "v" }),
  ],
  [
    "sees as different what it makes of different types",
    ...policy(
      "mutating",
      mutating([
        patched(
          "[JSONPatch{op: 'add', path: '/data', value: {'same': string(Object.a{b: 1} == Object.a{b: 1}), 'other': string(dyn(Object.a{b: 1}) == dyn(Object.c{b: 1}))}}]",
        ),
      ]),
    ),
    map({ x: "1" }).has("data", { same: "true", other: "false" }),
  ],
  [
    "names its parts by where they are",
    ...policy("mutating", mutating([applied("Object{metadata: Object.meta{labels: {'l': 'v'}}}")])),
    map({ x: "1" }).answers(
      403,
      `policy 'p-{ns}' with binding 'b-{ns}' denied request: type mismatch: unexpected type name "Object.meta", expected "Object.metadata", which matches field name path from root Object type`,
    ),
  ],
  [
    "names the parts that it patches by where they are below the first",
    ...policy(
      "mutating",
      mutating([patched("[JSONPatch{op: 'add', path: '/data', value: Object.data{x: Object.x{}}}]")]),
    ),
    map({ x: "1" }).answers(
      403,
      `policy 'p-{ns}' with binding 'b-{ns}' denied request: type mismatch: unexpected type name "Object.x", expected "Object.data.x", which matches field name path from root Object type`,
    ),
  ],
  [
    "applies to what a subresource takes",
    ...policy(
      "mutating",
      mutating([applied("Object{metadata: Object.metadata{labels: {'on': object.target.name}}}")]),
      {},
      rule("", "v1", "pods/binding", ["CREATE"]),
    ),
    create(pod("p")),
    post("/api/v1/namespaces/{ns}/pods/p/binding", { metadata: { name: "p" }, target: { name: "n" } }),
    get("/api/v1/namespaces/{ns}/pods/p").has("metadata.labels", { on: "n" }),
  ],
  [
    "may not apply what belongs together",
    ...policy(
      "mutating",
      mutating([
        applied(
          "Object{spec: Object.spec{selector: Object.spec.selector{matchExpressions: [Object.spec.selector.matchExpressions{key: 'k', operator: 'Exists'}]}}}",
        ),
      ]),
      {},
      rule("apps", "v1", "deployments"),
    ),
    create(deployment("d")).answers(
      403,
      "policy 'p-{ns}' with binding 'b-{ns}' denied request: error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector, .spec.selector.matchExpressions",
    ),
  ],
  [
    "fails the request where its patch makes no object of the kind",
    ...policy("mutating", mutating([patched("[JSONPatch{op: 'add', path: '/data/a', value: {'b': 'c'}}]")])),
    map({ x: "1" }).answers(
      500,
      "Internal error occurred: json: cannot unmarshal object into Go struct field ConfigMap.data of type string",
    ),
  ],
  [
    "fails the request where its patch names a field that there is not",
    ...policy("mutating", mutating([patched("[JSONPatch{op: 'add', path: '/none', value: 'a'}]")])),
    map({ x: "1" }).answers(500, 'Internal error occurred: strict decoding error: unknown field "none"'),
  ],
]);

stories("an API service", [
  [
    "is there for every version that is served",
    get("/apis/apiregistration.k8s.io/v1/apiservices/v1.apps").shows({
      metadata: { labels: { "kube-aggregator.kubernetes.io/automanaged": "onstart" } },
      spec: { group: "apps", version: "v1", groupPriorityMinimum: 17_800, versionPriority: 15 },
      status: { conditions: [{ type: "Available", status: "True", reason: "Local" }] },
    }),
    post("/apis/apiregistration.k8s.io/v1/apiservices", {
      metadata: { name: "v1." },
      spec: { version: "v1", groupPriorityMinimum: 1, versionPriority: 1 },
    }).answers(409, 'apiservices.apiregistration.k8s.io "v1." already exists'),
  ],
  [
    "says what keeps its server away",
    post("/apis/apiregistration.k8s.io/v1/apiservices", {
      metadata: { name: "v1.{ns}.example.com" },
      spec: {
        group: "{ns}.example.com",
        version: "v1",
        groupPriorityMinimum: 10,
        versionPriority: 1,
        insecureSkipTLSVerify: true,
        service: { namespace: "{ns}", name: "far" },
      },
    }),
    afterwards(remove("/apis/apiregistration.k8s.io/v1/apiservices/v1.{ns}.example.com")),
    get("/apis/apiregistration.k8s.io/v1/apiservices/v1.{ns}.example.com")
      .hasCondition("Available", {
        status: "False",
        reason: "ServiceNotFound",
        message: 'service/far in "{ns}" is not present',
      })
      .eventually(),
    new Step("GET", "/apis/{ns}.example.com/v1/things").answers(503, "service unavailable\n"),
    post("/api/v1/namespaces/{ns}/services", { metadata: { name: "far" }, spec: { ports: [{ port: 443 }] } }),
    get("/apis/apiregistration.k8s.io/v1/apiservices/v1.{ns}.example.com")
      .hasCondition("Available", {
        status: "False",
        reason: "EndpointsNotFound",
        message: 'cannot find endpointslices for service/far in "{ns}"',
      })
      .eventually(),
    mergePatch("/api/v1/namespaces/{ns}/services/far", { spec: { ports: [{ port: 80 }] } }),
    get("/apis/apiregistration.k8s.io/v1/apiservices/v1.{ns}.example.com")
      .hasCondition("Available", {
        status: "False",
        reason: "ServicePortError",
        message: 'service/far in "{ns}" is not listening on port 443',
      })
      .eventually(),
  ],
  [
    "tells other servers whom to trust",
    get("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication").shows({
      data: {
        "requestheader-allowed-names": '["front-proxy-client"]',
        "requestheader-username-headers": '["X-Remote-User"]',
      },
    }),
  ],
]);
