import { describe, expect, it } from "vitest";
import type { FieldError } from "#api/field-error.ts";
import type { V1CSIDriver, V1CSINode, V1StorageClass } from "#api/generated/types.ts";
import { csiDriverErrors, csiDriverWarnings, isMutableFieldChanged } from "./csi-driver-rules.ts";
import { CSIDriver } from "./csi-driver.ts";
import { csiNodeErrors } from "./csi-node-rules.ts";
import { storageClassErrors } from "./storage-class-rules.ts";
import { attachmentErrors } from "./volume-attachment-rules.ts";
import { attributesClassErrors } from "./volume-attributes-class-rules.ts";

const shown = (errors: readonly FieldError[]) => errors.map(({ field, message }) => `${field}: ${message}`);
const storageClass = (more: Partial<V1StorageClass> = {}): V1StorageClass => ({
  metadata: { name: "c" },
  provisioner: "x.io/p",
  reclaimPolicy: "Delete",
  volumeBindingMode: "Immediate",
  ...more,
});
const driver = (spec: V1CSIDriver["spec"]): V1CSIDriver => {
  const made = { metadata: { name: "d" }, spec };
  CSIDriver.defaults!(made);
  return made;
};
const term = (key: string, ...values: string[]) => ({ matchLabelExpressions: [{ key, values }] });

describe("storage class", () => {
  it.each<[Partial<V1StorageClass>, string[]]>([
    [{}, []],
    [{ provisioner: "" }, ["provisioner: Required value"]],
    [{ parameters: { "": "x" } }, ['parameters: Invalid value: "": field can not be empty.']],
    [{ reclaimPolicy: "Keep" }, ['reclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Retain"']],
    [{ allowedTopologies: [term("zone")] }, ["allowedTopologies[0].matchLabelExpressions[0].values: Required value"]],
    [
      { allowedTopologies: [term("zone", "a", "b"), term("zone", "b", "a")] },
      ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
    ],
    [{ allowedTopologies: [{}] }, ['allowedTopologies[0].matchLabelExpressions: Duplicate value: ""']],
  ])("%j has these faults", (more, expected) =>
    expect(shown(storageClassErrors(storageClass(more), undefined))).toEqual(expected),
  );
  it("what volumes are made from stays", () => {
    const errors = storageClassErrors(storageClass({ provisioner: "y.io/p" }), storageClass());
    expect(shown(errors)).toEqual(['provisioner: Invalid value: "y.io/p": field is immutable']);
  });
});

describe("CSI driver", () => {
  it("defaults twice are as once", () => {
    const once = driver({});
    expect(driver(structuredClone(once.spec))).toEqual(once);
  });
  it("tokens last from ten minutes on, one for an audience", () => {
    const tokenRequests = [{ audience: "a", expirationSeconds: 10 }, { audience: "a" }];
    expect(csiDriverErrors(driver({ tokenRequests }), undefined).map(({ field }) => field)).toEqual([
      "spec.tokenRequests[0].expirationSeconds",
      "spec.tokenRequests[1].audience",
    ]);
    expect(csiDriverWarnings(driver({ tokenRequests }))).toHaveLength(1);
  });
  it("some fields stay, others count as a new generation", () => {
    expect(csiDriverErrors(driver({ attachRequired: false }), driver({}))).toHaveLength(1);
    expect(isMutableFieldChanged(driver({ requiresRepublish: true }), driver({}))).toBe(true);
    expect(isMutableFieldChanged(driver({ storageCapacity: true }), driver({}))).toBe(false);
  });
});

describe("CSI node", () => {
  const node = (nodeID: string, count = 1): V1CSINode => ({
    metadata: { name: "n" },
    spec: { drivers: [{ name: "d.example.com", nodeID, allocatable: { count } }] },
  });
  it("only what a driver can hold may change", () => {
    expect(csiNodeErrors(node("a", 2), node("a"))).toEqual([]);
    expect(csiNodeErrors(node("b"), node("a"))).toHaveLength(1);
    expect(csiNodeErrors(node(""), undefined)).toHaveLength(1);
  });
  it("a driver may know a node by a long name", () => {
    expect(csiNodeErrors(node("a".repeat(256)), undefined)).toEqual([]);
    expect(shown(csiNodeErrors(node("a".repeat(257)), undefined))[0]).toContain("must be 256 characters or less");
  });
});

describe("attachments and attributes", () => {
  it("an attachment names one source and keeps it", () => {
    const of = (source: object) => ({ metadata: {}, spec: { attacher: "d.example.com", nodeName: "n", source } });
    expect(attachmentErrors(of({ persistentVolumeName: "v" }), undefined)).toEqual([]);
    expect(shown(attachmentErrors(of({}), undefined))).toEqual([
      "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName",
    ]);
    expect(attachmentErrors(of({ persistentVolumeName: "w" }), of({ persistentVolumeName: "v" }))).toHaveLength(1);
  });
  it("attributes are some and stay", () => {
    const of = (parameters: Record<string, string>) => ({ metadata: {}, driverName: "d.example.com", parameters });
    expect(attributesClassErrors(of({ a: "b" }), undefined)).toEqual([]);
    expect(attributesClassErrors(of({}), undefined)).toHaveLength(1);
    expect(attributesClassErrors(of({ a: "c" }), of({ a: "b" }))).toHaveLength(1);
  });
});
