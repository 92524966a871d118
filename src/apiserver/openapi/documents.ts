/** The OpenAPI documents: version 3 one a group and version, version 2 all in one. */
import type { Catalogue } from "#apiserver/catalogue.ts";
import { structuralSchema } from "./custom-schemas.ts";
import { type Operation, operationsOf, typeOf } from "./operations.ts";
import { pathParameter, queryParameter } from "./parameters.ts";
import { collectSchemas, kindsByType, type Schema } from "./type-schemas.ts";

const info = { title: "Kubernetes", version: "v1.36.2" };
const security = { type: "apiKey", description: "Bearer Token authentication", name: "authorization", in: "header" };
const mediaTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const customMediaTypes = ["application/json", "application/yaml"];
const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
const watchTypes = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

export function versionThree(catalogue: Catalogue, group: string, version: string): Schema {
  const operations = operationsOf(catalogue, group, version);
  const roots = new Set(operations.flatMap(({ body, answer }) => (body === undefined ? [answer] : [body, answer])));
  return {
    openapi: "3.0.0",
    info: { ...info, title: "Kubernetes" },
    paths: pathsOf(operations, operationThree, 3),
    components: {
      schemas: { ...collectSchemas(roots, 3, kindsByType(catalogue)), ...customSchemas(catalogue, group, version, 3) },
      securitySchemes: { BearerToken: security },
    },
  };
}

export function versionTwo(catalogue: Catalogue): Schema {
  const versions = new Map(catalogue.all().map((one) => [`${one.group}/${one.version}`, one]));
  const operations = [...versions.values()].flatMap(({ group, version }) => operationsOf(catalogue, group, version));
  const roots = new Set(operations.flatMap(({ body, answer }) => (body === undefined ? [answer] : [body, answer])));
  const customs = [...versions.values()].map(({ group, version }) => customSchemas(catalogue, group, version, 2));
  return {
    swagger: "2.0",
    info,
    paths: pathsOf(operations, operationTwo, 2),
    definitions: Object.assign(collectSchemas(roots, 2, kindsByType(catalogue)), ...customs) as Schema,
    securityDefinitions: { BearerToken: security },
    security: [{ BearerToken: [] }],
  };
}

function customSchemas(catalogue: Catalogue, group: string, version: string, spec: 2 | 3): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  for (const resource of catalogue.custom()) {
    if (resource.group !== group || resource.version !== version) continue;
    const type = typeOf(resource);
    found[type] = structuralSchema(resource, spec);
    const items = spec === 2 ? `#/definitions/${type}` : `#/components/schemas/${type}`;
    const listMeta = `${spec === 2 ? "#/definitions/" : "#/components/schemas/"}io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta`;
    found[`${type}List`] = {
      description: `${resource.kind}List is a list of ${resource.kind}`,
      type: "object",
      required: ["items"],
      properties: {
        apiVersion: { type: "string" },
        items: { type: "array", items: { $ref: items } },
        kind: { type: "string" },
        metadata: { $ref: listMeta },
      },
      "x-kubernetes-group-version-kind": [{ group, kind: resource.custom!.listKind, version }],
    };
    const refs = ["io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"];
    Object.assign(found, collectSchemas(refs, spec, new Map()));
  }
  return found;
}

function pathsOf(operations: readonly Operation[], write: (operation: Operation) => Schema, spec: 2 | 3): Schema {
  const paths: Record<string, Schema> = {};
  for (const operation of operations) {
    const path = (paths[operation.path] ??= { parameters: pathParameters(operation, spec) });
    path[operation.method] = write(operation);
  }
  return Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function pathParameters({ isNamed, isNamespaced, kind }: Operation, spec: 2 | 3): Schema[] {
  return [
    ...(isNamed ? [pathParameter("name", kind.kind, spec)] : []),
    ...(isNamespaced ? [pathParameter("namespace", kind.kind, spec)] : []),
    queryParameter("pretty", spec),
  ];
}

const isCustomType = (type: string): boolean => !type.startsWith("io.k8s.");

function operationThree({
  tag,
  description,
  operationId,
  query,
  body,
  answer,
  created,
  action,
  kind,
}: Operation): Schema {
  const produced = [
    ...(isCustomType(answer) ? customMediaTypes : mediaTypes),
    ...(action === "list" ? watchTypes : []),
  ];
  const content = (types: readonly string[], type: string) =>
    Object.fromEntries([...types].sort().map((mime) => [mime, { schema: { $ref: `#/components/schemas/${type}` } }]));
  const ok = { description: "OK", content: content(produced, answer) };
  return {
    tags: [tag],
    description,
    operationId,
    ...(query.length === 0 ? {} : { parameters: query.map((name) => queryParameter(name, 3)) }),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            content: content(action === "patch" ? patchTypes : ["*/*"], body),
            ...(action === "delete" || action === "deletecollection" ? {} : { required: true }),
          },
        }),
    responses: {
      200: ok,
      ...(created ? { 201: { ...ok, description: "Created" } } : {}),
      ...(action === "post" || action === "delete" ? { 202: { ...ok, description: "Accepted" } } : {}),
      401: { description: "Unauthorized" },
    },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": kind,
  };
}

function operationTwo({
  tag,
  description,
  operationId,
  query,
  body,
  answer,
  created,
  action,
  kind,
}: Operation): Schema {
  const schema = { $ref: `#/definitions/${answer}` };
  const bodyParameter =
    body === undefined
      ? []
      : [
          {
            name: "body",
            in: "body",
            schema: { $ref: `#/definitions/${body}` },
            ...(action.startsWith("delete") ? {} : { required: true }),
          },
        ];
  return {
    description,
    consumes: action === "patch" ? patchTypes : ["*/*"],
    produces: [...(isCustomType(answer) ? customMediaTypes : mediaTypes), ...(action === "list" ? watchTypes : [])],
    schemes: ["https"],
    tags: [tag],
    operationId,
    parameters: [...bodyParameter, ...query.map((name) => queryParameter(name, 2))],
    responses: {
      200: { description: "OK", schema },
      ...(created ? { 201: { description: "Created", schema } } : {}),
      ...(action === "post" || action === "delete" ? { 202: { description: "Accepted", schema } } : {}),
      401: { description: "Unauthorized" },
    },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": kind,
  };
}
