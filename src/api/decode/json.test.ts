import { builtInType } from "#api/schema/built-in.ts";
import { conform } from "./conform.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseExactly } from "./json-exact.ts";
import { JsonNumber, nestingDepthMax, plainJson } from "./json-value.ts";
import { parseJson } from "./json.ts";

describe("JSON", () => {
  test.each([
    ["", "unexpected end of JSON input"],
    ["tru", "unexpected end of JSON input"],
    ["trux", "invalid character 'x' in literal true (expecting 'e')"],
    ["m", "invalid character 'm' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ['"\n"', "invalid character '\\n' in string literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ["1.", "unexpected end of JSON input"],
    ["1.x", "invalid character 'x' after decimal point in numeric literal"],
    ["-x", "invalid character 'x' in numeric literal"],
    ["1ex", "invalid character 'x' in exponent of numeric literal"],
    ["{} x", "invalid character 'x' after top-level value"],
  ])("%j is refused in Go's words", (text, message) => {
    expect(() => parseJson(Buffer.from(text))).toThrow(message);
  });

  test("integers that a double cannot hold are themselves; so is what JSON makes of them", () => {
    const text = '{"a":9007199254740993,"b":-9223372036854775808,"c":9007199254740991,"d":1.5}';
    const value = plainJson(parseJson(Buffer.from(text)).value) as Record<string, unknown>;
    expect(JSON.stringify(value)).toBe(text);
    expect(value["a"]).toBeInstanceOf(JsonNumber);
    expect((value["a"] as number) > 1000).toBe(true);
    expect([typeof value["c"], typeof value["d"]]).toEqual(["number", "number"]);
    expect(plainJson(parseJson(Buffer.from("18446744073709551616")).value)).toBe(18_446_744_073_709_551_616);
  });

  test("nesting has a limit", () => {
    const nested = (depth: number) => Buffer.from("[".repeat(depth) + "]".repeat(depth));
    expect(() => parseJson(nested(nestingDepthMax))).not.toThrow();
    expect(() => parseJson(nested(nestingDepthMax + 1))).toThrow("invalid character '[' exceeded max depth");
  });

  test.each([
    ["\\ud83d\\ude00", "\u{1f600}"],
    ["\\ud800", "\ufffd"],
    ["\\ude00\\ud83d", "\ufffd\ufffd"],
    ["\\uD800\\u0041", "\ufffdA"],
  ])("half of a surrogate pair is no character: %s", (text, value) => {
    expect(parseJson(Buffer.from(`{"a":"${text}"}`)).value).toEqual({ a: value });
  });

  test("repeated keys are seen, the last one counts", () => {
    const { value, duplicates } = parseJson(Buffer.from('{"a":1,"b":{"c":1,"c":2},"a":3}'));
    expect(value).toEqual({ a: 3, b: { c: 2 } });
    expect([...duplicates!.values()]).toEqual([[{ key: "c", at: 1, earlier: 1 }], [{ key: "a", at: 2, earlier: 1 }]]);
  });

  test("the key __proto__ is a key like others", () => {
    const { value } = parseJson(Buffer.from('{"__proto__":{"x":1},"__proto__":{"x":2}}'));
    expect(Object.keys(value as object)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  test("both parsers agree", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(plainJson(parseJson(Buffer.from(text)).value)).toEqual(plainJson(parseExactly(text).value));
      }),
    );
  });
});

test("structs and maps gather what all their repetitions say", () => {
  const { value, duplicates } = parseJson(
    Buffer.from('{"metadata":{"name":"a"},"data":{"x":"1"},"metadata":{"uid":"u"},"data":{"y":"2"},"data":null}'),
  );
  const { object, strictErrors } = conform(value, builtInType("io.k8s.api.core.v1.ConfigMap"), { duplicates });
  expect(object).toEqual({ metadata: { name: "a", uid: "u" } });
  expect(strictErrors).toEqual(['duplicate field "metadata"', 'duplicate field "data"']);
});

test("Go's errors name the structs that others embed, and a text of a type of its own goes first", () => {
  const pods = builtInType("io.k8s.api.core.v1.Pod");
  expect(() => conform({ spec: { volumes: [{ configMap: "x" }] } }, pods)).toThrow(
    "json: cannot unmarshal string into Go struct field Volume.spec.volumes.VolumeSource.configMap of type v1.ConfigMapVolumeSource",
  );
  expect(() => conform({ spec: 1, metadata: { creationTimestamp: "é" } }, pods)).toThrow(
    'parsing time "\\xc3\\xa9" as',
  );
});
