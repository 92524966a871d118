import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "#api/object.ts";
import { builtInType } from "#api/schema/built-in.ts";
import { jsonPatchOperationsMax } from "./json-patch.ts";
import { type PatchType, applyPatch } from "./patch.ts";

const configMap = { group: "", version: "v1", kind: "ConfigMap", struct: builtInType("io.k8s.api.core.v1.ConfigMap") };
const deployment = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  struct: builtInType("io.k8s.api.apps.v1.Deployment"),
};
const live = {
  kind: "ConfigMap",
  apiVersion: "v1",
  data: { a: "1" },
  metadata: { uid: "u", name: "x" },
} as KubernetesObject;
const patch = (type: PatchType, text: string, how: "Warn" | "Strict" = "Warn") =>
  applyPatch(type, Buffer.from(text), live, configMap, how);

describe("PATCH", () => {
  test.each([
    ["json", '[{"op":"add","path":"/data/b","value":"2"}]'],
    ["merge", '{"data":{"b":"2"}}'],
    ["strategic", '{"data":{"b":"2"}}'],
  ] as const)("%s patch adds a member", (type, text) => {
    expect(patch(type, text).object["data"]).toEqual({ a: "1", b: "2" });
  });

  test.each([
    ["json", "{}", "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"],
    ["json", '["x"]', "error decoding patch: json: cannot unmarshal string into Go value of type handlers.jsonPatchOp"],
    [
      "merge",
      '"x"',
      "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}",
    ],
    ["merge", "{", "error decoding patch: unexpected end of JSON input"],
    ["merge", "null", "Invalid JSON Patch"],
    ["strategic", '"x"', "json: cannot unmarshal string into Go value of type map[string]interface {}"],
    ["json", '[{"op":"remove","path":"/nope"}]', "the server rejected our request due to an error in our request"],
    [
      "merge",
      '{"data":{"a":1}}',
      ' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"v1\\",\\"data\\":{\\"a\\":1},\\"kind\\":\\"ConfigMap\\",\\"metadata\\":{\\"name\\":\\"x\\",\\"uid\\":\\"u\\"}}": json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
    ],
  ] as const)("%s patch %s is refused", (type, text, message) => expect(() => patch(type, text)).toThrow(message));

  test.each([
    ["json", "{}", "json: cannot unmarshal object into Go value of type jsonpatch.Patch"],
    ["json", "[1]", "json: cannot unmarshal number into Go value of type jsonpatch.Operation"],
    ["merge", "{", "Invalid JSON Patch"],
    ["merge", '"x"', "Invalid JSON Patch"],
  ] as const)("where unknown fields are ignored, %s patch %s is refused in other words", (type, text, message) => {
    expect(() => applyPatch(type, Buffer.from(text), live, configMap, "Ignore")).toThrow(message);
  });

  test("a strategic patch of a wrong type is refused in the converter's words", () => {
    const object = { metadata: { name: "a" }, spec: { replicas: 1 } } as KubernetesObject;
    const text = '{"spec":{"replicas":"three"}}';
    expect(() => applyPatch("strategic", Buffer.from(text), object, deployment, "Warn")).toThrow(
      ' "" is invalid: patch: Invalid value: "map[spec:map[replicas:three]]": unrecognized type: int32',
    );
  });

  test("a JSON patch has a limit of operations", () => {
    const text = JSON.stringify(Array(jsonPatchOperationsMax + 1).fill({ op: "test", path: "/data/a", value: "1" }));
    expect(() => patch("json", text)).toThrow(
      "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    );
  });

  test("oddities are warned of, or refused", () => {
    const text = '[{"op":"add","op":"add","foo":1,"path":"/bogus","value":1}]';
    const found = [
      'json patch duplicate field "[0].op"',
      'json patch unknown field "[0].foo"',
      'unknown field "bogus"',
    ];
    expect(patch("json", text).warnings).toEqual(found);
    expect(() => patch("json", text, "Strict")).toThrow(`strict decoding error: ${found.join(", ")}`);
  });
});
