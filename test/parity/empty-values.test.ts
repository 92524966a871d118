/** Lists and maps that are there and empty: not the same as absent ones until the object is stored. */
import { expect } from "vitest";
import { apply, create, get, mergePatch, storyServer, strategicPatch, update } from "#test/support/story.ts";
import {
  autoscaler,
  configMap,
  daemonSet,
  deployment,
  endpointSlice,
  ingress,
  networkPolicy,
  persistentVolume,
  pod,
  role,
} from "#test/support/story-objects.ts";

const stories = storyServer();

const slice = (fields = {}) => endpointSlice("a", { addressType: "IPv4", ...fields });
const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
const scaled = (behavior: unknown) => autoscaler("a", { spec: { scaleTargetRef, maxReplicas: 5, behavior } });
const owned = (fields: unknown) => ({ metadata: { managedFields: [{ fieldsV1: fields }] } });

stories("an empty list or map", [
  [
    "is stored as none, and always shown where there is always one",
    create(slice({ endpoints: [], ports: [] }))
      .has("endpoints", null)
      .has("ports", null),
    get("endpointslices/a").has("endpoints", null),
  ],
  [
    "is not shown where there may be none",
    create(configMap("a", { data: {}, binaryData: {} }, { labels: {}, finalizers: [] })).lacks(
      "data",
      "binaryData",
      "metadata.labels",
      "metadata.finalizers",
      "metadata.managedFields",
    ),
  ],
  [
    "has an owner only where it is always shown",
    create(slice({ endpoints: [], ports: null })).shows(owned({ "f:addressType": {}, "f:endpoints": {} })),
  ],
  [
    "of a patch has an owner by the same rule",
    create(role("a", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] })),
    mergePatch("roles/a?fieldManager=other", { rules: [], metadata: { labels: {} } })
      .has("rules", null)
      .meets(({ metadata }) =>
        expect((metadata as { managedFields: unknown[] }).managedFields.at(-1)).toMatchObject({
          manager: "other",
          fieldsV1: { "f:rules": {} },
        }),
      ),
  ],
  [
    "that is applied belongs to who applied it",
    apply(pod("a", { tolerations: [], nodeSelector: {} }), "one")
      .answers(201)
      .lacks("spec.nodeSelector")
      .meets(({ metadata }) =>
        expect((metadata as { managedFields: unknown[] }).managedFields[0]).toMatchObject({
          fieldsV1: { "f:spec": { "f:nodeSelector": {}, "f:tolerations": {} } },
        }),
      ),
  ],
  [
    "changes nothing when it takes the place of none",
    create(deployment("a")).saves("rv", "metadata.resourceVersion"),
    mergePatch("deployments/a", { spec: { template: { spec: { tolerations: [], nodeSelector: {} } } } })
      .has("metadata.generation", 1)
      .has("metadata.resourceVersion", "{rv}"),
    strategicPatch("deployments/a", { spec: { selector: { matchExpressions: [] } } }).has("metadata.generation", 1),
  ],
  [
    "takes the place of a full one",
    create(configMap("a", { data: { x: "1" } })),
    update(configMap("a", { data: {} })).lacks("data"),
  ],
  [
    "is shown as it is in texts",
    create(ingress("a", { spec: { rules: [] } })).isInvalid(
      "spec: Invalid value: []: either `defaultBackend` or `rules` must be specified",
    ),
    create(
      persistentVolume("{ns}", { spec: { capacity: {}, accessModes: ["ReadWriteOnce"], hostPath: { path: "/x" } } }),
    ).answers(
      422,
      'PersistentVolume "{ns}" is invalid: [spec.capacity: Required value, spec.capacity: Unsupported value: {}: supported values: "storage"]',
    ),
  ],
  [
    "is not shown inside a selector that a text shows",
    create(deployment("a", { selector: { matchLabels: {}, matchExpressions: [] } })).isInvalid(
      "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
    ),
  ],
  [
    "of scaling policies is no reason to default them",
    create(scaled({ scaleUp: { policies: [] } })).isInvalid(
      "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy",
    ),
  ],
  [
    "is another thing than an empty object that may be absent",
    create(
      networkPolicy("a", { spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }], ports: [] }] } }),
    ).has("spec.ingress", [{ from: [{ namespaceSelector: {} }] }]),
  ],
]);

const partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const generation = "deprecated.daemonset.template.generation";
stories("a daemon set's count of templates", [
  ["is an annotation of the object", create(daemonSet("a")).has(`metadata.annotations.[${generation}]`, "1")],
  [
    "is not there where only metadata is shown",
    create(daemonSet("a", {}, { annotations: { x: "y" } })),
    get("daemonsets/a").accepting(partial).has("metadata.annotations", { x: "y" }),
    get("daemonsets").accepting(table).has("rows.0.object.metadata.annotations", { x: "y" }),
    get("daemonsets?includeObject=Object")
      .accepting(table)
      .has("rows.0.object.metadata.annotations", { x: "y", [generation]: "1" }),
  ],
]);
