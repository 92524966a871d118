/** Operations of subresources that are no objects: logs, streams, proxies. Upstream: endpoints/installer.go, CONNECT. */
import { connectOptions } from "./connect-options.ts";
import type { GroupVersionKind } from "./kinds.ts";
import { anyType, type Method, naming, objectTypes, type Operation } from "./operation.ts";
import { pathToResource, pretty } from "./parameters.ts";
import { pathParameters, placesOf, type ResourceFacts } from "./resource-operations.ts";

const methodsOf: Readonly<Record<string, Method>> = {
  create: "post",
  delete: "delete",
  get: "get",
  patch: "patch",
  update: "put",
};

/** A proxy takes any method, with or without a path behind it; a stream is asked for by GET or POST. */
export function connectOperations(
  resource: ResourceFacts,
  part: string,
  options: GroupVersionKind,
  verbs: readonly string[],
): Operation[] {
  const known = verbs.flatMap((verb) => methodsOf[verb] ?? []);
  if (part !== "proxy") return known.map((method) => connect(resource, part, options, method, false));
  const methods: Method[] = [...known, "head", "options"];
  return [false, true].flatMap((hasPath) => methods.map((method) => connect(resource, part, options, method, hasPath)));
}

function connect(
  resource: ResourceFacts,
  part: string,
  options: GroupVersionKind,
  method: Method,
  hasPath: boolean,
): Operation {
  const { item, prefix } = placesOf(resource);
  const path = `${item}/${part}${hasPath ? "/{path}" : ""}`;
  const word = method.charAt(0).toUpperCase() + method.slice(1);
  const title = part.charAt(0).toUpperCase() + part.slice(1);
  return {
    path,
    method,
    action: "connect",
    kind: options,
    description: `connect ${method.toUpperCase()} requests to ${part} of ${resource.kind}`,
    ...naming(path, "connect", `${word}${prefix}${resource.kind}${title}${hasPath ? "WithPath" : ""}`),
    parameters: [
      ...connectOptions(options.kind),
      ...pathParameters(path, options.kind),
      ...(hasPath ? [pathToResource] : []),
    ],
    consumes: anyType,
    produces: anyType,
    answers: { 200: "string" },
  };
}

export function logOperation(resource: ResourceFacts): Operation {
  const { item, prefix } = placesOf(resource);
  const path = `${item}/log`;
  const { group, kind, version } = resource;
  return {
    path,
    method: "get",
    action: "get",
    kind: { group, kind, version },
    description: `read log of the specified ${kind}`,
    ...naming(path, "read", `${prefix}${kind}Log`),
    parameters: [...connectOptions("PodLogOptions"), ...pretty, ...pathParameters(path, kind)],
    consumes: anyType,
    produces: ["text/plain", ...objectTypes],
    answers: { 200: "string" },
  };
}
