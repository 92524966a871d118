import { describe, expect, it } from "vitest";
import type { V1PolicyRule } from "#api/generated/types.ts";
import type { Attributes } from "./authorizer.ts";
import { allows } from "./rbac.ts";

const attributes = (verb: string, target: string, name = ""): Attributes => {
  const isResource = !target.startsWith("/");
  const [resource = "", subresource = ""] = isResource ? target.split("/") : [];
  const user = { name: "u", groups: [] };
  const path = isResource ? "" : target;
  return { user, verb, isResource, group: "", version: "v1", resource, subresource, namespace: "", name, path };
};

const pods = (verbs: string[], resources: string[], resourceNames?: string[]): V1PolicyRule => ({
  apiGroups: [""],
  verbs,
  resources,
  ...(resourceNames && { resourceNames }),
});

describe("a rule", () => {
  it.each<[string, V1PolicyRule, Attributes, boolean]>([
    ["its own", pods(["get"], ["pods"]), attributes("get", "pods", "a"), true],
    ["another verb", pods(["get"], ["pods"]), attributes("list", "pods"), false],
    ["any verb", pods(["*"], ["pods"]), attributes("anything", "pods"), true],
    ["a subresource", pods(["get"], ["pods"]), attributes("get", "pods/log", "a"), false],
    ["a subresource that is named", pods(["get"], ["pods/log"]), attributes("get", "pods/log", "a"), true],
    ["the resource of a subresource", pods(["get"], ["pods/log"]), attributes("get", "pods", "a"), false],
    ["that subresource of all", pods(["get"], ["*/log"]), attributes("get", "pods/log", "a"), true],
    ["a name", pods(["get"], ["pods"], ["a"]), attributes("get", "pods", "a"), true],
    ["another name", pods(["get"], ["pods"], ["a"]), attributes("get", "pods", "b"), false],
    ["no name", pods(["create"], ["pods"], ["a"]), attributes("create", "pods"), false],
    ["another group", { ...pods(["get"], ["pods"]), apiGroups: ["apps"] }, attributes("get", "pods"), false],
    ["a path", { verbs: ["get"], nonResourceURLs: ["/metrics"] }, attributes("get", "/metrics"), true],
    ["a path below", { verbs: ["get"], nonResourceURLs: ["/a/*"] }, attributes("get", "/a/b/c"), true],
    ["a path beside", { verbs: ["get"], nonResourceURLs: ["/a/*"] }, attributes("get", "/ab"), false],
    ["no path by resources", pods(["*"], ["*"]), attributes("get", "/metrics"), false],
    ["no resource by paths", { verbs: ["*"], nonResourceURLs: ["*"] }, attributes("get", "pods"), false],
  ])("allows or not: %s", (_name, rule, asked, expected) => {
    expect(allows(rule, asked)).toBe(expected);
  });
});
