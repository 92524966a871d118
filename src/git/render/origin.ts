/** Where objects and transformers come from, as the annotations that `buildMetadata` asks for. */
import { posix } from "node:path";
import type { Resource } from "./resource.ts";
import { originAnnotation, transformationsAnnotation } from "./resource.ts";
import { lookup, setField } from "./yaml/fields.ts";
import { printScalar } from "./yaml/print-scalar.ts";
import { newScalar, newString } from "./yaml/yaml-node.ts";

export interface ConfiguredBy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name?: string;
  readonly namespace?: string;
}

export interface Origin {
  /** The file an object was read from, relative to where the render began. */
  readonly path?: string;
  /** The file that configures what made or changed an object. */
  readonly configuredIn?: string;
  readonly configuredBy?: ConfiguredBy;
}

export const joinOrigin = (directory: string, path: string): string => {
  const joined = posix.join(directory, path);
  return joined.length > 1 && joined.endsWith("/") ? joined.slice(0, -1) : joined;
};

function lines({ path, configuredIn, configuredBy }: Origin): string[] {
  const field = (name: string, value: string | undefined): string[] =>
    value === undefined || value === "" ? [] : [`${name}: ${printScalar(newString(value))}`];
  const by =
    configuredBy === undefined
      ? []
      : [
          ...field("apiVersion", configuredBy.apiVersion),
          ...field("kind", configuredBy.kind),
          ...field("name", configuredBy.name),
          ...field("namespace", configuredBy.namespace),
        ];
  return [
    ...field("path", path),
    ...field("configuredIn", configuredIn),
    ...(by.length > 0 ? ["configuredBy:", ...by.map((line) => `  ${line}`)] : []),
  ];
}

const originText = (origin: Origin): string => `${lines(origin).join("\n")}\n`;

export function annotateOrigin(items: readonly Resource[], origin: Origin): void {
  const value = newScalar(originText(origin), "!!str");
  for (const { root } of items)
    setField(lookup(root!, ["metadata", "annotations"], "mapping")!, originAnnotation, value);
}

function setAnnotation(item: Resource, key: string, value: string): void {
  item.setAnnotations(new Map([...item.annotations, [key, value]]));
}

/** For what a generator made; what already has an origin keeps it. */
export function addOrigin(items: readonly Resource[], origin: Origin): void {
  for (const item of items)
    if (!item.annotations.has(originAnnotation)) setAnnotation(item, originAnnotation, originText(origin));
}

/** For what a transformer went over: one more transformation, or the origin of what it made itself. */
export function addTransformation(items: readonly Resource[], origin: Origin): void {
  const [first = "", ...rest] = lines(origin);
  const entry = [`- ${first}`, ...rest.map((line) => `  ${line}`)].join("\n");
  for (const item of items) {
    const { annotations } = item;
    if (!annotations.has(originAnnotation)) setAnnotation(item, originAnnotation, originText(origin));
    else
      setAnnotation(item, transformationsAnnotation, `${annotations.get(transformationsAnnotation) ?? ""}${entry}\n`);
  }
}

/** The path in an origin annotation. */
export function originPath(item: Resource): string | undefined {
  const text = item.annotations.get(originAnnotation);
  return text === undefined ? undefined : (/^path: (.*)$/m.exec(text)?.[1] ?? "");
}
