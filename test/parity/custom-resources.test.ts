/** Kinds that users define: their names, schemas, versions, subresources, and their end. */
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
  type Runnable,
  type Story,
  type Written,
} from "#test/support/story.ts";
import { customResourceDefinition } from "#test/support/story-objects.ts";
import { Step } from "#test/support/story-step.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const group = "{ns}.example.com";
const definitionPath = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`;
const widgets = `/apis/${group}/v1/namespaces/{ns}/widgets`;

const schema = (properties: Fields, more: Fields = {}) => ({
  openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties, ...more } } },
});
const sized = schema({ size: { type: "integer" }, color: { type: "string" } });
const definition = (version: Fields = {}, spec: Fields = {}): Written =>
  customResourceDefinition(`widgets.${group}`, {
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      versions: [{ name: "v1", served: true, storage: true, schema: sized, ...version }],
      ...spec,
    },
  });
const defined = (version: Fields = {}, spec: Fields = {}): Runnable[] => [
  create(definition(version, spec)),
  get(widgets).eventually(),
];
const widget = (name: string, spec: Fields = {}, metadata: Fields = {}) => ({
  apiVersion: `${group}/v1`,
  kind: "Widget",
  metadata: { name, ...metadata },
  spec,
});
const make = (spec: Fields, metadata: Fields = {}) => post(widgets, widget("a", spec, metadata));
const refused = (claim: string, properties: Fields, spec: Fields, text: string): Story => [
  claim,
  ...defined({ schema: schema(properties) }),
  make(spec).answers(422, `Widget.${group} "a" is invalid: ${text}`),
];

stories("a definition", [
  [
    "is accepted, then established",
    create(definition()).shows({ spec: { conversion: { strategy: "None" } } }),
    get(definitionPath)
      .hasCondition("NamesAccepted", { status: "True", reason: "NoConflicts", message: "no conflicts found" })
      .hasCondition("Established", {
        status: "True",
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      })
      .eventually(),
  ],
  [
    "says whether the community approves, in the community's groups",
    create({
      ...definition({}, { group: "{ns}.k8s.io" }),
      metadata: { name: "widgets.{ns}.k8s.io", annotations: { "api-approved.kubernetes.io": "https://x.io/1" } },
    }),
    afterwards(remove("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{ns}.k8s.io")),
    get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{ns}.k8s.io")
      .hasCondition("KubernetesAPIApprovalPolicyConformant", {
        status: "True",
        reason: "ApprovedAnnotation",
        message: "approved in https://x.io/1",
      })
      .eventually(),
  ],
  [
    "takes all its objects with it",
    ...defined(),
    ...["a", "b", "c", "d", "e"].map((name) => post(widgets, widget(name))),
    remove(definitionPath),
    get(definitionPath).answers(404).eventually(),
    get(widgets).answers(404).eventually(),
  ],
  [
    "waits for its names if others have them",
    ...defined(),
    post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      ...definition(),
      metadata: { name: `wodgets.${group}` },
      spec: { ...(definition()["spec"] as Fields), names: { plural: "wodgets", kind: "Wodget", singular: "widget" } },
    }),
    get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/wodgets.${group}`)
      .hasCondition("NamesAccepted", {
        status: "False",
        reason: "SingularConflict",
        message: '"widget" is already in use',
      })
      .hasCondition("Established", { status: "False", reason: "NotAccepted", message: "not all names are accepted" })
      .eventually(),
  ],
  [
    "always names the versions that are stored, and lets a status write touch its labels",
    ...defined(),
    mergePatch(`${definitionPath}/status`, { status: { storedVersions: [] } }).has("status.storedVersions", ["v1"]),
    mergePatch(`${definitionPath}/status`, { metadata: { labels: { a: "b" } }, spec: { scope: "Cluster" } })
      .has("metadata.labels", { a: "b" })
      .has("spec.scope", "Namespaced"),
  ],
  [
    "has a conversion webhook only where it says so",
    create(
      definition({}, { conversion: { strategy: "None", webhook: { conversionReviewVersions: ["v1"] } } }),
    ).isInvalid(
      "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
    ),
  ],
  [
    "is deleted only as it is known",
    create(definition()),
    remove(definitionPath, { preconditions: { uid: "x" } })
      .meets(({ message }) =>
        expect(message).toMatch(/Precondition failed: UID in precondition: x, UID in object meta: /),
      )
      .answers(409),
  ],
  [
    "may have a printed column whose path is none",
    ...defined({
      additionalPrinterColumns: [".spec.size", ".spec.x[", ".spec.color"].map((jsonPath) => ({
        name: jsonPath,
        type: "string",
        jsonPath,
      })),
    }),
    make({ size: 1 }),
    get(widgets)
      .accepting("application/json;as=Table;v=v1;g=meta.k8s.io")
      .meets(({ columnDefinitions, rows }) => {
        expect(columnDefinitions).toMatchObject([{ name: "Name" }, { name: ".spec.size" }]);
        expect(rows).toMatchObject([{ cells: ["a", "1"] }]);
      }),
  ],
  ["is named for its plural and its group", create({ ...definition(), metadata: { name: "widgets" } }).answers(422)],
  [
    "shows up in discovery",
    ...defined({ subresources: { status: {} } }),
    get(`/apis/${group}/v1`).meets(({ resources }) =>
      expect(resources).toMatchObject([
        { name: "widgets", singularName: "widget", namespaced: true, kind: "Widget" },
        { name: "widgets/status", kind: "Widget", verbs: ["get", "patch", "update"] },
      ]),
    ),
  ],
  [
    "takes its objects along, and waits for their finalizers",
    ...defined(),
    make({}, { finalizers: ["x.io/keep"] }),
    remove(definitionPath),
    post(widgets, widget("b"))
      .answers(
        403,
        `widgets.${group} "b" is forbidden: create not allowed while custom resource definition is terminating`,
      )
      .eventually(),
    get(definitionPath)
      .shows({ metadata: { finalizers: ["customresourcecleanup.apiextensions.k8s.io"] } })
      .hasCondition("Terminating", {
        status: "True",
        reason: "InstanceDeletionInProgress",
        message: "CustomResource deletion is in progress",
      })
      .eventually(),
    mergePatch(`${widgets}/a`, { metadata: { finalizers: null } }),
    get(definitionPath).answers(404).eventually(),
  ],
  [
    "has its objects in their scope alone, and no parts that it does not name",
    ...defined(),
    make({}),
    get(`/apis/${group}/v1/widgets/a`)
      .answers(404)
      .meets((body) => expect(body).toBe("404 page not found\n")),
    remove(`/apis/${group}/v1/widgets`)
      .answers(404)
      .meets((body) => expect(body).toBe("404 page not found\n")),
    get(`/apis/${group}/v1/widgets`).answers(200),
    get(`${widgets}/a/status`).answers(404, `widgets.${group} "a" not found`),
    put(`${widgets}/a/nothing`, widget("a")).answers(404, `widgets.${group} "a" not found`),
    put(widgets, widget("a")).answers(400, "name must be provided"),
  ],
  [
    "takes its objects along where no version of it is served any more",
    ...defined(),
    make({}),
    mergePatch(definitionPath, {
      spec: { versions: [{ name: "v1", served: false, storage: true, schema: sized }] },
    }),
    get(widgets).answers(404).eventually(),
    remove(definitionPath),
    get(definitionPath).answers(404).eventually(),
    ...defined(),
    get(widgets).has("items", []),
  ],
  [
    "takes its objects along whatever admission says of them",
    ...defined(),
    make({}),
    post("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", {
      metadata: { name: "keep-{ns}" },
      spec: {
        matchConstraints: {
          resourceRules: [{ apiGroups: [group], apiVersions: ["*"], operations: ["DELETE"], resources: ["*"] }],
        },
        validations: [{ expression: "false", message: "stays" }],
      },
    }),
    post("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", {
      metadata: { name: "keep-{ns}" },
      spec: { policyName: "keep-{ns}", validationActions: ["Deny"] },
    }),
    afterwards(remove("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/keep-{ns}")),
    afterwards(remove("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/keep-{ns}")),
    remove(`${widgets}/a?dryRun=All`).answers(422).eventually(),
    remove(definitionPath),
    get(definitionPath).answers(404).eventually(),
  ],
]);

stories("finalizers of a custom object", [
  [
    "are warned of where they are not qualified",
    ...defined(),
    make({}, { finalizers: ["x.io/good", "orphan", "plain", "a.io"] }).warns(
      'metadata.finalizers: "a.io": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers',
      'metadata.finalizers: "plain": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers',
    ),
    mergePatch(`${widgets}/a`, { metadata: { finalizers: ["x.io/good", "plain"] } }).answers(200),
    mergePatch(`${widgets}/a`, { metadata: { finalizers: null } }),
  ],
]);

stories("a set of maps", [
  [
    "has no owners: nobody can follow its items",
    ...defined({
      schema: schema({
        set: {
          type: "array",
          "x-kubernetes-list-type": "set",
          items: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: { type: "string" } } },
        },
      }),
    }),
    make({ set: [{ a: "1" }, { a: "2" }] }).lacks("metadata.managedFields"),
  ],
]);

stories("an object", [
  [
    "lives like any other",
    ...defined(),
    make({ size: 3 }).shows({
      metadata: {
        generation: 1,
        managedFields: [{ manager: "parity", operation: "Update", fieldsV1: { "f:spec": { ".": {}, "f:size": {} } } }],
      },
    }),
    make({}).answers(409, `widgets.${group} "a" already exists`),
    mergePatch(`${widgets}/a`, { spec: { size: 4 } }).shows({ metadata: { generation: 2 }, spec: { size: 4 } }),
    remove(`${widgets}/a`).shows({ status: "Success" }),
    get(`${widgets}/a`).answers(404, `widgets.${group} "a" not found`),
  ],
  [
    "is never written blindly",
    ...defined(),
    make({}),
    put(`${widgets}/a`, widget("a", { size: 2 })).answers(
      422,
      `widgets.${group} "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update`,
    ),
  ],
  [
    "loses unknown fields, with a warning",
    ...defined(),
    make({ size: 1, nope: true }).has("spec", { size: 1 }).warns('unknown field "spec.nope"'),
  ],
  [
    "keeps them if so declared",
    ...defined({ schema: schema({}, { "x-kubernetes-preserve-unknown-fields": true }) }),
    make({ nope: true }).has("spec", { nope: true }),
  ],
  [
    "gets defaults",
    ...defined({ schema: schema({ size: { type: "integer", default: 7 } }) }),
    make({}).has("spec", { size: 7 }),
  ],
  [
    "is of the version of its path",
    ...defined(),
    post(widgets, { ...widget("a"), apiVersion: `${group}/v9` }).answers(
      400,
      `the API version in the data (${group}/v9) does not match the expected API version (${group}/v1)`,
    ),
  ],
  [
    "says itself what it is",
    ...defined(),
    post(widgets, { metadata: { name: "a" } }).answers(
      400,
      'the object provided is unrecognized (must be of type Widget): Object \'Kind\' is missing in \'{"metadata":{"name":"a"}}\' ({"metadata":{"name":"a"}})',
    ),
    post(widgets, { ...widget("a"), apiVersion: undefined }).answers(
      400,
      `the API version in the data () does not match the expected API version (${group}/v1)`,
    ),
    post(widgets, { ...widget("a"), kind: "Gadget" }).answers(
      422,
      `Gadget.${group} "a" is invalid: kind: Invalid value: "Gadget": must be Widget`,
    ),
    make({}),
    mergePatch(`${widgets}/a`, { apiVersion: `${group}/v2` }).answers(
      422,
      `Widget.${group} "a" is invalid: apiVersion: Invalid value: "${group}/v2": must be ${group}/v1`,
    ),
  ],
  [
    "cannot be patched in the strategic way",
    ...defined(),
    make({}),
    new Step("PATCH", `${widgets}/a`, {}, "application/strategic-merge-patch+json").answers(415),
  ],
  [
    "can be applied",
    ...defined(),
    new Step(
      "PATCH",
      `${widgets}/a?fieldManager=one`,
      widget("a", { size: 1 }),
      "application/apply-patch+yaml",
    ).answers(201),
    new Step(
      "PATCH",
      `${widgets}/a?fieldManager=two`,
      widget("a", { size: 2 }),
      "application/apply-patch+yaml",
    ).answers(409, 'Apply failed with 1 conflict: conflict with "one": .spec.size'),
  ],
]);

stories("a schema", [
  refused(
    "says types",
    { size: { type: "integer" } },
    { size: "x" },
    'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
  ),
  refused(
    "says limits",
    { size: { type: "integer", maximum: 5 } },
    { size: 6 },
    "spec.size: Invalid value: 6: spec.size in body should be less than or equal to 5",
  ),
  refused(
    "says choices",
    { color: { type: "string", enum: ["red", "blue"] } },
    { color: "green" },
    'spec.color: Unsupported value: "green": supported values: "red", "blue"',
  ),
  refused(
    "says patterns",
    { color: { type: "string", pattern: "^[a-z]+$" } },
    { color: "R2" },
    `spec.color: Invalid value: "R2": spec.color in body should match '^[a-z]+$'`,
  ),
  [
    "says what is required",
    ...defined({ schema: schema({ size: { type: "integer" } }, { required: ["size"] }) }),
    make({}).answers(422, `Widget.${group} "a" is invalid: spec.size: Required value`),
  ],
]);

stories("a status", [
  [
    "is written apart if it is a subresource",
    ...defined({
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: {
          type: "object",
          properties: {
            spec: { type: "object", properties: { size: { type: "integer" } } },
            status: { type: "object", properties: { ready: { type: "boolean" } } },
          },
        },
      },
    }),
    post(widgets, { ...widget("a", { size: 1 }), status: { ready: true } }).lacks("status"),
    mergePatch(`${widgets}/a/status`, { spec: { size: 9 }, status: { ready: true } }).shows({
      spec: { size: 1 },
      status: { ready: true },
      metadata: { generation: 1 },
    }),
  ],
]);
const scalable = {
  subresources: {
    status: {},
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
  },
  schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
};
stories("a scale", [
  [
    "reads and writes where it is told",
    ...defined(scalable),
    make({ replicas: 3 }),
    mergePatch(`${widgets}/a/status`, { status: { replicas: 2, selector: "app=x" } }),
    get(`${widgets}/a/scale`)
      .shows({ kind: "Scale", spec: { replicas: 3 } })
      .has("status", { replicas: 2, selector: "app=x" }),
    mergePatch(`${widgets}/a/scale`, { spec: { replicas: 5 } }),
    get(`${widgets}/a`).shows({ spec: { replicas: 5 }, metadata: { generation: 2 } }),
  ],
]);
const shades = `/apis/${group}/v2/namespaces/{ns}/widgets`;
const shaded = {
  versions: [
    { name: "v1", served: true, storage: true, schema: sized },
    {
      name: "v2",
      served: true,
      storage: false,
      schema: schema({ size: { type: "integer" }, shade: { type: "string", default: "dark" } }),
    },
  ],
};
const applyWidget = (path: string, version: string, spec: Fields, manager: string) =>
  new Step(
    "PATCH",
    `${path}/a?fieldManager=${manager}`,
    { ...widget("a", spec), apiVersion: `${group}/${version}` },
    "application/apply-patch+yaml",
  );
stories("versions", [
  [
    "are the same objects",
    ...defined(
      {},
      {
        versions: [
          { name: "v1", served: true, storage: true, schema: sized },
          { name: "v1beta1", served: true, storage: false, deprecated: true, schema: sized },
        ],
      },
    ),
    make({ size: 1 }),
    get(`/apis/${group}/v1beta1/namespaces/{ns}/widgets/a`)
      .shows({ apiVersion: `${group}/v1beta1`, spec: { size: 1 } })
      .warns(`${group}/v1beta1 Widget is deprecated; use ${group}/v1 Widget`),
  ],
  [
    "have their own defaults and fields, and keep what the stored one knows",
    ...defined({}, shaded),
    make({ size: 1, color: "red" }),
    get(`${shades}/a`).has("spec", { size: 1 }),
    post(shades, { ...widget("b", { size: 2, shade: "light" }), apiVersion: `${group}/v2` })
      .has("spec", { size: 2 })
      .meets(({ metadata }) => expect(JSON.stringify(metadata)).toContain('"f:shade":{}')),
  ],
  [
    "may be applied through one after the other, as long as the fields are in both",
    ...defined({}, shaded),
    applyWidget(widgets, "v1", { size: 1 }, "one").answers(201),
    applyWidget(shades, "v2", { shade: "x" }, "two").answers(
      500,
      "failed to convert new object: .spec.shade: field not declared in schema",
    ),
    applyWidget(shades, "v2", { size: 4 }, "two").answers(
      409,
      'Apply failed with 1 conflict: conflict with "one": .spec.size',
    ),
  ],
]);
const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
stories("columns", [
  [
    "come from paths",
    ...defined({
      additionalPrinterColumns: [
        { name: "Size", type: "integer", jsonPath: ".spec.size" },
        { name: "Color", type: "string", jsonPath: ".spec.color" },
      ],
    }),
    make({ size: 3 }),
    get(widgets).accepting(table).has("rows.0.cells", ["a", 3, null]),
  ],
]);
