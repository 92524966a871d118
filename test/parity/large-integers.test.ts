/** Integers of 64 bits come back as they were sent, also those that JavaScript's numbers would round. */
import { expect } from "vitest";
import { create, get, post, put, remove, storyServer } from "#test/support/story.ts";
import { Step } from "#test/support/story-step.ts";
import { customResourceDefinition, deployment, pod } from "#test/support/story-objects.ts";

const stories = storyServer();

const big = "9007199254740993";
const json = (body: object) => JSON.stringify(body);
const holds = (text: string) => (body: object) => expect(json(body)).toContain(text);
/** As text: this file's own JavaScript would round it. */
const written = (body: object) => json(body).replaceAll('"BIG"', big);

const group = "{ns}.example.com";
const widgets = `/apis/${group}/v1/namespaces/{ns}/widgets`;
const definition = customResourceDefinition(`widgets.${group}`, {
  spec: {
    group,
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                "x-kubernetes-preserve-unknown-fields": true,
                "x-kubernetes-validations": [{ rule: "!has(self.id) || self.id != 9007199254740992" }],
                properties: { id: { type: "integer" }, at: { type: "integer", maximum: 100 } },
              },
            },
          },
        },
        additionalPrinterColumns: [{ name: "Id", type: "integer", jsonPath: ".spec.id" }],
      },
    ],
  },
});
const widget = (spec: object, metadata = {}) =>
  written({ apiVersion: `${group}/v1`, kind: "Widget", metadata: { name: "a", ...metadata }, spec });
const applied = (body: string) =>
  new Step("PATCH", `${widgets}/a?fieldManager=m`, body, "application/apply-patch+yaml");

stories("an integer of 64 bits", [
  [
    "of a custom kind is stored, listed, changed around, and checked as what it is",
    create(definition),
    get(widgets).eventually(),
    post(widgets, widget({ id: "BIG", other: ["BIG", -1] })).meets(holds(`"id":${big},"other":[${big},-1]`)),
    get(`${widgets}/a`).meets(holds(`"id":${big}`)),
    get(widgets).meets(holds(`"id":${big}`)),
    get(widgets)
      .accepting("application/json;as=Table;v=v1;g=meta.k8s.io")
      .meets(holds(`"cells":["a",${big}`)),
    new Step("PATCH", `${widgets}/a`, { spec: { color: "red" } }, "application/merge-patch+json").meets(
      holds(`"id":${big}`),
    ),
    get(`${widgets}/a`).saves("rv", "metadata.resourceVersion"),
    put(`${widgets}/a`, widget({ id: "BIG", again: "BIG" }, { resourceVersion: "{rv}" })).meets(holds(`"id":${big}`)),
    applied(widget({ id: "BIG" })).meets(holds(`"id":${big}`)),
    post(widgets, widget({ at: "BIG" })).answers(
      422,
      `Widget.${group} "a" is invalid: spec.at: Invalid value: ${big}: spec.at in body should be less than or equal to 100`,
    ),
    remove(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`),
  ],
  [
    "of a built-in kind survives what others change",
    post(
      "deployments",
      written(
        deployment("a", {
          template: {
            metadata: { labels: { app: "a" } },
            spec: { terminationGracePeriodSeconds: "BIG", containers: [{ name: "c", image: "app:1" }] },
          },
        }),
      ),
    ).meets(holds(`"terminationGracePeriodSeconds":${big}`)),
    new Step("PATCH", "deployments/a", { metadata: { labels: { x: "y" } } }, "application/merge-patch+json").meets(
      holds(`"terminationGracePeriodSeconds":${big}`),
    ),
    get("deployments/a").has("metadata.generation", 1),
  ],
  [
    "is told as it is",
    post("pods", written(pod("a", { securityContext: { runAsUser: "BIG" } }))).answers(
      422,
      `Pod "a" is invalid: spec.securityContext.runAsUser: Invalid value: ${big}: must be between 0 and 2147483647, inclusive`,
    ),
  ],
]);
