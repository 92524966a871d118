import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allDefinitions } from "./all.ts";
import { conform } from "./decode/conform.ts";
import type { KubernetesObject } from "./object.ts";
import type { ResourceDefinition } from "./resource.ts";
import { builtInType, isBuiltInType } from "./schema/built-in.ts";

const named = allDefinitions.map((definition) => [`${definition.group}/${definition.kind}`, definition] as const);

/** Kinds that are defined anywhere in this folder, by their source text. */
const definedKinds = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "resource.ts")
  .flatMap((file) => [
    ...readFileSync(join(import.meta.dirname, file), "utf8").matchAll(/= defineResource<\w+>\(\{[^}]*?kind: "(\w+)"/g),
  ])
  .map(([, kind]) => kind!);

const template = () => ({ metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i:1" }] } });
const selector = { matchLabels: { a: "b" } };
/** Specs with something to default; the other kinds do with nothing. */
const bodies: Record<string, () => object> = {
  Pod: () => ({ spec: template().spec }),
  Deployment: () => ({ spec: { selector, template: template() } }),
  ReplicaSet: () => ({ spec: { selector, template: template() } }),
  StatefulSet: () => ({ spec: { selector, serviceName: "s", template: template() } }),
  DaemonSet: () => ({ spec: { selector, template: template() } }),
  ReplicationController: () => ({ spec: { template: template() } }),
  PodTemplate: () => ({ template: template() }),
  Job: () => ({ spec: { template: template() } }),
  CronJob: () => ({ spec: { schedule: "@daily", jobTemplate: { spec: { template: template() } } } }),
  Service: () => ({ spec: { ports: [{ port: 80 }], type: "NodePort" } }),
  LimitRange: () => ({ spec: { limits: [{ type: "Container", max: { cpu: "0.5" }, min: { memory: "1Ki" } }] } }),
};
/** Definitions are handed what decoding makes of a body: fields of structs that are always there are there. */
const make = ({ kind, schema }: ResourceDefinition, body = bodies[kind]?.()): KubernetesObject =>
  conform({ metadata: { name: "x" }, ...body }, builtInType(schema)).object as unknown as KubernetesObject;

describe("kinds", () => {
  test("every definition is in the list, once", () => {
    const listed = allDefinitions.map(({ kind }) => kind);
    expect(definedKinds.length).toBeGreaterThan(20);
    expect(listed.toSorted()).toEqual(definedKinds.toSorted());
    const paths = allDefinitions.map(({ group, plural }) => `${group}/${plural}`);
    expect(new Set(paths).size).toBe(paths.length);
  });
  test.each(named)("%s has a type in the schema", (_name, { schema, otherVersions = [] }) => {
    for (const type of [schema, ...otherVersions.map((other) => other.schema)]) expect(isBuiltInType(type)).toBe(true);
  });
  test.each(named)("defaults of %s twice are defaults once", (_name, definition) => {
    const once = make(definition);
    definition.defaults?.(once);
    const twice = structuredClone(once);
    definition.defaults?.(twice);
    expect(twice).toEqual(once);
  });
  test.each(named)("columns of %s have values for an empty object", (_name, definition) => {
    const object = make(definition, {});
    const columns = definition.columns ?? [];
    if (columns.length > 0) expect(columns.map(({ name }) => name)).toContain("Name");
    for (const { value } of columns) expect(value(object, 0)).not.toBe(undefined);
  });
  test.each(named)("validation of %s bears an object without anything", (_name, definition) => {
    const object = make(definition, {});
    const context = { now: 0, user: { name: "test", groups: [] }, dryRun: false };
    definition.defaults?.(object);
    definition.prepareCreate?.(object, context);
    expect(Array.isArray(definition.validate?.(object, undefined, context) ?? [])).toBe(true);
  });
});
