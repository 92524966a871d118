import { expect, test } from "vitest";
import { SharedParameters } from "./shared-parameters.ts";

const force = {
  uniqueItems: true,
  type: "boolean",
  description:
    'Force is going to "force" Apply requests. It means user will re-acquire conflicting fields owned by other people. Force flag must be unset for non-apply patch requests.',
  name: "force",
  in: "query",
};

test("a parameter is named for its content and said once", () => {
  const shared = new SharedParameters();
  expect(shared.refer(force)).toEqual({ $ref: "#/parameters/force-tOGGb0Yi" });
  expect(shared.refer({ ...force })).toEqual({ $ref: "#/parameters/force-tOGGb0Yi" });
  expect(shared.table).toEqual({ "force-tOGGb0Yi": force });
});

test("what means something to HTML is hashed as Go escapes it", () => {
  const shared = new SharedParameters();
  expect(shared.refer({ ...force, description: "a < b" })).not.toEqual(
    shared.refer({ ...force, description: "a > b" }),
  );
});

test.each(["name", "dryRun", "fieldValidation"])("%s stays with the operation", (name) => {
  const parameter = { ...force, name };
  expect(new SharedParameters().refer(parameter)).toBe(parameter);
});

test("bodies of a kind stay with the operation, those of every kind do not", () => {
  const body = (type: string) => ({ name: "body", in: "body", schema: { $ref: `#/definitions/${type}` } });
  const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
  const shared = new SharedParameters();
  expect(shared.refer(body("io.k8s.api.core.v1.Pod"))).toEqual(body("io.k8s.api.core.v1.Pod"));
  expect(shared.refer(body(`${meta}.DeleteOptions`))).toEqual({ $ref: "#/parameters/body-2Y1dVQaQ" });
});
