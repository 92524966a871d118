/** The OpenAPI documents: version 3 one a group and version, version 2 all in one. */
import type { Catalogue } from "#apiserver/catalogue.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";
import { customInfo, customSchemas } from "./custom-schemas.ts";
import { type GroupVersionKind, kindsByType } from "./kinds.ts";
import type { Operation } from "./operation.ts";
import { builtInOperations, customOperations, versionOperations } from "./operations.ts";
import type { Parameter } from "./parameters.ts";
import { SharedParameters } from "./shared-parameters.ts";
import type { Schema } from "./schema.ts";
import { collectSchemas } from "./type-schemas.ts";

const info = { title: "Kubernetes", version: "v1.36.2" };
const security = { type: "apiKey", description: "Bearer Token authentication", name: "authorization", in: "header" };

export function versionThree(
  catalogue: Catalogue,
  virtual: readonly VirtualResource[],
  group: string,
  version: string,
): Schema {
  const operations = versionOperations(catalogue, virtual, group, version);
  const customs = customSchemas(catalogue, group, version, 3);
  const isBuiltIn = [...catalogue.builtIn(), ...virtual].some((one) => one.group === group && one.version === version);
  return isBuiltIn
    ? documentThree(operations, kindsByType(catalogue, virtual), customs)
    : customDocumentThree(operations, customs);
}

/** Of one operation that is no resource's. */
export function plainThree(operation: Operation, catalogue: Catalogue): Schema {
  return documentThree([operation], kindsByType(catalogue, []), {});
}

function documentThree(
  operations: readonly Operation[],
  kinds: ReadonlyMap<string, readonly GroupVersionKind[]>,
  customs: Record<string, Schema>,
): Schema {
  const schemas = { ...collectSchemas(typesOf(operations), 3, kinds), ...customs };
  return {
    openapi: "3.0.0",
    info,
    paths: pathsOf(operations, operationThree, parameterThree),
    components: {
      ...(Object.keys(schemas).length === 0 ? {} : { schemas }),
      securitySchemes: { BearerToken: security },
    },
  };
}

/** Of custom resources only: types in it are no kinds of this document, and nothing is said of tokens. */
const customDocumentThree = (operations: readonly Operation[], customs: Record<string, Schema>): Schema => ({
  openapi: "3.0.0",
  info: customInfo,
  paths: pathsOf(operations, operationThree, parameterThree),
  components: { schemas: { ...collectSchemas(typesOf(operations), 3, new Map()), ...customs } },
});

/** What version 2 says of some operations. */
export interface PartTwo {
  paths: Schema;
  definitions: Record<string, Schema>;
  parameters: Record<string, Schema>;
}

export function builtInTwo(catalogue: Catalogue, virtual: readonly VirtualResource[]): PartTwo {
  return partTwo(builtInOperations(catalogue, virtual), kindsByType(catalogue, virtual));
}

export function customTwo(catalogue: Catalogue): PartTwo {
  const versions = new Map(catalogue.custom().map((one) => [`${one.group}/${one.version}`, one]));
  const part = partTwo(customOperations(catalogue), new Map());
  for (const { group, version } of versions.values())
    Object.assign(part.definitions, customSchemas(catalogue, group, version, 2));
  return part;
}

function partTwo(operations: readonly Operation[], kinds: ReadonlyMap<string, readonly GroupVersionKind[]>): PartTwo {
  const shared = new SharedParameters();
  const parameter = (one: Parameter): Schema => shared.refer(parameterTwo(one));
  const paths = pathsOf(operations, (one, own) => operationTwo(one, own, shared), parameter);
  return { paths, definitions: collectSchemas(typesOf(operations), 2, kinds), parameters: shared.table };
}

/** Where both parts define a type, the built-in one knows its kinds. */
export function versionTwo(builtIn: PartTwo, custom: PartTwo): Schema {
  return {
    swagger: "2.0",
    info,
    paths: sorted({ ...custom.paths, ...builtIn.paths }),
    definitions: sorted({ ...custom.definitions, ...builtIn.definitions }),
    parameters: sorted({ ...custom.parameters, ...builtIn.parameters }),
    securityDefinitions: { BearerToken: security },
    security: [{ BearerToken: [] }],
  };
}

const typesOf = (operations: readonly Operation[]): Set<string> =>
  new Set(
    operations.flatMap(({ body, answers }) => [...(body === undefined ? [] : [body.type]), ...Object.values(answers)]),
  );

const sorted = <T>(table: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(table).sort(([a], [b]) => (a < b ? -1 : 1)));

type Write = (operation: Operation, parameters: Schema[]) => Schema;

/** Parameters that all operations of a path take are the path's own. Upstream: builder.findCommonParameters. */
function pathsOf(operations: readonly Operation[], write: Write, parameter: (one: Parameter) => Schema): Schema {
  const paths: Record<string, Schema> = {};
  for (const [path, here] of Map.groupBy(operations, (one) => one.path)) {
    const keyOf = (one: Parameter) => `${one.name} ${one.in}`;
    const isCommon = (one: Parameter) =>
      here.every(({ parameters }) => parameters.some((other) => keyOf(other) === keyOf(one)));
    const common = here[0]!.parameters.filter(isCommon);
    const written = (list: readonly Parameter[]) => list.toSorted(byNameAndPlace).map(parameter);
    const item: Schema = common.length === 0 ? {} : { parameters: written(common) };
    for (const one of here) item[one.method] = write(one, written(one.parameters.filter((each) => !isCommon(each))));
    paths[path] = item;
  }
  return sorted(paths);
}

const byNameAndPlace = (a: Parameter, b: Parameter): number =>
  a.name === b.name ? (a.in < b.in ? -1 : 1) : a.name < b.name ? -1 : 1;

const uniqueItems = true;

const parameterThree = ({ name, in: place, description, type }: Parameter): Schema => ({
  name,
  in: place,
  description,
  ...(place === "path" ? { required: true } : {}),
  schema: { type, uniqueItems },
});

const parameterTwo = ({ name, in: place, description, type }: Parameter): Schema => ({
  uniqueItems,
  type,
  description,
  name,
  in: place,
  ...(place === "path" ? { required: true } : {}),
});

const meanings: Readonly<Record<string, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };

const schemaOf = (type: string, root: string): Schema => (type === "string" ? { type } : { $ref: `#/${root}/${type}` });

const about = ({ action, kind }: Operation): Schema =>
  action === undefined ? {} : { "x-kubernetes-action": action, "x-kubernetes-group-version-kind": kind };

const responsesOf = (answers: Operation["answers"], write: (type: string) => Schema): Schema => ({
  ...Object.fromEntries(
    Object.entries(answers).map(([code, type]) => [code, { description: meanings[code], ...write(type) }]),
  ),
  401: { description: "Unauthorized" },
});

function operationThree(operation: Operation, parameters: Schema[]): Schema {
  const { tags, description, operationId, body, answers, consumes, produces } = operation;
  const content = (types: readonly string[], type: string) => ({
    content: Object.fromEntries(
      [...types].sort().map((mime) => [mime, { schema: schemaOf(type, "components/schemas") }]),
    ),
  });
  return {
    tags,
    description,
    operationId,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { ...content(consumes, body.type), ...(body.isRequired ? { required: true } : {}) } }),
    responses: responsesOf(answers, (type) => content(produces, type)),
    ...about(operation),
  };
}

function operationTwo(operation: Operation, own: Schema[], shared: SharedParameters): Schema {
  const { description, consumes, produces, tags, operationId, body, answers } = operation;
  const bodyParameter =
    body === undefined
      ? []
      : [
          shared.refer({
            name: "body",
            in: "body",
            ...(body.isRequired ? { required: true } : {}),
            schema: schemaOf(body.type, "definitions"),
          }),
        ];
  const parameters = [...bodyParameter, ...own];
  return {
    description,
    consumes,
    produces,
    schemes: ["https"],
    tags,
    operationId,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: responsesOf(answers, (type) => ({ schema: schemaOf(type, "definitions") })),
    ...about(operation),
  };
}
