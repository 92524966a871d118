import { describe, expect, test } from "vitest";
import {
  duplicate,
  fieldErrorText,
  invalid,
  invalidObject,
  notSupported,
  raw,
  required,
  tooLong,
  tooMany,
} from "./field-errors.ts";

describe("field errors", () => {
  test.each([
    [invalid("a", "x", "bad"), 'a: Invalid value: "x": bad'],
    [invalid("a", 5, "bad"), "a: Invalid value: 5: bad"],
    [invalid("a", undefined, "bad"), "a: Invalid value: null: bad"],
    [invalid("a", { b: "<" }, ""), 'a: Invalid value: {"b":"\\u003c"}'],
    [invalid("a", raw("{X}"), "bad"), "a: Invalid value: {X}: bad"],
    [duplicate("a", "x"), 'a: Duplicate value: "x"'],
    [notSupported("a", "x", ["z", "y"]), 'a: Unsupported value: "x": supported values: "z", "y"'],
    [notSupported("a", "x", new Set(["z", "y"])), 'a: Unsupported value: "x": supported values: "y", "z"'],
    [required("a"), "a: Required value"],
    [tooLong("a", 10), "a: Too long: may not be more than 10 bytes"],
    [tooMany("a", 3, 2), "a: Too many: 3: must have at most 2 items"],
  ])("error %# reads as upstream's", (error, text) => expect(fieldErrorText(error)).toBe(text));

  test("one error stands alone, several in brackets, the same only once", () => {
    const kind = { group: "apps", kind: "Deployment" };
    const [a, b] = [required("a"), required("b")];
    expect(invalidObject(kind, "w", [a]).message).toBe('Deployment.apps "w" is invalid: a: Required value');
    expect(invalidObject(kind, "w", [a, b, a]).message).toBe(
      'Deployment.apps "w" is invalid: [a: Required value, b: Required value]',
    );
    expect(invalidObject(kind, "w", [a, b, a]).status.details?.causes).toHaveLength(3);
  });
});
