/** The expressions of admission policies as programs. Upstream: apiserver/pkg/admission/plugin/cel. */
import { authorizerFunctions, authorizerType, resourceCheckType } from "#api/cel/authorizer-library.ts";
import { type Functions, functionsOf } from "#api/cel/functions.ts";
import { type CelProgram, compileCel } from "#api/cel/program.ts";
import { type CelType, listOf, mapOf, types } from "#api/cel/types.ts";

const object = (name: string, fields: Readonly<Record<string, CelType>>): CelType => ({
  kind: "object",
  name,
  fields: new Map(Object.entries(fields)),
});
const { string, bool, dyn } = types;
const kind = (version: string) =>
  object(`kubernetes.GroupVersion${version}`, { group: string, version: string, [version.toLowerCase()]: string });

const requestType = object("kubernetes.AdmissionRequest", {
  kind: kind("Kind"),
  resource: kind("Resource"),
  subResource: string,
  requestKind: kind("Kind"),
  requestResource: kind("Resource"),
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo: object("kubernetes.UserInfo", {
    username: string,
    uid: string,
    groups: listOf(string),
    extra: mapOf(string, listOf(string)),
  }),
  dryRun: bool,
  options: dyn,
});

const namespaceType = object("kubernetes.Namespace", {
  metadata: object("kubernetes.NamespaceMetadata", {
    name: string,
    generateName: string,
    namespace: string,
    labels: mapOf(string, string),
    annotations: mapOf(string, string),
    UID: string,
    creationTimestamp: types.timestamp,
    deletionGracePeriodSeconds: types.int,
    deletionTimestamp: types.timestamp,
    generation: types.int,
    resourceVersion: string,
    finalizers: listOf(string),
  }),
  spec: object("kubernetes.NamespaceSpec", { finalizers: listOf(string) }),
  status: object("kubernetes.NamespaceStatus", { phase: string }),
});

export const policyTypes = { request: requestType, namespace: namespaceType };

export interface PolicyEnvironment {
  /** Messages may not ask for rights. */
  hasAuthorizer?: boolean;
  /** It makes objects and patches. */
  isMutation?: boolean;
  hasParams: boolean;
  /** Those that came before. */
  variables?: ReadonlyMap<string, CelType>;
  /** Of the object at hand, where it is known beforehand. */
  object?: CelType;
  /** Of the parameters, likewise. */
  params?: CelType;
}

const patchType = object("JSONPatch", { op: string, path: string, from: string, value: dyn });

/** "Object", "Object.spec.template": parts of what is applied, of whatever fields. */
function mutationStruct(name: string): CelType | undefined {
  if (name === "JSONPatch") return patchType;
  return /^Object(\.|$)/.test(name) ? { kind: "object", name } : undefined;
}

const escapeKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
const mutationFunctions: Functions = new Map([
  ...authorizerFunctions,
  ...functionsOf([["::jsonpatch.escapeKey(string): string", escapeKey]]),
]);

/** Throws CelCompileError. */
export function compilePolicy(
  expression: string,
  {
    hasParams,
    variables,
    hasAuthorizer = true,
    isMutation = false,
    object: given = dyn,
    params = dyn,
  }: PolicyEnvironment,
): CelProgram {
  const known = new Map<string, CelType>([
    ["object", given],
    ["oldObject", given],
    ["request", requestType],
    ["namespaceObject", { ...namespaceType, isNullable: true }],
    ...(hasAuthorizer
      ? ([
          ["authorizer", authorizerType],
          ["authorizer.requestResource", resourceCheckType],
        ] as const)
      : []),
    ...(hasParams ? ([["params", params]] as const) : []),
    ...(variables === undefined
      ? []
      : ([["variables", { kind: "object", name: "kubernetes.variables", fields: variables }]] as const)),
  ]);
  return compileCel(expression, known, {
    functions: isMutation ? mutationFunctions : authorizerFunctions,
    ...(isMutation ? { structs: mutationStruct } : {}),
  });
}
