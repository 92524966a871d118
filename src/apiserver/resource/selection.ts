/** Which objects of a collection a read is about: label and field selectors, checked for the kind they are sent to. */
import type { KubernetesObject } from "#api/object.ts";
import { goQuote } from "#api/go-text.ts";
import {
  everyField,
  type FieldSelector,
  matchesFields,
  parseFieldSelector,
  requiredValue,
} from "#api/field-selector.ts";
import {
  everything,
  type LabelSelector,
  matchesLabels,
  parseLabelSelector,
  SelectorError,
  selectsEverything,
} from "#api/label-selector.ts";
import { badRequest } from "#api/status-catalogue.ts";
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
  matches(object: KubernetesObject): boolean;
}

const all: Selection = { selectsAll: true, name: undefined, namespace: undefined, matches: () => true };

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
    matches: (object) =>
      matchesLabels(labels, object.metadata.labels) &&
      matchesFields(fields, (field) => fieldValue(resource, object, field)),
  };
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

function checkField(resource: ServedResource, field: string): void {
  const known = fieldsOf(resource);
  if (field === "metadata.name" || field === "metadata.namespace" || known?.[field] !== undefined) return;
  throw badRequest(
    known === undefined
      ? `${goQuote(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
      : (resource.definition.unknownFieldText?.(field) ?? `field label not supported: ${field}`),
  );
}

function fieldValue(resource: ServedResource, object: KubernetesObject, field: string): string {
  if (field === "metadata.name") return object.metadata.name ?? "";
  if (field === "metadata.namespace") return object.metadata.namespace ?? "";
  return fieldsOf(resource)?.[field]?.(object) ?? "";
}
