import { describe, expect, test } from "vitest";
import {
  isDns1123Label,
  isLabelValue,
  isQualifiedName,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
} from "./names.ts";

describe("names", () => {
  test.each(["a", "a-b", "a.b", "1a"])("%j is a subdomain", (name) => {
    expect(nameIsDnsSubdomain(name, false)).toEqual([]);
  });

  test.each(["", "-a", "a-", "A", "a..b", "a_b", "a/b"])("%j is no subdomain", (name) => {
    expect(nameIsDnsSubdomain(name, false)).toEqual([
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ]);
  });

  test("a prefix may end with a dash", () => {
    expect(nameIsDnsLabel("web-", true)).toEqual([]);
    expect(nameIsDnsLabel("web-", false)).toHaveLength(1);
  });

  test("a label with dots is told so", () => {
    expect(isDns1123Label("a.b")).toEqual(["must not contain dots"]);
    expect(isDns1123Label("a".repeat(64))).toEqual(["must be no more than 63 characters"]);
  });

  test.each([
    ["app", 0],
    ["example.com/app", 0],
    ["", 2],
    ["a.io/", 2],
    ["/a", 1],
    ["A.io/x", 1],
    ["a/b/c", 1],
    ["x".repeat(64), 1],
  ])("qualified name %j has %i faults", (name, faults) => expect(isQualifiedName(name)).toHaveLength(faults));

  test("label values are at most 63 bytes", () => {
    expect(isLabelValue("")).toEqual([]);
    expect(isLabelValue("a".repeat(64))).toEqual(["must be no more than 63 bytes"]);
    expect(isLabelValue("b c")).toHaveLength(1);
  });

  test("path segments take nearly everything", () => {
    expect(nameIsPathSegment("system:node", false)).toEqual([]);
    expect(nameIsPathSegment("..", false)).toEqual(["may not be '..'"]);
    expect(nameIsPathSegment("a/%", false)).toEqual(["may not contain '/'", "may not contain '%'"]);
  });
});
