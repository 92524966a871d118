import { describe, expect, test } from "vitest";
import { fieldErrorText } from "./field-errors.ts";
import { annotationsBytesMax, objectMetaErrors, objectMetaUpdateErrors } from "./object-meta.ts";

const options = { namespaced: true };
const meta = { name: "a", namespace: "n", uid: "u", resourceVersion: "1" };
const texts = (errors: ReturnType<typeof objectMetaErrors>) => errors.map(fieldErrorText);

describe("metadata on create", () => {
  test("a name and a namespace are enough", () => expect(objectMetaErrors(meta, options)).toEqual([]));

  test.each([
    [{ namespace: "n" }, "metadata.name: Required value: name or generateName is required"],
    [{ name: "a" }, "metadata.namespace: Required value"],
    [{ ...meta, generation: -1 }, "metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
    [{ ...meta, finalizers: ["mine"] }, 'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard'],
    [
      { ...meta, finalizers: ["orphan", "foregroundDeletion"] },
      'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    ],
    [
      { ...meta, annotations: { a: "x".repeat(annotationsBytesMax) } },
      "metadata.annotations: Too long: may not be more than 262144 bytes",
    ],
    [
      { ...meta, ownerReferences: [{ apiVersion: "a/b/c", kind: "K", name: "n", uid: "u" }] },
      'metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty',
    ],
    [
      { ...meta, managedFields: [{ operation: "Other" }] },
      'metadata.managedFields[0].operation: Invalid value: "Other": must be `Apply` or `Update`',
    ],
  ])("fault %#", (object, text) => {
    expect(texts(objectMetaErrors(object, options))[0]).toContain(text);
  });

  test("a cluster-scoped object has no namespace", () => {
    expect(texts(objectMetaErrors(meta, { namespaced: false }))).toEqual([
      "metadata.namespace: Forbidden: not allowed on this type",
    ]);
  });

  test("annotation keys may have capital letters, label keys' prefixes may not", () => {
    expect(objectMetaErrors({ ...meta, annotations: { "A.io/x": "" } }, options)).toEqual([]);
    expect(objectMetaErrors({ ...meta, labels: { "A.io/x": "" } }, options)).toHaveLength(1);
  });

  test("two controllers are one too many", () => {
    const owner = (name: string) => ({ apiVersion: "v1", kind: "Pod", name, uid: name, controller: true });
    const errors = objectMetaErrors({ ...meta, ownerReferences: [owner("a"), owner("b")] }, options);
    expect(errors[0]!.message).toContain('Found "true" in references for Pod/a and Pod/b');
  });
});

describe("metadata on update", () => {
  test("an unchanged object is fine", () => expect(objectMetaUpdateErrors(meta, meta)).toEqual([]));

  test.each([
    [{ ...meta, uid: "v" }, 'metadata.uid: Invalid value: "v": field is immutable'],
    [{ ...meta, resourceVersion: "" }, 'metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    [{ ...meta, creationTimestamp: "t" }, 'metadata.creationTimestamp: Invalid value: "t": field is immutable'],
  ])("fault %#", (object, text) => expect(texts(objectMetaUpdateErrors(object, meta))).toEqual([text]));

  test("no finalizer comes to an object that is going", () => {
    const going = { ...meta, deletionTimestamp: "t", finalizers: ["x.io/a"] };
    expect(texts(objectMetaUpdateErrors({ ...going, finalizers: ["x.io/a", "x.io/b"] }, going))).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.io/b"}',
    ]);
  });
});
