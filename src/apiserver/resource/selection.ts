/** Which objects of a collection a read is about: label and field selectors, checked for the kind they are sent to. */
import type { KubernetesObject } from "#api/object.ts";
import { goQuote } from "#api/go-text.ts";
import {
  everyField,
  type FieldRequirement,
  type FieldSelector,
  matchesFields,
  parseFieldSelector,
  requiredValue,
} from "#api/field-selector.ts";
import {
  everything,
  type LabelRequirement,
  type LabelSelector,
  matchesLabels,
  parseLabelSelector,
  SelectorError,
  selectsEverything,
} from "#api/label-selector.ts";
import { badRequest } from "#api/status-catalogue.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { Query } from "#apiserver/request.ts";

/** A selector longer than this is refused unread. */
export const selectorCharactersMax = 64 * 1024;

export interface Selection {
  readonly selectsAll: boolean;
  /** The one name that can match, if the field selector pins it. */
  readonly name: string | undefined;
  /** The one namespace that can match, likewise. */
  readonly namespace: string | undefined;
  /** Texts that are in the stored form of every object that matches. */
  readonly marks: readonly Buffer[];
  matches(object: KubernetesObject): boolean;
}

const all: Selection = { selectsAll: true, name: undefined, namespace: undefined, marks: [], matches: () => true };

/** Whether an object is selected, without decoding most of those that are not. */
export function selects(selection: Selection, entry: Entry): boolean {
  if (selection.selectsAll) return true;
  return (entry.isDecoded || entry.holds(selection.marks)) && selection.matches(entry.object);
}

/** `name`: the path names one object; a field selector beside it has to name the same. */
export function selectionOf(resource: ServedResource, query: Query, name = ""): Selection {
  const labelText = query.get("labelSelector") ?? "";
  const fieldText = query.get("fieldSelector") ?? "";
  if (labelText === "" && fieldText === "" && name === "") return all;
  const labels = parsed(labelText, everything, parseLabelSelector);
  const fields = ofName(name, parsed(fieldText, everyField, parseFieldSelector));
  for (const { field } of fields.requirements) checkField(resource, field);
  return {
    selectsAll: selectsEverything(labels) && fields.requirements.length === 0,
    name: requiredValue(fields, "metadata.name"),
    namespace: requiredValue(fields, "metadata.namespace"),
    marks: [...labels.requirements.flatMap(labelMarks), ...fields.requirements.flatMap(fieldMarks)],
    matches: (object) =>
      matchesLabels(labels, object.metadata.labels) &&
      matchesFields(fields, (field) => fieldValue(resource, object, field)),
  };
}

/** Keys and values of labels are letters that JSON writes as they are. */
function labelMarks({ key, operator, values }: LabelRequirement): Buffer[] {
  if (operator === "!" || operator === "!=" || operator === "notin") return [];
  const isOne = (operator === "in" || operator === "=" || operator === "==") && values.length === 1;
  return [Buffer.from(isOne ? `"${key}":"${values[0]}"` : `"${key}":"`)];
}

/** Fields whose value is the string of the last member of their path, not one that is made of something else. */
const literalFields = new Set([
  "spec.nodeName",
  ...["involvedObject", "regarding"].flatMap((path) => [`${path}.name`, `${path}.namespace`, `${path}.uid`]),
]);

function fieldMarks({ field, operator, value }: FieldRequirement): Buffer[] {
  if (operator !== "=" || value === "" || !literalFields.has(field)) return [];
  return [Buffer.from(`"${field.slice(field.indexOf(".") + 1)}":${JSON.stringify(value)}`)];
}

function ofName(name: string, fields: FieldSelector): FieldSelector {
  if (name === "") return fields;
  if (fields.requirements.length === 0)
    return { requirements: [{ field: "metadata.name", operator: "=", value: name }] };
  if (requiredValue(fields, "metadata.name") !== name)
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  return fields;
}

function parsed<T extends LabelSelector | FieldSelector>(text: string, none: T, parse: (text: string) => T): T {
  if (text === "") return none;
  if (text.length > selectorCharactersMax)
    throw badRequest(`a selector of more than ${selectorCharactersMax} characters`);
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}

/** The field labels of the version that was asked for. */
function fieldsOf({ definition, conversion }: ServedResource): ServedResource["definition"]["fieldSelectors"] {
  return conversion?.fieldSelectors ?? definition.fieldSelectors;
}

const readerOf = (known: ReturnType<typeof fieldsOf>, field: string) =>
  known !== undefined && Object.hasOwn(known, field) ? known[field] : undefined;

function checkField(resource: ServedResource, field: string): void {
  const known = fieldsOf(resource);
  if (field === "metadata.name" || readerOf(known, field) !== undefined) return;
  // Kinds with fields of their own list them all; the others take both, even where there is no namespace.
  if (field === "metadata.namespace" && (resource.isNamespaced || known === undefined)) return;
  throw badRequest(
    known === undefined
      ? `${goQuote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
      : (resource.definition.unknownFieldText?.(field) ?? `field label not supported: ${field}`),
  );
}

function fieldValue(resource: ServedResource, object: KubernetesObject, field: string): string {
  if (field === "metadata.name") return object.metadata.name ?? "";
  if (field === "metadata.namespace") return object.metadata.namespace ?? "";
  return readerOf(fieldsOf(resource), field)?.(object) ?? "";
}
