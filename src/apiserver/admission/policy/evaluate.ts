/** One policy against one request: what its conditions and validations say. Upstream: plugin/policy/validating/validator.go. */
import { compilePolicy, policyTypes } from "#api/admissionregistration/policy-program.ts";
import { AuthorizerValue, ResourceCheck } from "#api/cel/authorizer-library.ts";
import type { CelMeter } from "#api/cel/evaluate.ts";
import { CelCompileError, type CelProgram } from "#api/cel/program.ts";
import { conditionsCostMax, requestCostMax } from "#api/cel/runtime-cost.ts";
import type { CelType } from "#api/cel/types.ts";
import { CelError, type StructValue, jsonOf, valueOf } from "#api/cel/value.ts";
import { isLongerThan } from "#api/go-text.ts";
import type { KubernetesObject } from "#api/object.ts";
import { aggregateText } from "#api/validation/field-errors.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import type { User } from "#apiserver/request.ts";
import { objectAt } from "#apiserver/admission/lookup.ts";
import { typeNameFault } from "./type-names.ts";
import { type AdmissionView, namespaceNameOf, requestOf } from "./view.ts";
import { isNamespace } from "./match.ts";

export interface PolicyValidation {
  expression: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
}

export interface PolicySpec {
  paramKind?: { apiVersion?: string; kind?: string };
  failurePolicy?: string;
  matchConditions?: readonly { name: string; expression: string }[];
  variables?: readonly { name: string; expression: string }[];
  validations?: readonly PolicyValidation[];
  auditAnnotations?: readonly { key: string; valueExpression: string }[];
}

export interface Denial {
  message: string;
  reason: string;
}

export interface Judgement {
  /** What validations refuse: what becomes of it is the binding's to say. */
  denials: Denial[];
  /** Annotations for an audit log that could not be made: they refuse in any case. */
  faults: Denial[];
}

type Values = ReadonlyMap<string, unknown>;

/** A policy's programs are made when it is first used, and once. */
const programs = new WeakMap<object, Map<string, CelProgram | Error>>();

function programOf(
  spec: PolicySpec,
  expression: string,
  variables?: ReadonlyMap<string, CelType>,
  isMutation = false,
): CelProgram {
  let known = programs.get(spec);
  if (known === undefined) programs.set(spec, (known = new Map()));
  let program = known.get(expression);
  if (program === undefined) {
    try {
      const hasParams = spec.paramKind !== undefined;
      program = compilePolicy(expression, { hasParams, isMutation, ...(variables && { variables }) });
    } catch (error) {
      if (!(error instanceof CelCompileError)) throw error;
      program = new CelError(`compilation error: compilation failed: ${error.message}`);
    }
    known.set(expression, program);
  }
  if (program instanceof Error) throw program;
  return program;
}

/** What expressions may cost together; variables are paid for by the expression that first asks for them. */
class Budget {
  readonly variables: CelMeter = { cost: 0 };
  #left: number;

  constructor(most: number) {
    this.#left = most;
  }

  /** Throws CelError, and OutOfBudget when nothing is left for what the expression has cost. */
  run(program: CelProgram, values: Values): unknown {
    const meter = { cost: 0 };
    const ofVariables = this.variables.cost;
    const pay = () => {
      this.#left -= meter.cost + this.variables.cost - ofVariables;
      if (this.#left < 0) throw new OutOfBudget();
    };
    try {
      const value = program.run(values, meter);
      pay();
      return value;
    } catch (error) {
      if (error instanceof CelError) pay();
      throw error;
    }
  }
}

class OutOfBudget extends Error {
  constructor(prefix = "") {
    super(`${prefix}validation failed due to running out of cost budget, no further validation rules will be run`);
  }
}

export function judge(spec: PolicySpec, view: AdmissionView, params: KubernetesObject | null): Judgement {
  const fails = spec.failurePolicy !== "Ignore";
  const budget = new Budget(requestCostMax);
  const { values, types } = withVariables(spec, valuesOf(view, params), budget.variables);
  const conditions = conditionsOf(spec, values);
  if (conditions === "no") return { denials: [], faults: [] };
  if (conditions !== "yes") return { denials: fails ? [conditions] : [], faults: [] };
  const denials = denialsOf(spec, values, types, budget);
  return { denials, faults: fails ? annotationFaults(spec, values, types) : [] };
}

function denialsOf(spec: PolicySpec, values: Values, types: ReadonlyMap<string, CelType>, budget: Budget): Denial[] {
  const fails = spec.failurePolicy !== "Ignore";
  try {
    return (spec.validations ?? []).flatMap((validation) => {
      try {
        if (budget.run(programOf(spec, validation.expression, types), values) === true) return [];
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        return fails ? [failureOf(validation.expression, error)] : [];
      }
      return [{ message: messageOf(spec, validation, values, types, budget), reason: validation.reason ?? "Invalid" }];
    });
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error;
    return fails ? [{ message: error.message, reason: "Invalid" }] : [];
  }
}

/** There is no audit log yet: what is left of its annotations is that they can be made. */
function annotationFaults(spec: PolicySpec, values: Values, types: ReadonlyMap<string, CelType>): Denial[] {
  return (spec.auditAnnotations ?? []).flatMap(({ valueExpression }) => {
    try {
      programOf(spec, valueExpression, types).run(values);
      return [];
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      return [failureOf(valueExpression, error)];
    }
  });
}

/** What an expression of a mutation makes, or why it does not. */
export function mutationOf(
  spec: PolicySpec,
  expression: string,
  view: AdmissionView,
  params: KubernetesObject | null,
): { value: unknown } | Denial {
  const budget = new Budget(requestCostMax);
  const { values, types } = withVariables(spec, valuesOf(view, params), budget.variables);
  try {
    const made = budget.run(programOf(spec, expression, types, true), values);
    // Of a patch, what it sets; of what is applied, all.
    const parts = Array.isArray(made) ? made.map((operation) => (operation as StructValue).get("value")) : [made];
    const message = parts.map(typeNameFault).find((fault) => fault !== undefined);
    return message === undefined ? { value: jsonOf(made) } : { message, reason: "Invalid" };
  } catch (error) {
    if (error instanceof OutOfBudget) return { message: error.message, reason: "Invalid" };
    if (!(error instanceof CelError)) throw error;
    return failureOf(expression, error);
  }
}

const failureOf = (expression: string, error: CelError): Denial => ({
  message: `expression '${expression.trim()}' resulted in error: ${error.message}`,
  reason: "Invalid",
});

/** Whether conditions let a request through to whoever has them. */
export const conditionsOfView = (
  spec: Pick<PolicySpec, "matchConditions">,
  view: AdmissionView,
  params: KubernetesObject | null = null,
): "yes" | "no" | Denial => conditionsOf(spec, valuesOf(view, params));

/** Errors count only where no other condition says no. */
function conditionsOf(spec: PolicySpec, values: Values): "yes" | "no" | Denial {
  const failures: string[] = [];
  const budget = new Budget(conditionsCostMax);
  for (const { expression } of spec.matchConditions ?? []) {
    try {
      if (budget.run(programOf(spec, expression), values) !== true) return "no";
    } catch (error) {
      if (error instanceof OutOfBudget) return { message: error.message, reason: "Invalid" };
      if (!(error instanceof CelError)) throw error;
      failures.push(failureOf(expression, error).message);
    }
  }
  return failures.length === 0 ? "yes" : { message: aggregateText(failures), reason: "Invalid" };
}

/** Texts that expressions make are told if they are no longer. */
const messageBytesMax = 5 * 1024;

function messageOf(
  spec: PolicySpec,
  { expression, message, messageExpression }: PolicyValidation,
  values: Values,
  types: ReadonlyMap<string, CelType>,
  budget: Budget,
): string {
  const plain = message?.trim() || `failed expression: ${expression.trim()}`;
  if (messageExpression === undefined || messageExpression === "") return plain;
  try {
    const made = budget.run(programOf(spec, messageExpression, types), values);
    const text = typeof made === "string" ? made.trim() : "";
    return text === "" || text.includes("\n") || isLongerThan(text, messageBytesMax) ? plain : text;
  } catch (error) {
    if (error instanceof OutOfBudget) throw new OutOfBudget("failed messageExpression: ");
    if (!(error instanceof CelError)) throw error;
    return plain;
  }
}

/** Each is worked out when it is first asked for, from those before it. */
function withVariables(
  spec: PolicySpec,
  base: Values,
  meter?: CelMeter,
): { values: Values; types: ReadonlyMap<string, CelType> } {
  const types = new Map<string, CelType>();
  const lazy = new LazyMap();
  const values = new Map(base).set("variables", lazy);
  for (const { name, expression } of spec.variables ?? []) {
    const before = new Map(types);
    try {
      types.set(name, programOf(spec, expression, before).type);
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      types.set(name, { kind: "dyn" });
    }
    lazy.define(name, () => valueOfVariable(name, () => programOf(spec, expression, before).run(values, meter)));
  }
  return { values, types };
}

function valueOfVariable(name: string, run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    throw new CelError(`composited variable "${name}" fails to evaluate: ${error.message}`);
  }
}

class LazyMap extends Map<unknown, unknown> {
  readonly #waiting = new Map<unknown, () => unknown>();

  define(name: string, make: () => unknown): void {
    this.#waiting.set(name, make);
  }

  override has(name: unknown): boolean {
    return super.has(name) || this.#waiting.has(name);
  }

  override get(name: unknown): unknown {
    const make = super.has(name) ? undefined : this.#waiting.get(name);
    if (make !== undefined) super.set(name, make());
    return super.get(name);
  }
}

function valuesOf(view: AdmissionView, params: KubernetesObject | null): Values {
  const { request, object, old } = view;
  const namespace = namespaceOf(request);
  const seen = (one: KubernetesObject | undefined) => (one === undefined ? null : valueOf(one, undefined));
  return new Map<string, unknown>([
    ["object", () => seen(object)],
    ["oldObject", () => seen(old)],
    // Its fields have the names that they are declared with; those of a typed object would be escaped.
    ["request", () => valueOf(requestOf(view), undefined)],
    ["namespaceObject", () => (namespace === undefined ? null : valueOf(namespace, policyTypes.namespace))],
    ["authorizer", () => authorizerOf(request)],
    ["authorizer.requestResource", () => requestResource(request)],
    ["params", () => (params === null ? null : seen(params))],
  ]);
}

/** Of what is in a namespace. */
function namespaceOf(request: AdmissionRequest): KubernetesObject | undefined {
  if (isNamespace(request) || request.namespace === "") return undefined;
  return objectAt(request.services, "/registry/core/namespaces/", request.namespace);
}

function authorizerOf({ services, user }: AdmissionRequest): AuthorizerValue {
  return new AuthorizerValue(({ serviceAccount, path, verb, ...place }) => {
    const who = serviceAccount === undefined ? user : accountUser(serviceAccount);
    const { labelSelector: _, fieldSelector, ...where } = place;
    return services.authorizer.authorize({
      ...where,
      user: who,
      verb,
      version: "*",
      isResource: path === undefined,
      path: path ?? "",
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    });
  });
}

const accountUser = ({ namespace, name }: { namespace: string; name: string }): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
});

function requestResource(request: AdmissionRequest): ResourceCheck {
  const { resource, subresource, name } = request;
  const namespace = namespaceNameOf(request);
  const place = { group: resource.group, resource: resource.plural, subresource, namespace, name };
  return new ResourceCheck(authorizerOf(request), place);
}
