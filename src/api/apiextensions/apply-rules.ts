/** Carries out the CEL rules of a schema over an object. Upstream: apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go. */
import { deepEqual } from "#api/apply/typed.ts";
import type { CelType } from "#api/cel/types.ts";
import { CelError, Optional, none, valueOf } from "#api/cel/value.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { duplicate, forbidden, invalid, invalidTogether, required } from "#api/validation/field-errors.ts";
import { correlatedItem } from "./correlate.ts";
import { fieldPathIn } from "./field-path.ts";
import type { JsonSchema, ValidationRule } from "./json-schema.ts";
import { type RuleProgram, programsOf } from "./rule-program.ts";

export interface RuleOutcome {
  errors: FieldError[];
  /** Faults that were there before and are not what was changed. */
  warnings: FieldError[];
}

/** Longer messages are not taken. */
const messageBytesMax = 5 * 1024;

/** `isResource` false: the value is a part of an object. */
export function ruleOutcome(object: unknown, old: unknown, schema: JsonSchema, isResource = true): RuleOutcome {
  const outcome: RuleOutcome = { errors: [], warnings: [] };
  const kept: Kept = { current: old === undefined ? undefined : { value: object, old }, parent: undefined };
  if (hasRules(schema)) visit({ value: object, old, schema, path: "", isResource, kept }, outcome);
  return outcome;
}

/** What an update leaves as it was is not held against it: a value, or where it has no old one, what it is in. */
interface Kept {
  current: Pair | undefined;
  parent: Pair | undefined;
}

interface Pair {
  value: unknown;
  old: unknown;
}

function isKept({ current, parent }: Kept): boolean {
  const pair = current ?? parent;
  return pair !== undefined && pair.old !== undefined && deepEqual(pair.old, pair.value);
}

const below = (kept: Kept, child: Pair | undefined): Kept =>
  kept.current === undefined ? kept : { current: child, parent: kept.current };

function keptField(kept: Kept, name: string): Kept {
  // These are of the version asked for, in both objects.
  if (kept.current !== undefined && kept.parent === undefined && (name === "apiVersion" || name === "kind"))
    return { current: undefined, parent: undefined };
  const { value, old } = kept.current ?? {};
  const isPair = isObject(value) && isObject(old);
  return below(kept, isPair ? { value: value[name], old: old[name] } : undefined);
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

function visit(place: Place, outcome: RuleOutcome): void {
  const { value, schema } = place;
  if (!hasRules(schema) || value === undefined || value === null) return;
  if ((schema["x-kubernetes-validations"] ?? []).length > 0) applyAll(place, outcome);
  if (Array.isArray(value)) visitItems(place, value, outcome);
  else if (isObject(value)) visitFields(place, value, outcome);
}

function visitItems({ old, schema, path, kept }: Place, list: readonly unknown[], outcome: RuleOutcome): void {
  const { items } = schema;
  if (items === undefined || Array.isArray(items)) return;
  const isResource = items["x-kubernetes-embedded-resource"] === true;
  for (const [index, value] of list.entries()) {
    const before = correlatedItem(value, schema, old);
    const keptItem = below(kept, before === undefined ? undefined : { value, old: before });
    visit({ value, old: before, schema: items, path: `${path}[${index}]`, isResource, kept: keptItem }, outcome);
  }
}

function visitFields({ old, schema, path, kept }: Place, object: Record<string, unknown>, outcome: RuleOutcome): void {
  const { properties = {}, additionalProperties } = schema;
  for (const [name, value] of Object.entries(object)) {
    const isField = Object.hasOwn(properties, name);
    const inner = isField ? properties[name]! : additionalProperties;
    if (typeof inner !== "object") continue;
    const at = isField ? (path === "" ? name : `${path}.${name}`) : `${path}[${name}]`;
    const isResource = inner["x-kubernetes-embedded-resource"] === true;
    const before = isObject(old) ? old[name] : undefined;
    visit({ value, old: before, schema: inner, path: at, isResource, kept: keptField(kept, name) }, outcome);
  }
}

function applyAll(place: Place, outcome: RuleOutcome): void {
  const { type, rules } = programsOf(place.schema, place.isResource);
  for (const program of rules) {
    const { error, isFault } = ruleError(program, type, place) ?? {};
    if (error === undefined) continue;
    if (isFault !== true && !program.usesOldSelf && isKept(place.kept)) outcome.warnings.push(error);
    else outcome.errors.push(error);
  }
}

/** undefined: the rule holds, or is none of this update's. `isFault`: it cannot be told whether it holds. */
function ruleError(
  program: RuleProgram,
  type: CelType | undefined,
  { value, old, schema, path }: Place,
): { error: FieldError; isFault: boolean } | undefined {
  const { rule, usesOldSelf } = program;
  const fault = (text: string) => ({ error: invalid(fieldOf(path), schema.type ?? "", text), isFault: true });
  if (program.program === undefined) return fault(`rule compile error: ${program.fault}`);
  const before = old ?? undefined;
  if (usesOldSelf && rule.optionalOldSelf !== true && before === undefined) return undefined;
  const variables = new Map<string, unknown>([
    ["self", valueOf(value, type)],
    ["oldSelf", oldSelf(before, type, rule.optionalOldSelf === true)],
  ]);
  try {
    if (program.program.run(variables) === true) return undefined;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return fault(faultText(error.message, rule));
  }
  return { error: failed(program, messageOf(program, variables), value, schema, path), isFault: false };
}

function faultText(text: string, rule: ValidationRule): string {
  const shown = rule.message?.trim() || rule.rule.trim();
  if (text.startsWith("no such overload"))
    return `'${text}': call arguments did not match a supported operator, function or macro signature for rule: ${shown}`;
  if (text.startsWith("operation cancelled: actual cost limit exceeded"))
    return `'${text}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown}`;
  return `${text} evaluating rule: ${shown}`;
}

function oldSelf(old: unknown, type: CelType | undefined, isOptional: boolean): unknown {
  if (!isOptional) return old === undefined ? null : valueOf(old, type);
  return old === undefined ? none : new Optional(true, valueOf(old, type));
}

function messageOf({ rule, message }: RuleProgram, variables: ReadonlyMap<string, unknown>): string {
  const plain = rule.message?.trim() || `failed rule: ${rule.rule.trim()}`;
  if (message === undefined) return plain;
  try {
    const found = message.run(variables);
    const text = typeof found === "string" ? found.trim() : "";
    return text === "" || text.includes("\n") || isLongerThan(text, messageBytesMax) ? plain : text;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return plain;
  }
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
