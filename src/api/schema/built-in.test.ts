import { describe, expect, test } from "vitest";
import { builtInType, builtInTypeNames, builtInTypeOf, isBuiltInType } from "./built-in.ts";
import { zeroStruct } from "./zero.ts";

describe("built-in types", () => {
  test("every type resolves, with every type it refers to", () => {
    for (const name of builtInTypeNames()) {
      for (const { schema } of builtInType(name).fields) {
        const inner = schema.of ?? schema;
        if (inner.kind === "struct") expect(inner.struct.fields).toBeDefined();
        for (const key of schema.keys) expect(inner.struct.field(key)).toBeDefined();
      }
    }
  });

  test.each([
    ["", "v1", "Pod", "io.k8s.api.core.v1.Pod"],
    ["apps", "v1", "Deployment", "io.k8s.api.apps.v1.Deployment"],
    ["rbac.authorization.k8s.io", "v1", "Role", "io.k8s.api.rbac.v1.Role"],
    ["resource.k8s.io", "v1", "ResourceClaim", "io.k8s.api.resource.v1.ResourceClaim"],
  ])("%s/%s %s is %s", (group, version, kind, name) => {
    const struct = builtInTypeOf(group, version, kind)!;
    expect(struct.name).toBe(name);
    expect(struct.field("metadata")).toBeDefined();
  });

  test("what Kubernetes does not know is not there", () => {
    expect(builtInTypeOf("", "v1", "Nonsense")).toBeUndefined();
    expect(isBuiltInType("io.k8s.api.core.v1.Nonsense")).toBe(false);
    expect(() => builtInType("io.k8s.api.core.v1.Nonsense")).toThrow("no built-in type");
  });

  test("facts of merging are there", () => {
    const ports = builtInType("io.k8s.api.core.v1.Container").field("ports")!;
    expect(ports.schema.listType).toBe("map");
    expect(ports.schema.keys).toEqual(["containerPort", "protocol"]);
    expect(ports.mergeKey).toBe("containerPort");
    expect(ports.schema.of!.struct.field("protocol")!.keyDefault).toBe("TCP");
    expect(builtInType("io.k8s.api.core.v1.PodSpec").field("nodeSelector")!.schema.atomic).toBe(true);
  });

  test("an empty object has what Go always writes", () => {
    expect(zeroStruct(builtInType("io.k8s.api.core.v1.Event"))).toEqual({
      metadata: {},
      involvedObject: {},
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: null,
      reportingComponent: "",
      reportingInstance: "",
    });
  });
});
