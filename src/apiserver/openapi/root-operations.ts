/** Operations of paths that are no resources: discovery, version, OIDC documents. Upstream: endpoints/discovery, server/routes. */
import { metaType, naming, objectTypes, type Operation } from "./operation.ts";

const json = ["application/json"];

function reading(path: string, rest: string, description: string, answer: string): Operation {
  return {
    path,
    method: "get",
    description,
    ...naming(path, "get", rest),
    parameters: [],
    consumes: objectTypes,
    produces: objectTypes,
    answers: { 200: answer },
  };
}

const apiRoot = (): Operation => reading("/api/", "APIVersions", "get available API versions", metaType("APIVersions"));

const apisRoot = (): Operation =>
  reading("/apis/", "APIVersions", "get available API versions", metaType("APIGroupList"));

export const groupRoot = (group: string): Operation =>
  reading(`/apis/${group}/`, "APIGroup", "get information of a group", metaType("APIGroup"));

export const versionRoot = (root: string): Operation =>
  reading(`${root}/`, "APIResources", "get available resources", metaType("APIResourceList"));

/** Documents that no resource is in, by the path after /openapi/v3/. */
export const plainOperations: Readonly<Record<string, () => Operation>> = {
  ".well-known/openid-configuration": () => ({
    ...reading(
      "/.well-known/openid-configuration",
      "ServiceAccountIssuerOpenIDConfiguration",
      "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
      "string",
    ),
    consumes: ["*/*"],
    produces: json,
  }),
  api: apiRoot,
  apis: apisRoot,
  "openid/v1/jwks": () => ({
    ...reading(
      "/openid/v1/jwks",
      "ServiceAccountIssuerOpenIDKeyset",
      "get service account issuer OpenID JSON Web Key Set (contains public token verification keys)",
      "string",
    ),
    consumes: ["*/*"],
    produces: ["application/jwk-set+json"],
  }),
  version: () => ({
    ...reading(
      "/version/",
      "CodeVersion",
      "get the version information for this server",
      "io.k8s.apimachinery.pkg.version.Info",
    ),
    consumes: json,
    produces: json,
  }),
};

/** How the operation of a path without resources is made; undefined where there is no such path. */
export function plainOperation(path: string, groups: ReadonlySet<string>): (() => Operation) | undefined {
  const group = /^apis\/([^/]+)$/.exec(path)?.[1];
  if (group !== undefined && groups.has(group)) return () => groupRoot(group);
  return Object.hasOwn(plainOperations, path) ? plainOperations[path] : undefined;
}
