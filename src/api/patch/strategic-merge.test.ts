import { describe, expect, test } from "vitest";
import { builtInType } from "#api/schema/built-in.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";

const struct = builtInType("io.k8s.api.core.v1.Pod");
const pod = {
  metadata: { finalizers: ["x.io/a", "x.io/b"], labels: { a: "1" } },
  spec: {
    containers: [
      { name: "one", image: "x", env: [{ name: "A", value: "1" }] },
      { name: "two", image: "y" },
    ],
    tolerations: [{ key: "a" }],
    volumes: [{ name: "v", emptyDir: {} }],
  },
};
const merge = (patch: object) => applyStrategicMerge(pod, patch as Record<string, unknown>, struct) as typeof pod;
const names = (patch: object) => merge(patch).spec.containers.map(({ name }) => name);

describe("strategic merge patch", () => {
  test("list items merge by their key", () => {
    const { containers } = merge({
      spec: { containers: [{ name: "one", image: "z", env: [{ name: "B", value: "2" }] }] },
    }).spec;
    expect(containers[0]!.image).toBe("z");
    expect(containers[0]!.env!.map(({ name }) => name)).toEqual(["B", "A"]);
    expect(containers[1]).toEqual({ name: "two", image: "y" });
  });

  test("new items go first", () =>
    expect(names({ spec: { containers: [{ name: "new" }] } })).toEqual(["new", "one", "two"]));

  test("lists without a key are replaced", () => {
    expect(merge({ spec: { tolerations: [{ key: "b" }] } }).spec.tolerations).toEqual([{ key: "b" }]);
  });

  test("lists of scalars with a merge strategy are joined", () => {
    expect(merge({ metadata: { finalizers: ["x.io/b", "x.io/c"] } }).metadata.finalizers).toEqual([
      "x.io/a",
      "x.io/b",
      "x.io/c",
    ]);
    expect(merge({ metadata: { "$deleteFromPrimitiveList/finalizers": ["x.io/a"] } }).metadata.finalizers).toEqual([
      "x.io/b",
    ]);
  });

  test("$patch deletes and replaces", () => {
    expect(names({ spec: { containers: [{ $patch: "delete", name: "one" }] } })).toEqual(["two"]);
    expect(names({ spec: { containers: [{ $patch: "replace" }, { name: "new" }] } })).toEqual(["new"]);
    expect(merge({ metadata: { labels: { $patch: "replace", b: "2" } } }).metadata.labels).toEqual({ b: "2" });
    expect(merge({ metadata: { labels: { $patch: "delete" } } }).metadata.labels).toEqual({});
  });

  test("$setElementOrder orders, $retainKeys drops the other source of a volume", () => {
    expect(names({ spec: { "$setElementOrder/containers": [{ name: "two" }, { name: "one" }] } })).toEqual([
      "two",
      "one",
    ]);
    const volume = { name: "v", hostPath: { path: "/x" }, $retainKeys: ["name", "hostPath"] };
    expect(merge({ spec: { volumes: [volume] } }).spec.volumes).toEqual([{ name: "v", hostPath: { path: "/x" } }]);
  });

  test("what is new and has a $patch is not stored; other directives stay, to be unknown fields", () => {
    const { metadata } = merge({ metadata: { annotations: { $patch: "merge", a: "1" } } });
    expect(metadata).not.toHaveProperty("annotations");
    const securityContext = { $retainKeys: ["runAsUser"], runAsUser: 1, runAsGroup: null };
    expect(merge({ spec: { securityContext } }).spec).toHaveProperty("securityContext", {
      $retainKeys: ["runAsUser"],
      runAsUser: 1,
    });
  });

  test("a new item of a list is taken as it came", () => {
    const container = { name: "new", env: null, resources: { $patch: "delete" } };
    expect(merge({ spec: { containers: [container] } }).spec.containers).toContainEqual(container);
  });

  test.each([
    [
      { spec: { containers: [{ image: "alpine" }] } },
      "map: map[image:alpine] does not contain declared merge key: name",
    ],
    [{ metadata: { $patch: "nonsense" } }, "unknown patch type: nonsense in map: map[$patch:nonsense]"],
    [{ metadata: { $retainKeys: "x" } }, "invalid patch format of retainKeys"],
    [{ spec: { "$setElementOrder/containers": "x" } }, "expected a []interface {}, but received a string"],
    [
      { spec: { "$setElementOrder/containers": ["one"], containers: [{ name: "one" }] } },
      "expected a map[string]interface {}, but received a string",
    ],
    [{ spec: { $setElementOrder: [] } }, "invalid patch format of setElementOrder list"],
    [{ metadata: { $deleteFromPrimitiveList: ["x"] } }, "invalid patch format of primitive list"],
    [
      { spec: { "$setElementOrder/containers": [{ name: "two" }], containers: [{ name: "three" }] } },
      "The order in patch list:\n[map[name:three]]\n doesn't match $setElementOrder list:\n[map[name:two]]\n",
    ],
  ])("%j is refused", (patch, message) => expect(() => merge(patch)).toThrow(message));

  test("what is in no struct may be set, but merged no further", () => {
    const revision = builtInType("io.k8s.api.apps.v1.ControllerRevision");
    const into = { data: { spec: { a: 1 } } };
    expect(applyStrategicMerge(into, { data: { other: { b: 2 } } }, revision)).toEqual({
      data: { spec: { a: 1 }, other: { b: 2 } },
    });
    expect(() => applyStrategicMerge(into, { data: { spec: { b: 2 } } }, revision)).toThrow(
      'unable to find api field in struct RawExtension for the json field "spec"',
    );
  });

  test("the object is left alone", () => {
    const before = JSON.stringify(pod);
    merge({
      spec: {
        containers: [
          { name: "one", image: "q" },
          { $patch: "delete", name: "two" },
        ],
      },
    });
    expect(JSON.stringify(pod)).toBe(before);
  });
});
