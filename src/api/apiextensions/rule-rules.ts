/** The CEL rules of a definition: their form, and whether they can be carried out. Upstream: apiextensions/validation/validation.go. */
import { programCost } from "#api/cel/cost.ts";
import { type ValueSize, product } from "#api/cel/size.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, internalFault, invalid, notSupported, raw, required } from "#api/validation/field-errors.ts";
import { fieldPathIn } from "./field-path.ts";
import type { JsonSchema, ValidationRule } from "./json-schema.ts";
import { type RuleProgram, programsOf } from "./rule-program.ts";
import { unstructured } from "./structural-rules.ts";
import { placesInRequest, sizeOfSchema } from "./value-sizes.ts";

/** Where in the schema rules stand. */
export interface RuleContext {
  isResource: boolean;
  /** How often the schema here can occur in one object; undefined: as often as a request has room for it. */
  places: number | undefined;
  /** The list whose items have no old self. */
  uncorrelatable: string | undefined;
  total: { cost: number; costly: { path: string; cost: number }[] };
  /** The schema is what it was: what its rules cost was decided before. */
  isOld: boolean;
}

export const rootContext = (isOld: boolean): RuleContext => ({
  isResource: true,
  places: 1,
  uncorrelatable: undefined,
  total: { cost: 0, costly: [] },
  isOld,
});

export function childContext(
  context: RuleContext | undefined,
  schema: JsonSchema,
  inner: JsonSchema,
  relation: "value" | "item" | "property",
  path: string,
): RuleContext | undefined {
  if (context === undefined) return undefined;
  return {
    ...context,
    isResource: inner["x-kubernetes-embedded-resource"] === true,
    places: relation === "property" ? context.places : times(context.places, boundOf(schema)),
    uncorrelatable: context.uncorrelatable ?? (isUncorrelated(schema, relation) ? path : undefined),
  };
}

/** Items of plain lists and sets have no old self. */
const isUncorrelated = (schema: JsonSchema, relation: "value" | "item" | "property"): boolean =>
  relation === "item" && schema["x-kubernetes-list-type"] !== "map";

const boundOf = ({ type, maxItems, maxProperties }: JsonSchema): number | undefined =>
  type === "array" ? maxItems : maxProperties;
const times = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : product(a, b);

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/** Faults of the rules' form, before anything is read into them. */
export function ruleFormErrors(schema: JsonSchema, path: string): FieldError[] {
  const rules = schema["x-kubernetes-validations"] ?? [];
  return rules.flatMap((rule, index) => formErrors(rule, schema, `${path}.x-kubernetes-validations[${index}]`));
}

function formErrors(rule: ValidationRule, schema: JsonSchema, path: string): FieldError[] {
  const { message = "", messageExpression = "", reason, fieldPath = "" } = rule;
  const errors: FieldError[] = [];
  const isSplit = (text: string) => /[\r\n]/.test(text.trim());
  if (rule.rule.trim() === "") errors.push(required(`${path}.rule`, "rule is not specified"));
  else if (message !== "" && message.trim() === "")
    errors.push(invalid(`${path}.message`, message, "must be non-empty if specified"));
  else if (isSplit(message)) errors.push(invalid(`${path}.message`, message, "must not contain line breaks"));
  else if (isSplit(rule.rule) && message.trim() === "")
    errors.push(required(`${path}.message`, "message must be specified if rule contains line breaks"));
  if (messageExpression !== "" && messageExpression.trim() === "")
    errors.push(required(`${path}.messageExpression`, "messageExpression must be non-empty if specified"));
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, reasons));
  if (fieldPath === "") return errors;
  if (fieldPath.trim() === "") errors.push(invalid(`${path}.fieldPath`, fieldPath, "must be non-empty if specified"));
  if (/[\r\n]/.test(fieldPath)) errors.push(invalid(`${path}.fieldPath`, fieldPath, "must not contain line breaks"));
  if (unstructured(schema) === undefined && typeof fieldPathIn(fieldPath, schema) === "string")
    errors.push(invalid(`${path}.fieldPath`, fieldPath, "must be a valid path"));
  return errors;
}

/** Faults of what the rules say. */
export function ruleErrors(schema: JsonSchema, path: string, context: RuleContext): FieldError[] {
  const rules = schema["x-kubernetes-validations"] ?? [];
  if (rules.length === 0) return [];
  const at = `${path}.x-kubernetes-validations`;
  const { type, rules: programs } = programsOf(schema, context.isResource);
  if (type === undefined) {
    const text =
      "failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations";
    return [internalFault(at, `internal error: ${text}`)];
  }
  const size = sizeOfSchema(schema, context.isResource);
  return programs.flatMap((program) => {
    const one = `${at}[${rules.indexOf(program.rule)}]`;
    return size === undefined
      ? []
      : [...ruleCostErrors(program, size, one, context), ...programErrors(program, size, one, context)];
  });
}

/** Upstream prints the rule's Go struct. */
const goStruct = raw("{}");

function programErrors(program: RuleProgram, size: ValueSize, path: string, context: RuleContext): FieldError[] {
  const errors: FieldError[] = [];
  const { rule, fault, message, messageFault, usesOldSelf } = program;
  const { uncorrelatable } = context;
  if (fault !== undefined) errors.push(invalid(`${path}.rule`, goStruct, fault));
  const messagePath = `${path}.messageExpression`;
  if (messageFault !== undefined) errors.push(invalid(messagePath, goStruct, messageFault));
  if (message !== undefined) {
    const cost = { path: messagePath, name: "messageExpression", cost: programCost(message, size) };
    errors.push(...costErrors(cost, context));
  }
  if (usesOldSelf && uncorrelatable !== undefined) {
    const text = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
    errors.push(invalid(`${path}.rule`, rule.rule, text));
  }
  if (!usesOldSelf && rule.optionalOldSelf !== undefined)
    errors.push(
      invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, "may not be set if oldSelf is not used in rule"),
    );
  return errors;
}

const ruleCostMax = 10_000_000;
const totalCostMax = 100_000_000;
/** How many of the costliest are named, and how dear they are at least. */
const costlyMax = 4;
const costlyMin = totalCostMax / 100;

function ruleCostErrors({ program }: RuleProgram, size: ValueSize, path: string, context: RuleContext): FieldError[] {
  if (program === undefined) return [];
  const cost = product(programCost(program, size), context.places ?? placesInRequest(size));
  return costErrors({ path: `${path}.rule`, name: "rule", cost }, context);
}

/** The total counts what is too dear, too. */
function costErrors(
  { path, name, cost }: { path: string; name: string; cost: number },
  { total, isOld }: RuleContext,
): FieldError[] {
  total.cost += cost;
  if (cost >= costlyMin) total.costly.push({ path, cost });
  return cost > ruleCostMax && !isOld ? [forbidden(path, costText(`estimated ${name} cost`, cost, ruleCostMax))] : [];
}

function costText(name: string, cost: number, max: number): string {
  const factor = cost / max;
  const shown = factor > 100 ? "more than 100x" : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  const advice =
    "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared";
  return `${name} exceeds budget by factor of ${shown} (${advice})`;
}

export function totalCostErrors({ total }: RuleContext, path: string): FieldError[] {
  if (total.cost <= totalCostMax) return [];
  const text = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
  const costly = total.costly.sort((a, b) => (a.cost === b.cost ? 0 : b.cost - a.cost)).slice(0, costlyMax);
  const name = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
  return [...costly.map((one) => forbidden(one.path, text)), forbidden(path, costText(name, total.cost, totalCostMax))];
}
