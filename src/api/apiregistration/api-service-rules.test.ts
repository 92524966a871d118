import { describe, expect, it } from "vitest";
import { apiServiceStrategy } from "./api-service-rules.ts";

const context = { now: 0, user: { name: "u", groups: [] }, dryRun: false };
const fields = (name: string, spec: object) => {
  const service = { metadata: { name }, spec: { groupPriorityMinimum: 1, versionPriority: 1, ...spec } };
  return apiServiceStrategy.validate!(service, undefined, context).map(({ field }) => field);
};

describe("API service", () => {
  it.each<[string, object, string[]]>([
    ["v1.x.io", { group: "x.io", version: "v1" }, []],
    ["v1.", { group: "", version: "v1" }, []],
    ["v2.", { group: "", version: "v2" }, ["spec.group"]],
    ["v1.y.io", { group: "x.io", version: "v1" }, ["metadata.name"]],
    ["v1.x.io", { group: "x.io", version: "v1", versionPriority: 1001 }, ["spec.versionPriority"]],
    ["v1.x.io", { group: "x.io", version: "v1", insecureSkipTLSVerify: true }, ["spec.insecureSkipTLSVerify"]],
    [
      "v1.x.io",
      { group: "x.io", version: "v1", service: { port: 0 } },
      ["spec.service.namespace", "spec.service.name", "spec.service.port"],
    ],
    ["v1.x.io", { group: "x.io", version: "v1", caBundle: "YWJj" }, ["spec.caBundle"]],
  ])("%s with %j has faults here", (name, spec, expected) => expect(fields(name, spec)).toEqual(expected));
  it("tells the size of a bundle", () => {
    const spec = { group: "x.io", version: "v1", caBundle: "YWJj", groupPriorityMinimum: 1, versionPriority: 1 };
    const [fault] = apiServiceStrategy.validate!({ metadata: { name: "v1.x.io" }, spec }, undefined, context);
    expect(fault!.message).toBe('Invalid value: "3 bytes": local APIServices may not have a caBundle');
  });
});
