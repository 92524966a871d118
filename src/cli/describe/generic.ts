/** Any object: its fields as they are, with readable names. For kinds that have no describer of their own. */
import { compareText, goValue } from "#api/go-text.ts";
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { type DescribeContext, describer } from "./describer.ts";
import { writeEvents } from "./events.ts";
import { writeAnnotations, writeLabels } from "./metadata.ts";
import type { Writer } from "./writer.ts";

const shownAbove = new Set(["name", "namespace", "labels", "annotations"]);

export const describeGeneric = describer<KubernetesObject>(async (object, context: DescribeContext) => {
  const { writer } = context;
  writer.line(0, `Name:\t${object.metadata.name ?? ""}`);
  writer.line(0, `Namespace:\t${object.metadata.namespace ?? ""}`);
  writeLabels(writer, "Labels", object.metadata.labels);
  writeAnnotations(writer, object.metadata.annotations);
  const { managedFields: _, ...metadata } = object.metadata;
  const rest = Object.fromEntries(Object.entries(metadata).filter(([key]) => !shownAbove.has(key)));
  writeFields(writer, 0, { ...(object as UnknownObject), metadata: rest });
  await writeEvents(object, context);
});

function writeFields(writer: Writer, level: number, fields: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(fields).sort(compareText)) {
    const label = smartLabel(key);
    const value = fields[key];
    if (Array.isArray(value)) {
      writer.line(level, `${label}:`);
      for (const item of value) {
        if (isRecord(item)) writeFields(writer, level + 1, item);
        else writer.line(level + 1, goValue(item));
      }
    } else if (isRecord(value)) {
      writer.line(level, `${label}:`);
      writeFields(writer, level + 1, value);
    } else writer.line(level, `${label}:\t${goValue(value)}`);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const acronyms = new Set(["API", "URL", "UID", "OSB", "GUID"]);

/** "leaseDurationSeconds" → "Lease Duration Seconds"; a name with digits or signs stays as it is. */
export function smartLabel(field: string): string {
  if (!/^[\p{L}-]*$/u.test(field)) return field;
  const parts = field.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|[^\p{Lu}\p{Ll}]+/gu) ?? [];
  return parts
    .map((part) =>
      acronyms.has(part.toUpperCase()) ? part.toUpperCase() : `${part[0]!.toUpperCase()}${part.slice(1)}`,
    )
    .join(" ");
}
