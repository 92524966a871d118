/** Lines that most kinds share: names, labels, annotations, owners, times, selectors, conditions. */
import { compareText } from "#api/go-text.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Writer } from "./writer.ts";

const annotationLengthMax = 140;
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

export function writeNames({ line }: Bound, { metadata }: KubernetesObject): void {
  line(0, `Name:\t${metadata.name ?? ""}`);
  if (metadata.namespace !== undefined) line(0, `Namespace:\t${metadata.namespace}`);
}

/** A writer whose functions stand alone. */
export interface Bound {
  line(level: number, text: string): void;
}
export const bound = (writer: Writer): Bound => ({ line: (level, text) => writer.line(level, text) });

/** Name, namespace, labels, annotations. */
export function writeHead(writer: Writer, object: KubernetesObject): void {
  writeNames(bound(writer), object);
  writeLabels(writer, "Labels", object.metadata.labels);
  writeAnnotations(writer, object.metadata.annotations);
}

export function writeLabels(
  writer: Writer,
  title: string,
  labels: Readonly<Record<string, string>> | undefined,
  level = 0,
): void {
  const pairs = sortedEntries(labels).map(([key, value]) => `${key}=${value}`);
  writeMany(writer, title, pairs, level);
}

/** "title: first", the others below it; "<none>" where there is nothing. */
export function writeMany(writer: Writer, title: string, texts: readonly string[], level = 0): void {
  writer.line(level, `${title}:\t${texts[0] ?? "<none>"}`);
  for (const text of texts.slice(1)) writer.line(level, `\t${text}`);
}

export function writeAnnotations(
  writer: Writer,
  annotations: Readonly<Record<string, string>> | undefined,
  level = 0,
): void {
  const shown = sortedEntries(annotations).filter(([key]) => key !== lastApplied);
  writeMany(writer, "Annotations", shown.flatMap(annotationLines), level);
}

function annotationLines([key, value]: readonly [string, string]): string[] {
  const text = value.replace(/\n$/, "");
  if (Buffer.byteLength(text) + Buffer.byteLength(key) + 2 <= annotationLengthMax && !text.includes("\n"))
    return [`${key}: ${text}`];
  return [`${key}:`, ...text.split("\n").map((line) => `  ${shorten(line, annotationLengthMax - 2)}`)];
}

const shorten = (text: string, lengthMax: number): string =>
  text.length > lengthMax ? `${text.slice(0, lengthMax)}...` : text;

export const sortedEntries = <T>(record: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(record ?? {}).sort(([a], [b]) => compareText(a, b));

/** "Deployment/web", of the owner that controls the object. */
export function controllerOf({ metadata }: KubernetesObject): string | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  return owner === undefined ? undefined : `${owner.kind}/${owner.name}`;
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number: number) => String(number).padStart(2, "0");

/** RFC 1123 with the offset of this machine, as kubectl shows times. */
export function timeText(timestamp: string | undefined): string {
  if (timestamp === undefined || timestamp === null) return "Mon, 01 Jan 0001 00:00:00 +0000";
  const date = new Date(timestamp);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  return `${days[date.getDay()]}, ${two(date.getDate())} ${months[date.getMonth()]} ${date.getFullYear()} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

export const yesNo = (value: boolean | undefined): string => (value === true ? "True" : "False");

/** Type, status and reason of a workload's conditions. */
export function writeConditions(
  writer: Writer,
  conditions: readonly { type: string; status: string; reason?: string }[] | undefined,
): void {
  if (conditions === undefined || conditions.length === 0) return;
  writer.line(0, "Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------");
  for (const { type, status, reason = "" } of conditions) writer.line(1, `${type} \t${status}\t${reason}`);
}
