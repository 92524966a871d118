import { describe, expect, it } from "vitest";
import type { V1PolicyRule } from "#api/generated/types.ts";
import { compactRules, compactText, partsMax, uncovered } from "./covers.ts";

const rule = (verbs: string, groups: string, resources: string, names = ""): V1PolicyRule => ({
  verbs: verbs.split(","),
  apiGroups: groups.split(",").map((group) => (group === "core" ? "" : group)),
  resources: resources.split(","),
  ...(names === "" ? {} : { resourceNames: names.split(",") }),
});
const paths = (verbs: string, urls: string): V1PolicyRule => ({
  verbs: verbs.split(","),
  nonResourceURLs: urls.split(","),
});

describe("uncovered", () => {
  it.each<[string, V1PolicyRule[], V1PolicyRule[], boolean]>([
    ["the same", [rule("get", "core", "pods")], [rule("get", "core", "pods")], true],
    ["another verb", [rule("get", "core", "pods")], [rule("get,list", "core", "pods")], false],
    [
      "verbs from two rules",
      [rule("get", "core", "pods"), rule("list", "core", "pods")],
      [rule("get,list", "core", "pods")],
      true,
    ],
    ["everything", [rule("*", "*", "*")], [rule("get", "apps", "deployments/scale")], true],
    ["a star by its parts", [rule("get,list,watch", "core", "pods")], [rule("*", "core", "pods")], false],
    ["another group", [rule("get", "core", "pods")], [rule("get", "apps", "pods")], false],
    ["a subresource by its resource", [rule("get", "core", "pods")], [rule("get", "core", "pods/log")], false],
    ["a subresource of anything", [rule("get", "core", "*/log")], [rule("get", "core", "pods/log")], true],
    ["one name of all", [rule("get", "core", "pods")], [rule("get", "core", "pods", "a")], true],
    ["all by one name", [rule("get", "core", "pods", "a")], [rule("get", "core", "pods")], false],
    ["another name", [rule("get", "core", "pods", "a")], [rule("get", "core", "pods", "a,b")], false],
    ["a path below", [paths("get", "/a/*")], [paths("get", "/a/b")], true],
    ["a path above", [paths("get", "/a/b")], [paths("get", "/a/*")], false],
    ["nothing", [], [], true],
  ])("%s", (_name, held, wanted, isCovered) => {
    expect(uncovered(held, wanted).length === 0).toBe(isCovered);
  });

  it("a short rule that breaks into more parts than may be looked at is held back whole, unless one rule covers it", () => {
    const many = (what: string) => Array.from({ length: 1000 }, (_, at) => `${what}${at}`).join(",");
    const huge = rule(many("verb"), many("group"), many("resource"), many("name"));
    expect(uncovered([rule("get", "core", "pods")], [huge])).toEqual([huge]);
    expect(uncovered([rule("*", "*", "*")], [huge])).toEqual([]);
    const names = Array.from({ length: partsMax }, (_, at) => `n${at}`).join(",");
    const atMost = rule("get", "core", "pods", names);
    expect(uncovered([], [atMost])).toHaveLength(partsMax);
    expect(uncovered([], [atMost, rule("get", "core", "pods")])).toHaveLength(partsMax + 1);
  });

  it("a rule for objects of any name, however they are called, gives nothing of all others", () => {
    for (const name of ["/", "any", "*", ""]) {
      const held = { ...rule("get", "core", "secrets"), resourceNames: [name] };
      expect(uncovered([held], [rule("get", "core", "secrets")])).toEqual([rule("get", "core", "secrets")]);
      expect(uncovered([held], [held])).toEqual([]);
    }
  });

  it("a rule without verbs, which is refused later, asks for nothing", () => {
    const none = { apiGroups: [""], resources: ["pods"] } as V1PolicyRule;
    const empty = {} as V1PolicyRule;
    expect(uncovered([rule("get", "core", "pods")], [none, empty])).toEqual([]);
    expect(uncovered([], [none, empty])).toEqual([]);
  });

  it("tells what is missing as upstream does", () => {
    const missing = uncovered([], [rule("get,list", "core", "pods")]);
    expect(compactRules(missing).map(compactText)).toEqual([
      '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
    ]);
  });
});
