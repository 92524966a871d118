/** The ValueAddTransformer: writes one value into fields, or inserts it at a position of a file path that stands there. */
import { posix } from "node:path";
import { selectorShape } from "#git/render/kustomization.ts";
import { RenderError } from "#git/render/render-error.ts";
import { selectResources } from "#git/render/selector.ts";
import { integer, list, struct, text, type TypeOf } from "#git/render/shape.ts";
import { lookup, requireKind, setScalar } from "#git/render/yaml/fields.ts";
import { newScalar } from "#git/render/yaml/yaml-node.ts";
import { splitPath } from "#git/render/field-spec.ts";
import { setNamespaces } from "./namespace.ts";
import type { Transform } from "./transformer.ts";

const targetShape = struct({ selector: selectorShape, fieldPath: text, filePathPosition: integer });
export const valueAddShape = struct({ value: text, targets: list(targetShape), targetFilePath: text });
export const valueAddTargetsShape = struct({ targets: list(targetShape) });
export type ValueAddTarget = TypeOf<typeof targetShape>;

export function valueAddTransform(value: string, targets: readonly ValueAddTarget[]): Transform {
  if (targets.length === 0) throw new RenderError("must specify at least one target");
  for (const { fieldPath = "", filePathPosition = 0 } of targets) {
    if (fieldPath === "") throw new RenderError("fieldPath cannot be empty");
    if (filePathPosition < 0)
      throw new RenderError(`value of FilePathPosition (${filePathPosition}) cannot be negative`);
  }
  return (list) => {
    for (const { selector, fieldPath = "", filePathPosition = 0 } of targets) {
      const items = selector === undefined ? list.items : selectResources(list.items, selector);
      for (const item of items) {
        if (fieldPath === "metadata/namespace") setNamespaces(item, { namespace: value, fieldSpecs: [] });
        else addValue(item.root!, fieldPath, value, Number(filePathPosition));
      }
    }
  };
}

function addValue(root: Parameters<typeof lookup>[0], fieldPath: string, value: string, position: number): void {
  const parts = splitPath(`/${fieldPath}`).filter((part) => part !== "");
  const node = lookup(root, parts, "scalar")!;
  requireKind(node, "scalar");
  setScalar(node, newScalar(position > 0 ? insertPathPart(node.value, position - 1, value) : value));
}

/** Inserts a part at a position of a path; beyond the end it is appended, an absolute path stays absolute. */
export function insertPathPart(path: string, position: number, part: string): string {
  const isAbsolute = path.startsWith("/");
  const parts = path.split("/").filter((piece) => piece !== "");
  parts.splice(Math.min(position, parts.length), 0, part);
  return (isAbsolute ? "/" : "") + posix.join(...parts);
}
