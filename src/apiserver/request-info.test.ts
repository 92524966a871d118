import { describe, expect, it } from "vitest";
import { requestInfo } from "./request-info.ts";
import { Query } from "./request.ts";

const short = (method: string, target: string) => {
  const [path = "", query = ""] = target.split("?");
  const { isResource, verb, group, version, namespace, resource, subresource, name } = requestInfo(
    method,
    path,
    Query.parse(query),
  );
  return isResource ? [verb, group, version, namespace, resource, subresource, name].join(" | ") : verb;
};

describe("requestInfo", () => {
  it.each([
    ["GET", "/api/v1/pods", "list |  | v1 |  | pods |  | "],
    ["GET", "/api/v1/pods?watch=1", "watch |  | v1 |  | pods |  | "],
    ["GET", "/api/v1/pods?watch=false", "list |  | v1 |  | pods |  | "],
    ["GET", "/api/v1/namespaces", "list |  | v1 |  | namespaces |  | "],
    ["GET", "/api/v1/namespaces/a", "get |  | v1 | a | namespaces |  | a"],
    ["PUT", "/api/v1/namespaces/a/finalize", "update |  | v1 | a | namespaces | finalize | a"],
    ["HEAD", "/api/v1/namespaces/a/pods/b", "get |  | v1 | a | pods |  | b"],
    ["POST", "/api/v1/namespaces/a/pods/b/exec", "create |  | v1 | a | pods | exec | b"],
    ["PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale", "patch | apps | v1 | a | deployments | scale | d"],
    ["DELETE", "/apis/apps/v1/namespaces/a/deployments", "deletecollection | apps | v1 | a | deployments |  | "],
    ["DELETE", "/apis/apps/v1/namespaces/a/deployments/d", "delete | apps | v1 | a | deployments |  | d"],
    ["GET", "/api/v1/watch/namespaces/a/pods/b", "watch |  | v1 | a | pods |  | b"],
    ["GET", "/api/v1/nodes?fieldSelector=metadata.name%3Dn1", "list |  | v1 |  | nodes |  | n1"],
    ["GET", "/api/v1/nodes?fieldSelector=metadata.name%3D..", "list |  | v1 |  | nodes |  | "],
    ["GET", "/api/v1/nodes?fieldSelector=metadata.name%3Da%2Fb", "list |  | v1 |  | nodes |  | "],
    ["GET", "/api/v1/nodes?fieldSelector=metadata.name!%3Dn1", "list |  | v1 |  | nodes |  | "],
    ["GET", "/api/v1/secrets?fieldSelector=type!%3D%5C,metadata.name%3Da", "list |  | v1 |  | secrets |  | "],
    ["GET", "/api/v1/secrets?fieldSelector=metadata.name%3Da%5C,b", "list |  | v1 |  | secrets |  | a,b"],
    ["GET", "/api/v1/secrets?fieldSelector=metadata.name%3Da,type%3D%5Cz", "list |  | v1 |  | secrets |  | "],
    ["GET", "/healthz", "get"],
    ["GET", "/api", "get"],
    ["GET", "/apis/apps/v1", "get"],
    ["POST", "/", "post"],
  ])("%s %s", (method, target, expected) => {
    expect(short(method, target)).toBe(expected);
  });
});
