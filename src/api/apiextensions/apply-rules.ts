/** Carries out the CEL rules of a schema over an object. Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go. */
import { requestCostMax } from "#api/cel/runtime-cost.ts";
import type { CelType } from "#api/cel/types.ts";
import { CelError, Optional, none, valueOf } from "#api/cel/value.ts";
import type { FieldError } from "#api/field-error.ts";
import { goQuote, isLongerThan } from "#api/go-text.ts";
import { duplicate, forbidden, invalid, invalidTogether, required } from "#api/validation/field-errors.ts";
import { correlatedItem, isUnchanged } from "./correlate.ts";
import { fieldPathIn } from "./field-path.ts";
import type { JsonSchema, ValidationRule } from "./json-schema.ts";
import { markedSomewhere } from "./schema-mark.ts";
import { type RuleProgram, programsOf } from "./rule-program.ts";

export interface RuleOutcome {
  errors: FieldError[];
  /** Faults that were there before and are not what was changed. */
  warnings: FieldError[];
}

/** Longer messages are not taken. */
const messageBytesMax = 5 * 1024;

/** What has been found so far, and what the rules that are left may still cost; below zero none is run any more. */
interface Running extends RuleOutcome {
  budget: number;
}

/** `isResource` false: the value is a part of an object. `budget`: what all rules together may cost. */
export function ruleOutcome(
  object: unknown,
  old: unknown,
  schema: JsonSchema,
  isResource = true,
  budget = requestCostMax,
): RuleOutcome {
  const outcome: Running = { errors: [], warnings: [], budget };
  const kept: Kept = { current: old === undefined ? undefined : { value: object, old, schema }, parent: undefined };
  if (hasRules(schema)) visit({ value: object, old, schema, path: "", isResource, kept }, outcome);
  const { errors, warnings } = outcome;
  return { errors, warnings };
}

/** What an update leaves as it was is not held against it: a value, or where it has no old one, what it is in. */
interface Kept {
  current: Pair | undefined;
  parent: Pair | undefined;
}

interface Pair {
  value: unknown;
  old: unknown;
  schema: JsonSchema;
}

function isKept({ current, parent }: Kept): boolean {
  const pair = current ?? parent;
  return pair !== undefined && pair.old !== undefined && isUnchanged(pair.value, pair.old, pair.schema);
}

const below = (kept: Kept, child: Pair | undefined): Kept =>
  kept.current === undefined ? kept : { current: child, parent: kept.current };

function keptField(kept: Kept, name: string, schema: JsonSchema): Kept {
  // These are of the version asked for, in both objects.
  if (kept.current !== undefined && kept.parent === undefined && (name === "apiVersion" || name === "kind"))
    return { current: undefined, parent: undefined };
  const { value, old } = kept.current ?? {};
  const isPair = isObject(value) && isObject(old);
  return below(kept, isPair ? { value: value[name], old: old[name], schema } : undefined);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Number);

/** A value that rules are about. */
interface Place {
  value: unknown;
  /** The value that it takes the place of. */
  old: unknown;
  schema: JsonSchema;
  path: string;
  isResource: boolean;
  kept: Kept;
}

/** Whether there is any rule in or below a schema. */
export const hasRules = markedSomewhere((schema) => (schema["x-kubernetes-validations"] ?? []).length > 0);

function visit(place: Place, outcome: Running): void {
  const { value, schema } = place;
  if (outcome.budget < 0 || !hasRules(schema) || value === undefined || value === null) return;
  if ((schema["x-kubernetes-validations"] ?? []).length > 0) applyAll(place, outcome);
  if (Array.isArray(value)) visitItems(place, value, outcome);
  else if (isObject(value)) visitFields(place, value, outcome);
}

function visitItems({ old, schema, path, kept }: Place, list: readonly unknown[], outcome: Running): void {
  const { items } = schema;
  if (items === undefined || Array.isArray(items)) return;
  // A list that was stored before its field became an object: rules for its items have no type.
  if (schema.type !== "array") {
    if ((items["x-kubernetes-validations"] ?? []).length === 0) return;
    const errors = list.map((_, index) => invalid(`${path}[${index}]`, items.type ?? "", untyped));
    outcome.errors.push(...errors);
    return;
  }
  const isResource = items["x-kubernetes-embedded-resource"] === true;
  for (const [index, value] of list.entries()) {
    const before = correlatedItem(value, schema, old);
    const keptItem = below(kept, before === undefined ? undefined : { value, old: before, schema: items });
    visit({ value, old: before, schema: items, path: `${path}[${index}]`, isResource, kept: keptItem }, outcome);
  }
}

const untyped = "rule compiler initialization error: Failed to convert to declType for CEL validation rules";

function visitFields({ old, schema, path, kept }: Place, object: Record<string, unknown>, outcome: Running): void {
  const { properties = {}, additionalProperties } = schema;
  for (const [name, value] of Object.entries(object)) {
    const isField = Object.hasOwn(properties, name);
    const inner = isField ? properties[name]! : additionalProperties;
    if (typeof inner !== "object") continue;
    const at = isField ? (path === "" ? name : `${path}.${name}`) : `${path}[${name}]`;
    const isResource = inner["x-kubernetes-embedded-resource"] === true;
    const before = isObject(old) ? old[name] : undefined;
    visit({ value, old: before, schema: inner, path: at, isResource, kept: keptField(kept, name, inner) }, outcome);
  }
}

function applyAll(place: Place, outcome: Running): void {
  const { type, rules } = programsOf(place.schema, place.isResource);
  if (outcome.budget === 0) {
    outcome.errors.push(invalid(fieldOf(place.path), place.schema.type ?? "", outOfBudget));
    outcome.budget = -1;
  }
  for (const program of rules) {
    if (outcome.budget < 0) return;
    const found = ruleError(program, type, place, outcome.budget);
    if (found === undefined) continue;
    outcome.budget -= found.cost;
    if (found.error === undefined) continue;
    if (found.isLast === true) outcome.budget = -1;
    if (found.isFault !== true && !program.usesOldSelf && isKept(place.kept)) outcome.warnings.push(found.error);
    else outcome.errors.push(found.error);
  }
}

const outOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run";
const tooCostly = "operation cancelled: actual cost limit exceeded";

interface Found {
  cost: number;
  /** undefined: the rule holds. */
  error?: FieldError;
  /** It cannot be told whether it holds. */
  isFault?: boolean;
  /** No other rule is run. */
  isLast?: boolean;
}

/** undefined: the rule is none of this update's. */
function ruleError(program: RuleProgram, type: CelType | undefined, place: Place, budget: number): Found | undefined {
  const { value, old, schema, path } = place;
  const { rule, usesOldSelf } = program;
  const meter = { cost: 0 };
  const fault = (text: string, isLast = false): Found => {
    return { cost: meter.cost, error: invalid(fieldOf(path), schema.type ?? "", text), isFault: true, isLast };
  };
  if (program.program === undefined) return fault(`rule compile error: ${program.fault}`);
  const before = old ?? undefined;
  if (usesOldSelf && rule.optionalOldSelf !== true && before === undefined) return undefined;
  const variables = new Map<string, unknown>([
    ["self", valueOf(value, type)],
    ["oldSelf", oldSelf(before, type, rule.optionalOldSelf === true)],
  ]);
  try {
    const holds = program.program.run(variables, meter);
    if (meter.cost > budget) return fault(outOfBudget, true);
    if (holds === true) return { cost: meter.cost };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    if (meter.cost > budget) return fault(outOfBudget, true);
    return fault(faultText(error.message, rule), error.message.startsWith(tooCostly));
  }
  return broken(program, variables, place, meter.cost, budget);
}

/** What a rule that does not hold says. */
function broken(
  program: RuleProgram,
  variables: ReadonlyMap<string, unknown>,
  { value, schema, path }: Place,
  spent: number,
  budget: number,
): Found {
  const { text, cost, fault } = messageOf(program, variables, budget - spent);
  if (fault === undefined) return { cost: spent + cost, error: failed(program, text, value, schema, path) };
  const at = placeOf(program.rule.fieldPath ?? "", schema, path);
  return { cost: spent + cost, error: invalid(fieldOf(at), schema.type ?? "", fault), isLast: true };
}

function faultText(text: string, rule: ValidationRule): string {
  const shown = rule.message?.trim() || rule.rule.trim();
  if (text.startsWith("no such overload"))
    return `'${text}': call arguments did not match a supported operator, function or macro signature for rule: ${shown}`;
  if (text.startsWith(tooCostly))
    return `'${text}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown}`;
  return `${text} evaluating rule: ${shown}`;
}

function oldSelf(old: unknown, type: CelType | undefined, isOptional: boolean): unknown {
  if (!isOptional) return old === undefined ? null : valueOf(old, type);
  return old === undefined ? none : new Optional(true, valueOf(old, type));
}

/** `fault`: why no rule is run any more. */
function messageOf(
  { rule, message }: RuleProgram,
  variables: ReadonlyMap<string, unknown>,
  budget: number,
): { text: string; cost: number; fault?: string } {
  const plain = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`;
  if (message === undefined) return { text: plain, cost: 0 };
  const meter = { cost: 0 };
  const none = "no further validation rules will be run";
  let text = "";
  let isTooCostly = false;
  try {
    const found = message.run(variables, meter);
    if (typeof found === "string") text = found.trim();
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    isTooCostly = error.message.startsWith(tooCostly);
  }
  const { cost } = meter;
  if (cost > budget)
    return { text, cost, fault: `messageExpression evaluation failed due to running out of cost budget, ${none}` };
  if (isTooCostly) {
    const source = goQuote(rule.messageExpression ?? "");
    return { text, cost, fault: `${none} due to call cost exceeds limit for messageExpression: ${source}` };
  }
  const isTold = text !== "" && !text.includes("\n") && !isLongerThan(text, messageBytesMax);
  return { text: isTold ? text : plain, cost };
}

const fieldOf = (path: string): string => (path === "" ? "<nil>" : path);

function failed({ rule }: RuleProgram, message: string, value: unknown, schema: JsonSchema, path: string): FieldError {
  const field = fieldOf(placeOf(rule.fieldPath ?? "", schema, path));
  const isShown = schema.type !== "object" && schema.type !== "array";
  switch (rule.reason) {
    case "FieldValueRequired":
      return required(field, message);
    case "FieldValueForbidden":
      return forbidden(field, message);
    case "FieldValueDuplicate":
      return isShown ? duplicate(field, value) : { field, type: "FieldValueDuplicate", message: "Duplicate value" };
    default:
      return isShown ? invalid(field, value, message) : invalidTogether(field, message);
  }
}

function placeOf(fieldPath: string, schema: JsonSchema, path: string): string {
  const found = fieldPath === "" ? undefined : fieldPathIn(fieldPath, schema);
  if (found === undefined || typeof found === "string" || found.text === "") return path;
  return path === "" ? found.text : `${path}.${found.text}`;
}
