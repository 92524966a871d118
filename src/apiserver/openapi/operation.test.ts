import { expect, test } from "vitest";
import { naming, withArticle } from "./operation.ts";

test.each([
  ["/api/", "get", "APIVersions", "getCoreAPIVersions", "core"],
  ["/apis/", "get", "APIVersions", "getAPIVersions", "apis"],
  ["/apis/apps/", "get", "APIGroup", "getAppsAPIGroup", "apps"],
  ["/version/", "get", "CodeVersion", "getCodeVersion", "version"],
  ["/.well-known/openid-configuration", "get", "Keys", "getKeys", "WellKnown"],
  ["/api/v1/namespaces/{namespace}/pods", "list", "NamespacedPod", "listCoreV1NamespacedPod", "core_v1"],
  ["/apis/rbac.authorization.k8s.io/v1/roles", "list", "Role", "listRbacAuthorizationV1Role", "rbacAuthorization_v1"],
  ["/apis/a1-b.example.com/v1beta2/x", "read", "X", "readA1BExampleComV1beta2X", "a1BExampleCom_v1beta2"],
])("an operation at %s is named for the place", (path, verb, rest, operationId, tag) => {
  expect(naming(path, verb, rest)).toEqual({ operationId, tags: [tag] });
});

test.each([
  ["Pod", "a Pod"],
  ["Ingress", "an Ingress"],
  ["Endpoints", "Endpoints"],
  ["StorageClass", "a StorageClass"],
])("%s takes the article of %s", (kind, text) => expect(withArticle(kind)).toBe(text));
