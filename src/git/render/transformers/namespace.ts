/** Puts objects into a namespace, and the service accounts that bindings name; two objects that become one are refused. */
import { type FieldSpec, makeFieldSpec, visitFieldSpec } from "#git/render/field-spec.ts";
import { clusterNamespace, idKey, idText } from "#git/render/gvk.ts";
import { RenderError } from "#git/render/render-error.ts";
import type { Resource } from "#git/render/resource.ts";
import { elementsOf, lookup, requireField, setScalar } from "#git/render/yaml/fields.ts";
import { isEmptyNode, isMissingOrNull, newScalar, textOf, type YamlNode } from "#git/render/yaml/yaml-node.ts";
import type { Transform } from "./transformer.ts";

export const subjectModes = ["defaultOnly", "none", "allServiceAccounts"] as const;
export type SubjectMode = (typeof subjectModes)[number];

export interface NamespaceOptions {
  readonly namespace: string;
  readonly fieldSpecs: readonly FieldSpec[];
  readonly unsetOnly?: boolean;
  readonly subjects?: SubjectMode;
}

export function namespaceTransform(options: NamespaceOptions): Transform {
  return (list) => {
    if (options.namespace === "") return;
    const counts = new Map<string, number>();
    const count = (key: string, step: number): void => void counts.set(key, (counts.get(key) ?? 0) + step);
    for (const item of list.items) count(idKey(item.id), 1);
    for (const item of list.items) {
      if (item.isEmpty) continue;
      item.storePreviousId();
      count(idKey(item.id), -1);
      setNamespaces(item, options);
      const { id } = item;
      count(idKey(id), 1);
      if (counts.get(idKey(id)) !== 1)
        throw new RenderError(`namespace transformation produces ID conflict: ${idText(id)}`);
    }
  };
}

const isBinding = (kind: string): boolean => kind === "RoleBinding" || kind === "ClusterRoleBinding";

export function setNamespaces(item: Resource, options: NamespaceOptions): void {
  const root = item.root!;
  const set = setterFor(options);
  if (item.id.effectiveNamespace !== clusterNamespace)
    visitFieldSpec(root, makeFieldSpec("metadata/namespace", true), { set, createKind: "scalar" });
  if (isBinding(item.kind)) setSubjects(root, options.subjects ?? "defaultOnly", set);
  for (const spec of options.fieldSpecs)
    if (!isHandledElsewhere(spec, item)) visitFieldSpec(root, spec, { set, createKind: "scalar", createTag: "!!str" });
}

function isHandledElsewhere({ path, kind }: FieldSpec, item: Resource): boolean {
  if (path === "metadata/namespace") return true;
  if (path === "metadata/name" && item.apiVersion !== "v1") return true;
  return isBinding(item.kind) && isBinding(kind) && path === "subjects/namespace";
}

type Setter = (node: YamlNode) => void;

function setterFor({ namespace, unsetOnly = false }: NamespaceOptions): Setter {
  const value = newScalar(namespace, "!!str");
  return (node) => {
    if (unsetOnly && !isEmptyNode(node) && node.kind === "scalar" && textOf(node) !== "") return;
    setScalar(node, value);
  };
}

function setSubjects(root: YamlNode, mode: SubjectMode, set: Setter): void {
  if (mode === "none") return;
  const subjects = requireField(root, "subjects");
  if (isMissingOrNull(subjects)) return;
  const [field, wanted] = mode === "defaultOnly" ? ["name", "default"] : ["kind", "ServiceAccount"];
  for (const subject of elementsOf(subjects!)) {
    const value = requireField(subject, field!);
    if (isMissingOrNull(value) || value!.value !== wanted) continue;
    set(lookup(subject, ["namespace"], "scalar")!);
  }
}
