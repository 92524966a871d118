import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { schemaOfType, typeTable } from "./type-schemas.ts";

const facts = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../../api/facts", name), "utf8")) as Record<string, object>;
const property = (type: string, field: string, version: 2 | 3) =>
  (schemaOfType(`io.k8s.api.${type}`, version, new Set())!["properties"] as Record<string, object>)[field];

test("every text of the facts describes a field or a type that there is", () => {
  const lost = Object.entries(facts("texts.json")).flatMap(([type, texts]) =>
    Object.keys(texts)
      .filter((field) => field !== "(type)" && typeTable()[type]?.fields[field] === undefined)
      .map((field) => `${type}.${field}`),
  );
  expect(lost).toEqual([]);
});

test("every enumeration of the facts is some field's, its values sorted", () => {
  const fields = Object.values(typeTable()).flatMap((type) => Object.values(type.fields));
  const used = new Set(fields.map(({ go = "" }) => go.replaceAll(/^(?:\*|\[\])|[?!]+$/g, "")));
  for (const [type, values] of Object.entries(facts("enums.json"))) {
    expect(used).toContain(type);
    const names = (values as [string, string][]).map(([value]) => value);
    expect(names).toEqual(names.toSorted());
  }
});

test("defaults are said in version 3, of fields and not of elements", () => {
  expect(property("core.v1.ConfigMap", "metadata", 3)).toMatchObject({ default: {} });
  expect(property("core.v1.ConfigMap", "metadata", 2)).not.toHaveProperty("default");
  expect(property("core.v1.ServicePort", "protocol", 3)).toMatchObject({ default: "TCP" });
  expect(property("core.v1.ContainerPort", "containerPort", 3)).toMatchObject({ default: 0 });
  expect(property("core.v1.ConfigMap", "data", 3)).toMatchObject({ additionalProperties: { type: "string" } });
  expect(property("core.v1.PodSpec", "containers", 3)).toMatchObject({
    items: { $ref: "#/components/schemas/io.k8s.api.core.v1.Container" },
  });
  expect(property("core.v1.Pod", "status", 3)).toMatchObject({ default: {} });
  expect(property("core.v1.PodSpec", "affinity", 3)).not.toHaveProperty("default");
});

test("what a type requires is in the order of its fields", () => {
  expect(schemaOfType("io.k8s.api.core.v1.ContainerStatus", 2, new Set())!["required"]).toEqual([
    "name",
    "ready",
    "restartCount",
    "image",
    "imageID",
  ]);
});

test("a number, a quantity and a time have forms of their own", () => {
  expect(property("core.v1.ServicePort", "targetPort", 2)).toMatchObject({
    $ref: "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  });
  expect(property("core.v1.ResourceRequirements", "limits", 3)).toMatchObject({
    additionalProperties: { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity" },
  });
  expect(property("core.v1.Event", "eventTime", 3)).toMatchObject({
    allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime" }],
  });
});
