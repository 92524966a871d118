/** Carries out the CEL rules of a schema over an object. Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go. */
import { deepEqual } from "#api/apply/typed.ts";
import type { CelType } from "#api/cel/types.ts";
import { CelError, Optional, none, valueOf } from "#api/cel/value.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, invalidTogether, required } from "#api/validation/field-errors.ts";
import { correlatedItem } from "./correlate.ts";
import type { JsonSchema } from "./json-schema.ts";
import { type RuleProgram, programsOf } from "./rule-program.ts";
import { pathSteps } from "./rule-rules.ts";

export interface RuleOutcome {
  errors: FieldError[];
  /** Faults that were there before and are not what was changed. */
  warnings: FieldError[];
}

/** Longer messages are not taken. */
const messageCharactersMax = 5 * 1024;

/** `isResource` false: the value is a part of an object. */
export function ruleOutcome(object: unknown, old: unknown, schema: JsonSchema, isResource = true): RuleOutcome {
  const outcome: RuleOutcome = { errors: [], warnings: [] };
  if (hasRules(schema)) visit(object, old, schema, "", isResource, outcome);
  return outcome;
}

const withRules = new WeakMap<JsonSchema, boolean>();

/** Whether there is any rule in or below a schema. */
export function hasRules(schema: JsonSchema): boolean {
  let has = withRules.get(schema);
  if (has === undefined) {
    const { properties = {}, items, additionalProperties } = schema;
    has =
      (schema["x-kubernetes-validations"] ?? []).length > 0 ||
      Object.values(properties).some(hasRules) ||
      (items !== undefined && !Array.isArray(items) && hasRules(items)) ||
      (typeof additionalProperties === "object" && hasRules(additionalProperties));
    withRules.set(schema, has);
  }
  return has;
}

function visit(
  value: unknown,
  old: unknown,
  schema: JsonSchema,
  path: string,
  isRoot: boolean,
  outcome: RuleOutcome,
): void {
  if (!hasRules(schema) || value === undefined) return;
  if (value === null && schema.nullable === true) return;
  if ((schema["x-kubernetes-validations"] ?? []).length > 0) applyAll(value, old, schema, path, isRoot, outcome);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      if (schema.items !== undefined)
        visit(item, correlatedItem(item, schema, old), schema.items, `${path}[${index}]`, false, outcome);
    return;
  }
  if (value === null || typeof value !== "object" || value instanceof Number) return;
  const { properties = {}, additionalProperties } = schema;
  for (const [name, inner] of Object.entries(value)) {
    const before = old !== null && typeof old === "object" ? (old as Record<string, unknown>)[name] : undefined;
    if (Object.hasOwn(properties, name))
      visit(inner, before, properties[name]!, path === "" ? name : `${path}.${name}`, false, outcome);
    else if (typeof additionalProperties === "object")
      visit(inner, before, additionalProperties, `${path}[${name}]`, false, outcome);
  }
}

function applyAll(
  value: unknown,
  old: unknown,
  schema: JsonSchema,
  path: string,
  isRoot: boolean,
  outcome: RuleOutcome,
): void {
  const isResource = isRoot || schema["x-kubernetes-embedded-resource"] === true;
  const { type, rules } = programsOf(schema, isResource);
  const isUnchanged = old !== undefined && deepEqual(old, value);
  for (const rule of rules) {
    const error = fault(rule, value, old, schema, type, path);
    if (error === undefined) continue;
    if (isUnchanged && !rule.usesOldSelf) outcome.warnings.push(error);
    else outcome.errors.push(error);
  }
}

/** undefined: the rule holds, or is none of this update's. */
function fault(
  program: RuleProgram,
  value: unknown,
  old: unknown,
  schema: JsonSchema,
  type: CelType | undefined,
  path: string,
): FieldError | undefined {
  const { rule, usesOldSelf } = program;
  if (program.program === undefined)
    return invalid(fieldOf(path), schema.type ?? "", `rule compile error: ${program.fault}`);
  if (usesOldSelf && rule.optionalOldSelf !== true && old === undefined) return undefined;
  const variables = new Map<string, unknown>([
    ["self", valueOf(value, type)],
    ["oldSelf", oldSelf(old, type, rule.optionalOldSelf === true)],
  ]);
  try {
    if (program.program.run(variables) === true) return undefined;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return invalid(
      fieldOf(path),
      schema.type ?? "",
      `${error.message} evaluating rule: ${rule.message?.trim() || rule.rule}`,
    );
  }
  return failed(program, messageOf(program, variables), value, schema, path);
}

function oldSelf(old: unknown, type: CelType | undefined, isOptional: boolean): unknown {
  if (!isOptional) return old === undefined ? null : valueOf(old, type);
  return old === undefined ? none : new Optional(true, valueOf(old, type));
}

function messageOf({ rule, message }: RuleProgram, variables: ReadonlyMap<string, unknown>): string {
  const plain = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`;
  if (message === undefined) return plain;
  try {
    const text = message.run(variables);
    const isFit = typeof text === "string" && text.trim() !== "" && !/[\r\n]/.test(text.trim());
    return isFit && text.length <= messageCharactersMax ? text.trim() : plain;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return plain;
  }
}

const fieldOf = (path: string): string => (path === "" ? "<nil>" : path);

function failed({ rule }: RuleProgram, message: string, value: unknown, schema: JsonSchema, path: string): FieldError {
  const field = fieldOf(placeOf(rule.fieldPath ?? "", schema, path));
  switch (rule.reason) {
    case "FieldValueRequired":
      return required(field, message);
    case "FieldValueForbidden":
      return forbidden(field, message);
    case "FieldValueDuplicate":
      return { field, type: "FieldValueDuplicate", message: "Duplicate value" };
    default:
      return value === null || typeof value === "object"
        ? invalidTogether(field, message)
        : invalid(field, value, message);
  }
}

/** Fields as ".name", keys of maps as "[name]". */
function placeOf(fieldPath: string, schema: JsonSchema, path: string): string {
  let at: JsonSchema | undefined = schema;
  let place = path;
  for (const step of fieldPath === "" ? [] : (pathSteps(fieldPath, schema) ?? [])) {
    const isField: boolean = Object.hasOwn(at?.properties ?? {}, step);
    place = isField ? (place === "" ? step : `${place}.${step}`) : `${place}[${step}]`;
    const values: JsonSchema["additionalProperties"] = at?.additionalProperties;
    at = isField ? at?.properties?.[step] : typeof values === "object" ? values : undefined;
  }
  return place;
}
