/** The rules of ingress classes. Upstream: ValidateIngressClass, ValidateIngressClassUpdate. */
import type { V1IngressClass, V1IngressClassParametersReference } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { forbidden, notSupported, required, tooLong } from "#api/validation/field-errors.ts";
import { domainPrefixedPathErrors } from "#api/validation/formats.ts";
import { dnsLabel, immutable } from "#api/validation/values.ts";
import { objectReferenceErrors } from "./object-reference.ts";

const controllerBytesMax = 250;
const scopes = ["Cluster", "Namespace"];

export function ingressClassErrors({ spec }: V1IngressClass, old: V1IngressClass | undefined): FieldError[] {
  const { controller = "", parameters } = spec ?? {};
  const field = "spec.controller";
  const errors = old === undefined ? [] : immutable(field, controller, old.spec?.controller ?? "");
  if (controller === "") errors.push(required(field));
  else if (isLongerThan(controller, controllerBytesMax)) errors.push(tooLong(field, controllerBytesMax));
  if (controller !== "") errors.push(...domainPrefixedPathErrors(field, controller));
  return parameters === undefined ? errors : [...errors, ...parametersErrors(parameters)];
}

function parametersErrors(parameters: V1IngressClassParametersReference): FieldError[] {
  const path = "spec.parameters";
  const { scope, namespace } = parameters;
  const errors = objectReferenceErrors(parameters, path);
  if (scope === undefined) return [...errors, required(`${path}.scope`)];
  if (!scopes.includes(scope)) return [...errors, notSupported(`${path}.scope`, scope, scopes)];
  const field = `${path}.namespace`;
  if (scope === "Cluster")
    return namespace === undefined ? errors : [...errors, forbidden(field, "`parameters.scope` is set to 'Cluster'")];
  if (namespace === undefined) return [...errors, required(field, "`parameters.scope` is set to 'Namespace'")];
  return [...errors, ...dnsLabel(field, namespace)];
}
