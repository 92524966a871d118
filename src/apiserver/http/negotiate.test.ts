import { describe, expect, it } from "vitest";
import { checkRoute, negotiate } from "./negotiate.ts";

const table = "application/json;as=Table;g=meta.k8s.io;v=v1";
const form = (accept: string | undefined, watch = false) => {
  const { encoding, as, version } = negotiate(accept, false, { as: ["Table", "PartialObjectMetadata"], watch });
  return [encoding, as, version].join(" ").trimEnd();
};

describe("negotiate", () => {
  it.each([
    [undefined, "json object"],
    ["", "json object"],
    ["*/*", "json object"],
    ["application/*", "json object"],
    ["application/yaml", "yaml object"],
    ["application/vnd.kubernetes.protobuf", "protobuf object"],
    // What client-go sends for built-in kinds: either will do, and JSON is there already.
    ["application/vnd.kubernetes.protobuf,application/json", "json object"],
    ["application/json;q=0.1,application/yaml", "yaml object"],
    [table, "json Table v1"],
    [`${table},application/json`, "json Table v1"],
    ["application/json;as=Table;g=meta.k8s.io;v=v1beta1", "json Table v1beta1"],
    ["application/json;as=Table;g=meta.k8s.io;v=v9,application/json", "json object"],
    ["application/json;as=Nonsense;g=meta.k8s.io;v=v1,application/json", "json object"],
    ["text/plain,application/json", "json object"],
  ])("%s", (accept, expected) => {
    expect(form(accept)).toBe(expected);
  });

  it.each(["application/json;as=Table;g=meta.k8s.io;v=v9", "text/plain", "application/json;stream=other"])(
    "refuses %s",
    (accept) => {
      expect(() => form(accept)).toThrow("only the following media types are accepted: application/json,");
    },
  );

  it("has no YAML for watches", () => {
    expect(() => form("application/yaml", true)).toThrow("application/json;stream=watch");
  });

  it("refuses at the route what nothing there produces", () => {
    expect(() => checkRoute("text/html", false)).toThrow("406: Not Acceptable");
    expect(() => checkRoute("text/html, */*;q=0.1", false)).not.toThrow();
  });
});
