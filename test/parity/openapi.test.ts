/** What generators of clients, kubectl explain and validators read: the OpenAPI documents, whole. */
import { describe, expect, test } from "vitest";
import { clientOperations } from "#test/support/generated-client.ts";
import { afterwards, create, get, remove, storyServer } from "#test/support/story.ts";

type Json = Record<string, unknown>;
interface Parameter {
  $ref?: string;
  name: string;
  in: string;
}
interface Operation {
  description: string;
  operationId: string;
  parameters?: Parameter[];
  responses: Record<string, { schema?: { type?: string; $ref?: string } }>;
}
interface DocumentTwo {
  paths: Record<string, Record<string, Operation> & { parameters?: Parameter[] }>;
  parameters: Record<string, Parameter>;
  definitions: Record<string, Json>;
}

const stories = storyServer();

/** Every reference in a document, wherever it is. */
function referencesIn(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, found);
  else if (typeof value === "object" && value !== null)
    for (const [name, inner] of Object.entries(value))
      if (name === "$ref" && typeof inner === "string") found.add(inner);
      else referencesIn(inner, found);
  return found;
}

function resolve(document: unknown, reference: string): unknown {
  return reference
    .split("/")
    .slice(1)
    .reduce<unknown>((at, part) => (at as Json | undefined)?.[part], document);
}

const unresolved = (document: unknown) =>
  [...referencesIn(document)].filter((reference) => resolve(document, reference) === undefined);

const operationsOf = (document: DocumentTwo) =>
  Object.entries(document.paths).flatMap(([path, { parameters: common = [], ...methods }]) =>
    Object.entries(methods as Record<string, Operation>).map(([method, operation]) => {
      const own = [...common, ...(operation.parameters ?? [])];
      const parameters = own.map((one) =>
        one.$ref === undefined ? one : document.parameters[one.$ref.split("/")[2]!]!,
      );
      return { ...operation, key: `${method} ${path}`, parameters };
    }),
  );

/** Names of types without group and version, as far as a client's and the document's can be compared. */
const bareAnswer = ({ schema }: { schema?: { type?: string; $ref?: string } }) =>
  (schema?.type ?? schema?.$ref?.split(".").at(-1) ?? "").toLowerCase();
const bareType = (type: string) =>
  type
    .replace(/^(?:[A-Z][a-z]+)??V\d+(?:(?:alpha|beta)\d+)?(?=[A-Z])/, "")
    .replace("VersionInfo", "Info")
    .toLowerCase();

stories("OpenAPI as one document", [
  [
    "refers to nothing that is not in it",
    get("/openapi/v2").meets((document) => expect(unresolved(document)).toEqual([])),
  ],
  [
    "names each operation once",
    get("/openapi/v2").meets((document) => {
      const ids = operationsOf(document as unknown as DocumentTwo).map(({ operationId }) => operationId);
      expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    }),
  ],
  [
    "has every operation of a generated client that is served, with its words, parameters and answer",
    get("/openapi/v2").meets((body) => {
      const operations = new Map(operationsOf(body as unknown as DocumentTwo).map((one) => [one.key, one]));
      const versions = new Set([...operations.keys()].map((key) => /^\w+ (\/apis?\/[^/]+\/?[^/]*)\/$/.exec(key)?.[1]));
      let compared = 0;
      for (const { api, name, method, path, description, query, answer } of clientOperations()) {
        const found = operations.get(`${method} ${path}`);
        const version = /^\/apis?\/[^/]+(?:\/v[^/]+)?/.exec(path)?.[0];
        if (found === undefined && version !== undefined && !versions.has(version)) continue;
        expect({
          key: `${method} ${path}`,
          description: found?.description,
          name: found?.operationId.replace(api.slice(0, -3), ""),
          query: found?.parameters
            .filter((one) => one.in === "query")
            .map((one) => one.name)
            .sort(),
          answer: bareAnswer(found?.responses["200"] ?? {}),
        }).toEqual({ key: `${method} ${path}`, description, name, query, answer: bareType(answer) });
        compared += 1;
      }
      expect(compared).toBeGreaterThan(600);
    }),
  ],
  [
    "says what operations share once, under names that tell the content",
    get("/openapi/v2").meets((body) => {
      const { parameters, paths } = body as unknown as DocumentTwo;
      expect(Object.keys(parameters)).toEqual(
        expect.arrayContaining(["body-2Y1dVQaQ", "body-78PwaGsr", "namespace-vgWSWtn3", "pretty-tJGM1-ng"]),
      );
      expect(paths["/api/v1/namespaces/{namespace}/configmaps/{name}"]!.parameters).toEqual([
        {
          uniqueItems: true,
          type: "string",
          description: "name of the ConfigMap",
          name: "name",
          in: "path",
          required: true,
        },
        { $ref: "#/parameters/namespace-vgWSWtn3" },
        { $ref: "#/parameters/pretty-tJGM1-ng" },
      ]);
      expect(paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]!["patch"]!.parameters).toMatchObject([
        { $ref: "#/parameters/body-78PwaGsr" },
        { name: "dryRun" },
        { $ref: "#/parameters/fieldManager-7c6nTn1T" },
        { name: "fieldValidation" },
        { $ref: "#/parameters/force-tOGGb0Yi" },
      ]);
    }),
  ],
]);

const reviews = [
  ["/api/v1/namespaces/{namespace}/bindings", "createCoreV1NamespacedBinding"],
  ["/apis/authentication.k8s.io/v1/tokenreviews", "createAuthenticationV1TokenReview"],
  ["/apis/authentication.k8s.io/v1/selfsubjectreviews", "createAuthenticationV1SelfSubjectReview"],
  [
    "/apis/authorization.k8s.io/v1/namespaces/{namespace}/localsubjectaccessreviews",
    "createAuthorizationV1NamespacedLocalSubjectAccessReview",
  ],
  ["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "createAuthorizationV1SelfSubjectAccessReview"],
  ["/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "createAuthorizationV1SelfSubjectRulesReview"],
  ["/apis/authorization.k8s.io/v1/subjectaccessreviews", "createAuthorizationV1SubjectAccessReview"],
] as const;

stories("OpenAPI of what is not stored", [
  ...reviews.map(
    ([path, operationId]) =>
      [
        `${operationId} is an operation`,
        get(
          `/openapi/v3/${path
            .split("/")
            .slice(1, path.startsWith("/api/") ? 3 : 4)
            .join("/")}`,
        ).meets((body) => {
          const kind = operationId.replace(/^create[A-Z][a-z]+V1(?:Namespaced)?/, "");
          expect((body["paths"] as Record<string, unknown>)[path]).toMatchObject({
            post: { operationId, "x-kubernetes-action": "post", "x-kubernetes-group-version-kind": { kind } },
          });
        }),
      ] as const,
  ),
  [
    "component statuses are listed and read",
    get("/openapi/v3/api/v1").meets((body) => {
      const paths = body["paths"] as Record<string, unknown>;
      expect(paths["/api/v1/componentstatuses"]).toMatchObject({
        get: { operationId: "listCoreV1ComponentStatus", description: "list objects of kind ComponentStatus" },
      });
      expect(paths["/api/v1/componentstatuses/{name}"]).toMatchObject({
        get: { operationId: "readCoreV1ComponentStatus" },
      });
    }),
  ],
]);

stories("OpenAPI of each group and version", [
  [
    "is at an address that its content names",
    get("/openapi/v3").meets(({ paths }) => {
      for (const [path, { serverRelativeURL }] of Object.entries(
        paths as Record<string, { serverRelativeURL: string }>,
      ))
        expect(serverRelativeURL).toMatch(
          new RegExp(`^/openapi/v3/${path.replaceAll(".", "\\.")}\\?hash=[0-9A-F]{128}$`),
        );
    }),
  ],
  ...["api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "apis/autoscaling/v2", "version", "openid/v1/jwks"].map(
    (path) =>
      [
        `${path} refers to nothing that is not in it`,
        get(`/openapi/v3/${path}`).meets((document) => {
          expect(unresolved(document)).toEqual([]);
          expect(Object.keys(document["paths"] as object)).not.toEqual([]);
        }),
      ] as const,
  ),
]);

describe("a reference that leads nowhere", () => {
  test("is found", () => expect(unresolved({ a: { $ref: "#/b/c" }, b: {} })).toEqual(["#/b/c"]));
});

const threeProtobuf = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
const jsonProtobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
stories("OpenAPI over HTTP", [
  ["is JSON for who takes anything", get("/openapi/v2").accepting("*/*").answers(200)],
  ["is protobuf for who asks for that", get("/openapi/v2").accepting(jsonProtobuf).answers(200)],
  [
    "is protobuf in version 3, too",
    get("/openapi/v3/apis/apps/v1").accepting(threeProtobuf.replace(".v1.0", "@v1.0")).answers(200),
    get("/openapi/v3/apis/apps/v1").accepting(threeProtobuf).answers(200),
    get("/openapi/v3/apis/apps/v1").accepting("text/html").answers(406),
  ],
  ["is in no other form", get("/openapi/v2").accepting("text/html").answers(406)],
  ["has no page for a version that is not served", get("/openapi/v3/apis/apps/v9").answers(404)],
  ["sends who knows an old hash to the new one", get("/openapi/v3/api/v1?hash=ABC").answers(301)],
]);

const gadgets = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gadgets.shapes.example.com" },
  spec: {
    group: "shapes.example.com",
    scope: "Namespaced",
    names: { plural: "gadgets", singular: "gadget", kind: "Gadget", listKind: "GadgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object" } } } },
      },
    ],
  },
};
const gadgetDocument = "/openapi/v3/apis/shapes.example.com/v1";
const gadgetPath = "/apis/shapes.example.com/v1/namespaces/{namespace}/gadgets";
stories("OpenAPI of custom resources", [
  [
    "is published when they are defined and withdrawn with the definition",
    create(gadgets),
    get(gadgetDocument)
      .eventually()
      .shows({ info: { title: "Kubernetes CRD Swagger", version: "v0.1.0" } })
      .meets((document) => {
        expect(unresolved(document)).toEqual([]);
        const paths = Object.entries(document["paths"] as Record<string, Json>);
        const methods = paths.map(([path, item]) => [
          path.replace(gadgetPath, "…"),
          Object.keys(item).filter((one) => one !== "parameters"),
        ]);
        expect(methods).toEqual([
          ["/apis/shapes.example.com/v1/gadgets", ["get"]],
          ["…", ["get", "post", "delete"]],
          ["…/{name}", ["get", "put", "patch", "delete"]],
          ["…/{name}/status", ["get", "put", "patch"]],
        ]);
      }),
    get("/openapi/v3").meets(({ paths }) => {
      expect(Object.keys(paths as object)).toContain("apis/shapes.example.com/v1");
      expect(Object.keys(paths as object)).not.toContain("apis/shapes.example.com");
    }),
    get("/openapi/v2").meets((document) => {
      expect(unresolved(document)).toEqual([]);
      const { definitions } = document as unknown as DocumentTwo;
      expect(Object.keys(definitions)).toEqual(expect.arrayContaining(["com.example.shapes.v1.GadgetList"]));
    }),
    remove("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.shapes.example.com"),
    get(gadgetDocument).eventually().answers(404),
  ],
]);

const shapes = {
  ...gadgets,
  metadata: { name: "shapes.forms.example.com" },
  spec: {
    ...gadgets.spec,
    group: "forms.example.com",
    names: { plural: "shapes", singular: "shape", kind: "Shape", listKind: "ShapeList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                required: ["may", "must"],
                properties: {
                  may: { type: "string", nullable: true },
                  must: { type: "integer", default: 3 },
                  either: { "x-kubernetes-int-or-string": true },
                  free: {
                    type: "object",
                    "x-kubernetes-preserve-unknown-fields": true,
                    properties: { a: { type: "string" } },
                  },
                  pick: { type: "object", oneOf: [{ required: ["a"] }], properties: { a: { type: "string" } } },
                  inner: {
                    type: "object",
                    "x-kubernetes-embedded-resource": true,
                    required: ["spec"],
                    properties: { spec: { type: "object" } },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
stories("OpenAPI of custom resources in version 2", [
  [
    "leaves out what it has no words for, and what kubectl would read wrongly without it",
    create(shapes),
    get("/openapi/v2")
      .eventually()
      .meets((document) => {
        const { definitions } = document as unknown as DocumentTwo;
        const schema = definitions["com.example.forms.v1.Shape"] as { properties: { spec: Json } };
        expect(schema.properties.spec).toMatchObject({
          required: ["must"],
          properties: {
            may: {},
            must: { type: "integer", default: 3 },
            either: { "x-kubernetes-int-or-string": true },
            free: { "x-kubernetes-preserve-unknown-fields": true },
            pick: { type: "object", properties: { a: { type: "string" } } },
            inner: {
              required: ["spec", "kind", "apiVersion"],
              properties: { metadata: { $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" } },
            },
          },
        });
        const properties = schema.properties.spec["properties"] as Record<string, Json>;
        expect([properties["may"], properties["free"], properties["either"]]).toEqual([
          {},
          { "x-kubernetes-preserve-unknown-fields": true },
          { "x-kubernetes-int-or-string": true },
        ]);
      }),
    afterwards(remove("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/shapes.forms.example.com")),
  ],
]);

const propertyOf = (type: string, field: string) => (body: Json) =>
  (body["components"] as { schemas: Record<string, { properties: Record<string, Json> }> }).schemas[
    `io.k8s.api.${type}`
  ]!.properties[field];
stories("descriptions of fields", [
  [
    "are the field's own where it refers to a type",
    get("/openapi/v3/api/v1").meets((body) =>
      expect(propertyOf("core.v1.ConfigMap", "metadata")(body)).toEqual({
        description:
          "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
        default: {},
        allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }],
      }),
    ),
  ],
  [
    "name the values of an enumeration",
    get("/openapi/v3/api/v1").meets((body) =>
      expect(propertyOf("core.v1.ContainerPort", "protocol")(body)).toEqual({
        description:
          'Protocol for port. Must be UDP, TCP, or SCTP. Defaults to "TCP".\n\nPossible enum values:\n - `"SCTP"` is the SCTP protocol.\n - `"TCP"` is the TCP protocol.\n - `"UDP"` is the UDP protocol.',
        type: "string",
        default: "TCP",
        enum: ["SCTP", "TCP", "UDP"],
      }),
    ),
  ],
  [
    "do not name those of a list's elements",
    get("/openapi/v3/api/v1").meets((body) => {
      const modes = propertyOf("core.v1.PersistentVolumeSpec", "accessModes")(body)!;
      expect(modes["description"]).not.toContain("Possible enum values");
      expect(modes["items"]).toEqual({
        type: "string",
        enum: ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"],
      });
    }),
  ],
  [
    "have unions beside them",
    get("/openapi/v3/api/v1").meets((body) => {
      const { schemas } = body["components"] as { schemas: Record<string, Json> };
      expect(schemas["io.k8s.api.core.v1.SeccompProfile"]!["x-kubernetes-unions"]).toEqual([
        { discriminator: "type", "fields-to-discriminateBy": { localhostProfile: "LocalhostProfile" } },
      ]);
    }),
  ],
]);
