import { describe, expect, test } from "vitest";
import {
  alreadyExists,
  conflict,
  forbiddenRequest,
  internalError,
  methodNotSupported,
  notFound,
  qualifiedKind,
  tooManyRequests,
} from "./status-catalogue.ts";

const deployments = { group: "apps", resource: "deployments" };

describe("status catalogue", () => {
  test.each([
    [notFound(deployments, "a"), 404, 'deployments.apps "a" not found'],
    [alreadyExists(deployments, "a"), 409, 'deployments.apps "a" already exists'],
    [
      conflict(deployments, "a"),
      409,
      'Operation cannot be fulfilled on deployments.apps "a": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [forbiddenRequest(deployments, "", "no"), 403, "deployments.apps is forbidden: no"],
    [forbiddenRequest({ group: "", resource: "pods" }, "a", "no"), 403, 'pods "a" is forbidden: no'],
    [methodNotSupported(deployments, "get"), 405, 'get is not supported on resources of kind "deployments.apps"'],
    [internalError("broken"), 500, "Internal error occurred: broken"],
  ])("failure %# has upstream's code and text", (error, code, message) => {
    expect(error.code).toBe(code);
    expect(error.message).toBe(message);
  });

  test("details name group, kind and name where there are any", () => {
    expect(notFound({ group: "", resource: "pods" }, "a").status.details).toEqual({ name: "a", kind: "pods" });
    expect(tooManyRequests("slow down", 3).status.details).toEqual({ retryAfterSeconds: 3 });
    expect(qualifiedKind({ group: "apps", kind: "Deployment" })).toBe("Deployment.apps");
  });
});
