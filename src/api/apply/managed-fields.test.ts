import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conform } from "#api/decode/conform.ts";
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { builtInType } from "#api/schema/built-in.ts";
import { arbitraryObject } from "#test/support/arbitrary-object.ts";
import { applyObject, keepTimesIfUnchanged, trackUpdate } from "./managed-fields.ts";
import { updateManagersMax } from "./managers.ts";

const context = (kind: string, group = "", time = "2026-01-01T00:00:00Z") => ({
  group,
  version: "v1",
  kind,
  struct: builtInType(`io.k8s.api.${group === "" ? "core" : group}.v1.${kind}`),
  now: time,
});
const configMap = context("ConfigMap");
const deployment = context("Deployment", "apps");

const created = (object: object, where = configMap, manager = "parity") => {
  const { kind, group, version } = where;
  const value = { kind, apiVersion: group === "" ? version : `${group}/${version}`, ...object };
  const made = conform(value, where.struct).object as unknown as UnknownObject;
  made.metadata.uid = "u";
  trackUpdate(undefined, made, manager, where);
  return made;
};
const apply = (
  live: KubernetesObject | undefined,
  applied: object,
  manager: string,
  where = configMap,
  force = false,
) => {
  const { kind, group, version } = where;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const { object } = applyObject({ live, applied: { apiVersion, kind, ...applied }, manager, force }, where);
  object.metadata.uid = "u";
  return object;
};
const fieldsOf = (object: KubernetesObject, manager: string) =>
  object.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;

describe("ownership of updates", () => {
  test("a creator owns what it sent, not what says which object it is", () => {
    const object = created({
      metadata: { name: "a", annotations: { x: "1" }, finalizers: ["x.io/f"] },
      data: { a: "1" },
    });
    expect(object.metadata.managedFields).toEqual([
      {
        manager: "parity",
        operation: "Update",
        apiVersion: "v1",
        time: "2026-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:metadata": {
            "f:annotations": { ".": {}, "f:x": {} },
            "f:finalizers": { ".": {}, 'v:"x.io/f"': {} },
          },
          "f:data": { ".": {}, "f:a": {} },
        },
      },
    ]);
  });

  test("structs that are always there are no members, list items are", () => {
    const object = created(
      { metadata: { name: "a" }, spec: { template: { spec: { containers: [{ name: "c" }] } } } },
      deployment,
    );
    expect(fieldsOf(object, "parity")).toEqual({
      "f:spec": {
        "f:template": {
          "f:spec": { "f:containers": { 'k:{"name":"c"}': { ".": {}, "f:name": {}, "f:resources": {} } } },
        },
      },
    });
  });

  test("who changes a field takes it, who removes it takes it away", () => {
    const live = created({ metadata: { name: "a" }, data: { a: "1", b: "1", c: "1" } });
    const next = { ...structuredClone(live), data: { a: "2", b: "1" } } as UnknownObject;
    trackUpdate(live, next, "other", configMap);
    expect(fieldsOf(next, "other")).toEqual({ "f:data": { "f:a": {} } });
    expect(fieldsOf(next, "parity")).toEqual({ "f:data": { ".": {}, "f:b": {} } });
  });

  test("paths that an endpoint resets belong to nobody", () => {
    const object = conform(
      { metadata: { name: "a" }, spec: { replicas: 2 }, status: { replicas: 1 } },
      deployment.struct,
    );
    const made = object.object as unknown as UnknownObject;
    trackUpdate(undefined, made, "m", { ...deployment, resetFields: [["status"]] });
    expect(fieldsOf(made, "m")).toEqual({ "f:spec": { "f:replicas": {} } });
  });

  test("[] and [{}] forget all owners; an object without owners is not tracked again", () => {
    const live = created({ metadata: { name: "a" }, data: { a: "1" } });
    for (const managedFields of [[], [{}]]) {
      const next = { ...live, metadata: { ...live.metadata, managedFields } } as UnknownObject;
      trackUpdate(live, next, "m", configMap);
      expect(next.metadata.managedFields).toBeUndefined();
      const later = { ...next, data: { a: "2" } } as UnknownObject;
      trackUpdate(next, later, "m", configMap);
      expect(later.metadata.managedFields).toBeUndefined();
    }
  });

  test("update managers beyond the limit are folded into one", () => {
    let live = created({ metadata: { name: "a" }, data: { k: "0" } }, configMap, "m0");
    for (let i = 1; i <= updateManagersMax + 2; i++) {
      const next = structuredClone(live);
      (next["data"] as Record<string, string>)[`k${i}`] = "1";
      trackUpdate(live, next, `m${i}`, { ...configMap, now: `2026-01-01T00:00:${String(i).padStart(2, "0")}Z` });
      live = next;
    }
    expect(live.metadata.managedFields).toHaveLength(updateManagersMax);
    expect(live.metadata.managedFields!.map(({ manager }) => manager)).toContain("ancient-changes");
  });

  test("a write that changes only times is no change", () => {
    const live = created({ metadata: { name: "a" }, data: { a: "1" } });
    const next = structuredClone(live);
    next.metadata.managedFields![0]!.time = "2027-01-01T00:00:00Z";
    expect(keepTimesIfUnchanged(live, next)).toBe(true);
    expect(next).toEqual(live);
  });
});

describe("apply", () => {
  test("a field of another manager is a conflict, by force it is taken", () => {
    const live = created({ metadata: { name: "a" }, data: { a: "1" } });
    const wish = { metadata: { name: "a" }, data: { a: "2" } };
    expect(() => apply(live, wish, "one")).toThrow(
      'Apply failed with 1 conflict: conflict with "parity" using v1: .data.a',
    );
    const forced = apply(live, wish, "one", configMap, true);
    expect(forced["data"]).toEqual({ a: "2" });
    expect(fieldsOf(forced, "one")).toEqual({ "f:data": { "f:a": {} } });
    expect(fieldsOf(forced, "parity")).toEqual({ "f:data": {} });
  });

  test("several conflicts are told manager by manager", () => {
    let live = apply(undefined, { metadata: { name: "a" }, data: { a: "1" } }, "one");
    live = apply(live, { metadata: { name: "a" }, data: { b: "1" } }, "two");
    expect(() => apply(live, { metadata: { name: "a" }, data: { a: "2", b: "2" } }, "three")).toThrow(
      'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\nconflicts with "two":\n- .data.b',
    );
  });

  test("what a manager no longer says goes, unless another says it", () => {
    let live = apply(undefined, { metadata: { name: "a" }, data: { a: "1", b: "1" } }, "one");
    live = apply(live, { metadata: { name: "a" }, data: { b: "1" } }, "two");
    live = apply(live, { metadata: { name: "a" } }, "one");
    expect(live["data"]).toEqual({ b: "1" });
  });

  test("list items are told apart by their keys, with their defaults", () => {
    const port = (name: string) => ({ metadata: { name: "a" }, spec: { ports: [{ port: 80, name }] } });
    const service = context("Service");
    const live = apply(undefined, port("x"), "one", service);
    expect(() => apply(live, port("y"), "two", service)).toThrow('.spec.ports[port=80,protocol="TCP"].name');
  });

  test("an apply that changes nothing has no time", () => {
    const live = created({ metadata: { name: "a" }, data: { a: "1" } });
    const same = apply(live, { metadata: { name: "a" }, data: { a: "1" } }, "one");
    expect(same.metadata.managedFields![0]).toEqual({
      manager: "one",
      operation: "Apply",
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { "f:a": {} } },
    });
  });

  test("kubectl takes over what its client-side apply set, and rewrites the annotation", () => {
    const key = "kubectl.kubernetes.io/last-applied-configuration";
    const sent = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", annotations: {} }, data: { a: "1" } };
    const annotations = { [key]: JSON.stringify(sent) };
    const live = created(
      { metadata: { name: "a", annotations }, data: { a: "1" } },
      configMap,
      "kubectl-client-side-apply",
    );
    const wish = { metadata: { name: "a" }, data: { a: "2" } };
    expect(() => apply(live, wish, "other")).toThrow('conflict with "kubectl-client-side-apply" using v1: .data.a');
    const taken = apply(live, wish, "kubectl");
    expect(taken["data"]).toEqual({ a: "2" });
    expect(taken.metadata.annotations![key]).toBe(
      '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"a"}}\n',
    );
  });

  test.each([
    [{ kind: "Secret" }, "invalid object type: /v1, Kind=Secret"],
    [{ metadata: { managedFields: [{}] } }, "metadata.managedFields must be nil"],
    [
      { bogus: 1 },
      "failed to create typed patch object (/; /v1, Kind=ConfigMap): .bogus: field not declared in schema",
    ],
    [
      { metadata: { name: "a" }, data: { a: 1 } },
      "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}",
    ],
    [{ metadata: { name: "a" }, data: ["x"] }, "(/a; /v1, Kind=ConfigMap): .data: expected map, got &{[x]}"],
    [{ metadata: { finalizers: ["x.io/f", "x.io/f"] } }, '.metadata.finalizers: duplicate entries for key [="x.io/f"]'],
  ])("%j is refused", (applied, message) => expect(() => apply(undefined, applied, "m")).toThrow(message));

  const withoutTimes = (object: KubernetesObject) => ({
    ...object,
    metadata: {
      ...object.metadata,
      managedFields: object.metadata.managedFields?.map((entry) => ({ ...entry, time: "" })),
    },
  });
  const wishes = (where: typeof configMap) =>
    arbitraryObject(where.struct).map((object) => strip({ ...object, status: undefined, metadata: { name: "a" } }));
  /** What a client would send: no nulls, no kind of its own. */
  const strip = (object: Record<string, unknown>) =>
    JSON.parse(
      JSON.stringify(
        { ...object, kind: undefined, apiVersion: undefined },
        (_key, value: unknown) => value ?? undefined,
      ),
    ) as object;

  test("applying twice is applying once", () => {
    for (const where of [configMap, deployment, context("Service"), context("Pod")]) {
      fc.assert(
        fc.property(wishes(where), (wish) => {
          const once = apply(undefined, wish, "one", where);
          expect(withoutTimes(apply(once, wish, "one", where))).toEqual(withoutTimes(once));
        }),
        { numRuns: 40 },
      );
    }
  });

  test("managers of different fields may come in any order", () => {
    const key = fc.constantFrom("a", "b", "c");
    const data = fc.dictionary(key, fc.string({ maxLength: 2 }), { noNullPrototype: true });
    fc.assert(
      fc.property(data, data, (left, right) => {
        const rename = (map: Record<string, string>, prefix: string) =>
          Object.fromEntries(Object.entries(map).map(([name, value]) => [prefix + name, value]));
        const one = { metadata: { name: "a" }, data: rename(left, "l") };
        const two = { metadata: { name: "a" }, data: rename(right, "r") };
        const base = created({ metadata: { name: "a" }, data: { base: "1" } });
        const forth = apply(apply(base, one, "one"), two, "two");
        const back = apply(apply(base, two, "two"), one, "one");
        expect(withoutTimes(forth)).toEqual(withoutTimes(back));
      }),
    );
  });
});
