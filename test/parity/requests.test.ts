/** What a request may look like: bodies, names, metadata, versions, dry runs, options, field validation, paths. */
import { create, get, mergePatch, post, put, remove, storyServer, update, type Story } from "#test/support/story.ts";
import {
  clusterRole,
  clusterRoleBinding,
  configMap,
  cronJob,
  deployment,
  lease,
  limitRange,
  namespace,
  pod,
  priorityClass,
  resourceQuota,
  role,
  secret,
  service,
  serviceAccount,
  statefulSet,
} from "#test/support/story-objects.ts";

const stories = storyServer();

const decodes = (claim: string, path: string, body: unknown, text: string, code = 400): Story => [
  claim,
  post(path, body).answers(code, text),
];
const asConfigMap = "cannot be handled as a ConfigMap";

stories("a body", [
  decodes(
    "needs a name",
    "configmaps",
    {},
    'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
    422,
  ),
  decodes(
    "may not be empty",
    "pods",
    undefined,
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
  ),
  decodes(
    "may not be a number",
    "configmaps",
    "5",
    `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: json: cannot unmarshal number into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (35)`,
  ),
  decodes(
    "may not be of another kind",
    "configmaps",
    { apiVersion: "v1", kind: "Secret", metadata: { name: "a" } },
    `Secret in version "v1" ${asConfigMap}: converting (v1.Secret) to (core.ConfigMap): unknown conversion`,
  ),
  decodes(
    "may not be a list",
    "configmaps",
    { apiVersion: "v1", kind: "List", items: [] },
    `List in version "v1" ${asConfigMap}: converting (v1.List) to (core.ConfigMap): unknown conversion`,
  ),
  decodes(
    "may not have a version with three parts",
    "configmaps",
    '{"apiVersion":"a/b/c","kind":"ConfigMap"}',
    'the object provided is unrecognized (must be of type ConfigMap): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c","kind":" ...)',
  ),
  decodes(
    "says which field has which Go type",
    "configmaps",
    { metadata: { name: "a" }, data: { a: 1 } },
    `ConfigMap in version "v1" ${asConfigMap}: json: cannot unmarshal number into Go struct field ConfigMap.data of type string`,
  ),
  decodes(
    "says which list has which Go type",
    "configmaps",
    { metadata: { name: "a", labels: ["x"] } },
    `ConfigMap in version "v1" ${asConfigMap}: json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string`,
  ),
  decodes(
    "names the struct nearest to the field",
    "pods",
    { metadata: { name: "a" }, spec: { containers: [{ name: "c", image: "x", ports: [{ containerPort: "80" }] }] } },
    'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ),
  decodes(
    "holds no whole number as a fraction",
    "deployments",
    '{"metadata":{"name":"a"},"spec":{"replicas":2.0}}',
    'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 2.0 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ),
  ["needs neither kind nor version", post("configmaps", { metadata: { name: "a" } })],
  ["may have the namespace of its path", create(configMap("a", {}, { namespace: "{ns}" }))],
  [
    "may not have another namespace",
    create(configMap("a", {}, { namespace: "other" })).answers(
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ),
  ],
  [
    "loses a namespace that its kind does not have",
    create(namespace("{ns}-x", {}, { namespace: "y" })).lacks("metadata.namespace"),
  ],
  [
    "has texts in place of nulls in a map",
    create(secret("a", { data: { a: null, b: "" } })).has("data", { a: "", b: "" }),
  ],
  [
    "shows quantities in their canonical form",
    create(pod("a", {}, { resources: { limits: { cpu: 0.5, memory: "1024Mi", "ephemeral-storage": "1e3" } } })).has(
      "spec.containers.0.resources.limits",
      { cpu: "500m", memory: "1Gi", "ephemeral-storage": "1e3" },
    ),
  ],
  [
    "has case-sensitive names of fields",
    post("configmaps", { metadata: { name: "a" }, Data: { a: "1" } })
      .lacks("data", "Data")
      .warns('unknown field "Data"'),
  ],
]);

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const isNoSubdomain = (name: string) => `metadata.name: Invalid value: "${name}": ${subdomain}`;
const long = "a".repeat(64);

stories("a name", [
  [
    "of a config map is a subdomain",
    create(configMap("a.b"), "?dryRun=All"),
    create(configMap("a..b")).isInvalid(isNoSubdomain("a..b")),
    create(configMap("a:b")).isInvalid(isNoSubdomain("a:b")),
  ],
  ["of a service account is a subdomain", create(serviceAccount("Abc")).isInvalid(isNoSubdomain("Abc"))],
  ["of a service may start with a digit", create(service("1a"), "?dryRun=All")],
  [
    "of a stateful set has at most 63 characters",
    create(statefulSet(long)).isInvalid(`metadata.name: Invalid value: "${long}": must be no more than 63 characters`),
  ],
  [
    "of a cron job has at most 52 characters",
    create(cronJob("t".repeat(52)), "?dryRun=All"),
    create(cronJob("t".repeat(53))).isInvalid(
      `metadata.name: Invalid value: "${"t".repeat(53)}": must be no more than 52 characters`,
    ),
  ],
  [
    "of a role is any path segment",
    create(role("a:b"), "?dryRun=All"),
    create(clusterRole("Abc"), "?dryRun=All"),
    create(role("a/b")).isInvalid(`metadata.name: Invalid value: "a/b": may not contain '/'`),
    create(role(".")).isInvalid(`metadata.name: Invalid value: ".": may not be '.'`),
  ],
  [
    "of a namespace is a label twice",
    create(namespace(long)).isInvalid(
      `[metadata.name: Invalid value: "${long}": must be no more than 63 characters, metadata.labels: Invalid value: "${long}": must be no more than 63 bytes]`,
    ),
  ],
  ["of a priority class is a subdomain", create(priorityClass("a:b", { value: 1 })).isInvalid(isNoSubdomain("a:b"))],
  [
    "is taken once",
    create(configMap("a")),
    create(configMap("a")).answers(409, 'configmaps "a" already exists'),
    create(configMap("a"), "?dryRun=All").answers(409, 'configmaps "a" already exists'),
  ],
  [
    "is made of generateName and five characters",
    post("configmaps", { metadata: { generateName: "part-" } }).meets((body) => {
      const { name } = body["metadata"] as { name: string };
      if (!/^part-[bcdfghjklmnpqrstvwxz2456789]{5}$/.test(name)) throw new Error(name);
    }),
  ],
]);

const keyText =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const valueText =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const withMetadata = (metadata: Record<string, unknown>) => create(configMap("a", {}, metadata));

stories("metadata", [
  [
    "label keys have a name",
    withMetadata({ labels: { "a.io/": "v" } }).isInvalid(
      `[metadata.labels: Invalid value: "a.io/": name part must be non-empty, metadata.labels: Invalid value: "a.io/": ${keyText}]`,
    ),
  ],
  [
    "label values are short words",
    withMetadata({ labels: { a: "b c" } }).isInvalid(`metadata.labels: Invalid value: "b c": ${valueText}`),
    withMetadata({ labels: { a: "b-" } }).isInvalid(`metadata.labels: Invalid value: "b-": ${valueText}`),
  ],
  ["annotation values are anything", withMetadata({ annotations: { a: "any\nthing \u2713 {}" } })],
  [
    "finalizers are qualified",
    withMetadata({ finalizers: ["mine"] }).isInvalid(
      'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ),
  ],
  [
    "an object is orphaned or deleted in the foreground",
    withMetadata({ finalizers: ["orphan", "foregroundDeletion"] }).isInvalid(
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ),
  ],
  [
    "owners have a name",
    withMetadata({ ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "", uid: "u" }] }).isInvalid(
      'metadata.ownerReferences.name: Invalid value: "": must not be empty',
    ),
  ],
  [
    "an object has one controller",
    withMetadata({
      ownerReferences: [
        { apiVersion: "v1", kind: "A", name: "a", uid: "1", controller: true },
        { apiVersion: "v1", kind: "A", name: "b", uid: "2", controller: true },
      ],
    }).isInvalid(
      'metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"A","name":"a","uid":"1","controller":true},{"apiVersion":"v1","kind":"A","name":"b","uid":"2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for A/a and A/b',
    ),
  ],
  [
    "a new object has no version yet",
    withMetadata({ resourceVersion: "0" }),
    create(configMap("b", {}, { resourceVersion: "7" })).answers(
      500,
      "resourceVersion should not be set on objects to be created",
    ),
  ],
  [
    "the time of creation stays",
    create(configMap("a")).saves("time", "metadata.creationTimestamp"),
    update(configMap("a", {}, { creationTimestamp: "2001-01-01T00:00:00Z" })).has(
      "metadata.creationTimestamp",
      "{time}",
    ),
  ],
  [
    "a new object's fields have an owner",
    create(configMap("a", { data: { k: "1" } })).shows({
      metadata: {
        managedFields: [
          {
            manager: "parity",
            operation: "Update",
            apiVersion: "v1",
            fieldsType: "FieldsV1",
            fieldsV1: { "f:data": { ".": {}, "f:k": {} } },
          },
        ],
      },
    }),
  ],
]);

stories("two who write the same object", [
  [
    "the one who read an older version loses",
    create(configMap("a")).saves("rv", "metadata.resourceVersion"),
    mergePatch("configmaps/a", { data: { x: "1" } }),
    update(configMap("a", {}, { resourceVersion: "{rv}" })).answers(
      409,
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    ),
    mergePatch("configmaps/a", { metadata: { resourceVersion: "{rv}" }, data: { y: "1" } }).answers(
      409,
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    ),
  ],
  [
    "a version is a number",
    create(configMap("a")),
    update(configMap("a", {}, { resourceVersion: "abc" })).answers(
      500,
      'strconv.ParseUint: parsing "abc": invalid syntax',
    ),
  ],
  [
    "a write that changes nothing makes no version",
    create(configMap("a")).saves("rv", "metadata.resourceVersion"),
    update(configMap("a")).has("metadata.resourceVersion", "{rv}"),
  ],
  [
    "some kinds are never written blindly",
    create(lease("a", { spec: { holderIdentity: "me" } })),
    update(lease("a", { spec: { holderIdentity: "you" } })).answers(
      422,
      'leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ),
  ],
]);

stories("PUT of what is missing", [
  [
    "makes a service, a lease with a version, a limit range",
    update(service("a")).answers(201),
    update(lease("a", {}, { resourceVersion: "5" })).answers(201),
    update(limitRange("a", { spec: { limits: [] } })).answers(201),
  ],
  [
    "makes the kinds of RBAC",
    update(
      clusterRoleBinding("{ns}", {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "a" },
      }),
    ).answers(201),
  ],
  [
    "is 404 for others",
    update(pod("a")).answers(404, 'pods "a" not found'),
    update(deployment("a")).answers(404, 'deployments.apps "a" not found'),
    update(resourceQuota("a", { spec: {} })).answers(404, 'resourcequotas "a" not found'),
  ],
  [
    "checks that names agree",
    create(configMap("a")),
    put("configmaps/a", configMap("b")).answers(
      400,
      "the name of the object (b) does not match the name on the URL (a)",
    ),
  ],
]);

const nested = { metadata: { name: "a" }, spec: { containers: [{ name: "c", image: "x", nope: 1 }], nonsense: 1 } };
stories("unknown fields", [
  [
    "are warned of",
    post("pods", nested).warns('unknown field "spec.containers[0].nope"', 'unknown field "spec.nonsense"'),
  ],
  ["are ignored if so asked", post("pods?fieldValidation=Ignore", nested)],
  [
    "are refused if so asked",
    post("pods?fieldValidation=Strict", nested).answers(
      400,
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].nope", unknown field "spec.nonsense"',
    ),
  ],
  [
    "as keys that come twice",
    post("configmaps?fieldValidation=Strict", '{"metadata":{"name":"a"},"data":{"k":"1","k":"2"}}').answers(
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.k"',
    ),
  ],
  [
    "in YAML too, with the line",
    post(
      "configmaps?fieldValidation=Strict",
      'metadata:\n  name: a\ndata:\n  k: "1"\n  k: "2"\n',
      "application/yaml",
    ).answers(
      400,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 5: key "k" already set in map',
    ),
  ],
  [
    "have three ways of treatment",
    create(configMap("a"), "?fieldValidation=Bogus").answers(
      422,
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Bogus": supported values: "", "Ignore", "Strict", "Warn"',
    ),
  ],
]);

stories("a dry run", [
  [
    "creates nothing",
    create(configMap("a"), "?dryRun=All")
      .shows({ metadata: { name: "a" } })
      .lacks("metadata.resourceVersion"),
    get("configmaps/a").answers(404, 'configmaps "a" not found'),
  ],
  [
    "deletes nothing",
    create(configMap("a")),
    remove("configmaps/a?dryRun=All").shows({ status: "Success" }),
    get("configmaps/a"),
  ],
  [
    "says All",
    create(configMap("a"), "?dryRun=true").answers(
      422,
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["true"]: supported values: "All"',
    ),
    remove("configmaps/a?dryRun=Some").answers(
      422,
      'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    ),
  ],
]);

stories("options", [
  [
    "a field manager has a name",
    create(configMap("b", { data: { a: "1" } }), "?fieldManager=me").shows({
      metadata: { managedFields: [{ manager: "me" }] },
    }),
  ],
  [
    "force is for applying",
    create(configMap("a")),
    mergePatch("configmaps/a?force=true", {}).answers(
      422,
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    ),
  ],
]);

const notFound = "the server could not find the requested resource";
const notAllowed = "the server does not allow this method on the requested resource";
stories("a path", [
  ["of an unknown group is no API at all", get("/apis/nope.io").answers(404, "404 page not found\n")],
  [
    "of an unknown version or resource is",
    get("/apis/apps/v9").answers(404, notFound),
    get("/apis/apps/v1/nopes").answers(404, notFound),
    get("/apis/apps/v1beta1/deployments").answers(404, notFound),
  ],
  ["of a namespaced object needs its namespace", get("/api/v1/configmaps/a").answers(404, notFound)],
  [
    "of an unknown subresource is none",
    get("configmaps/a/nope").answers(404, notFound),
    mergePatch("configmaps/a/status", {}).answers(404, notFound),
  ],
  [
    "takes just some methods",
    post("configmaps/a", {}).answers(405, notAllowed),
    remove("deployments/a/status").answers(405, notAllowed),
    get("/apis/authentication.k8s.io/v1/tokenreviews").answers(405, notAllowed),
    remove("/api/v1/namespaces").answers(405, notAllowed),
  ],
  [
    "of health is text",
    get("/livez").answers(200, "ok"),
    get("/healthz").answers(200, "ok"),
    get("/readyz").answers(200, "ok"),
  ],
  [
    "of a missing namespace lists nothing",
    get("/api/v1/namespaces/nope/configmaps").lists(),
    get("/api/v1/namespaces/nope/configmaps/a").answers(404, 'configmaps "a" not found'),
    post("/api/v1/namespaces/nope/configmaps", configMap("a")).answers(404, 'namespaces "nope" not found'),
  ],
]);
