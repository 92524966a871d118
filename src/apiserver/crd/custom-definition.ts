/** What a CustomResourceDefinition says of a version, as the definition of a kind that the generic handler serves. */
import { age, ageColumn, nameColumn } from "#api/columns.ts";
import type { V1CustomResourceDefinition, V1CustomResourceDefinitionVersion } from "#api/generated/types.ts";
import { type JsonPath, JsonPathError, parseJsonPath, relaxedJsonPath, findAll } from "#api/json-path.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Column, ResourceDefinition, Strategy } from "#api/resource.ts";
import { type CustomSchema, customErrors, customStatusErrors } from "./custom-rules.ts";
import { isEqual } from "#apiserver/resource/metadata.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import { applyCustomDefaults } from "#api/apiextensions/embedded.ts";
import { prune } from "#api/apiextensions/prune.ts";
import { compareText, floatText, goQuote, sortedJson } from "#api/go-text.ts";
import { isQualifiedName } from "#api/validation/names.ts";

type CustomObject = KubernetesObject & Record<string, unknown>;

export const schemaOf = ({ schema }: V1CustomResourceDefinitionVersion): JsonSchema | undefined =>
  schema?.openAPIV3Schema as JsonSchema | undefined;

export const storageVersionOf = ({ spec }: V1CustomResourceDefinition): V1CustomResourceDefinitionVersion =>
  spec.versions.find(({ storage }) => storage)!;

/**
 * The kind as one of its versions has it. Requests are handled in their own version: its schema prunes, defaults and
 * validates, and only the store sees another one.
 */
export function customDefinition(
  crd: V1CustomResourceDefinition,
  version: V1CustomResourceDefinitionVersion,
): ResourceDefinition<CustomObject> {
  const { group, scope, names } = crd.spec;
  const accepted = { ...names, ...crd.status?.acceptedNames };
  const schema = schemaOf(version);
  const hasStatus = version.subresources?.status !== undefined;
  const scale = version.subresources?.scale;
  const rules: CustomSchema = {
    schema,
    isNamespaced: scope === "Namespaced",
    ...(scale && { scale: scalePaths(scale) }),
  };
  return {
    group,
    version: version.name,
    kind: accepted.kind,
    plural: accepted.plural,
    singular: accepted.singular ?? accepted.kind.toLowerCase(),
    shortNames: accepted.shortNames ?? [],
    categories: accepted.categories ?? [],
    scope: scope === "Namespaced" ? "Namespaced" : "Cluster",
    schema: "",
    allowUnconditionalUpdate: false,
    ...mainStrategy(rules, hasStatus),
    ...(hasStatus ? { status: statusStrategy(rules) } : {}),
    ...(scale === undefined ? {} : { scale: scalePaths(scale) }),
    defaults: (object) => applyCustomDefaults(object, schema),
    generation: (object, old) => !isEqual(counted(object, hasStatus), counted(old, hasStatus)),
    fieldSelectors: selectorsOf(version),
    columns: columnsOf(version),
    storageVersion: `${group}/${storageVersionOf(crd).name}`,
  };
}

const selectorsOf = ({ selectableFields }: V1CustomResourceDefinitionVersion) =>
  Object.fromEntries((selectableFields ?? []).map(({ jsonPath }) => [jsonPath.replace(/^\./, ""), textAt(jsonPath)]));

function scalePaths(scale: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }) {
  return {
    specReplicas: scale.specReplicasPath,
    statusReplicas: scale.statusReplicasPath,
    ...(scale.labelSelectorPath === undefined ? {} : { labelSelector: scale.labelSelectorPath }),
  };
}

function counted(object: CustomObject, hasStatus: boolean) {
  const { metadata: _, status, ...rest } = object;
  return hasStatus ? rest : { ...rest, status };
}

/** Bodies were pruned as they came; what admission added to them since is pruned here. */
function pruned(object: CustomObject, { schema }: CustomSchema): void {
  if (schema !== undefined) prune(object, schema);
}

function mainStrategy(rules: CustomSchema, hasStatus: boolean): Strategy<CustomObject> {
  return {
    prepareCreate(object) {
      pruned(object, rules);
      if (hasStatus) delete object["status"];
    },
    prepareUpdate(object, old) {
      pruned(object, rules);
      if (!hasStatus) return;
      if (old["status"] === undefined) delete object["status"];
      else object["status"] = old["status"];
    },
    validate: (object, old, { warn }) => customErrors(object, old, rules, warn),
    warnings: (object, old) => finalizerWarnings(object, old),
    ...(hasStatus ? { resetFields: [["status"]] } : {}),
  };
}

/** Only the status is taken from what was sent. */
function statusStrategy(rules: CustomSchema): Strategy<CustomObject> {
  return {
    prepareUpdate(object, old) {
      pruned(object, rules);
      const { status, metadata } = object;
      for (const field of Object.keys(object)) if (!Object.hasOwn(old, field)) delete object[field];
      Object.assign(object, structuredClone(old));
      if (status === undefined) delete object["status"];
      else object["status"] = status;
      const { managedFields, resourceVersion } = metadata;
      object.metadata = {
        ...old.metadata,
        ...(managedFields && { managedFields }),
        ...(resourceVersion && { resourceVersion }),
      };
      if (managedFields === undefined) delete object.metadata.managedFields;
    },
    validate: (object, old, { warn }) => customStatusErrors(object, old, rules, warn),
    resetFields: [["spec"], ["metadata"]],
  };
}

const textAt = (path: string) => {
  const parsed = parseJsonPath(relaxedJsonPath(path));
  return (object: unknown): string => {
    const [value] = findAll(parsed, object);
    return value === undefined || value === null ? "" : String(value);
  };
};

/** What a version's clients are told at every request; undefined: nothing. */
export function deprecationOf(
  { spec }: V1CustomResourceDefinition,
  { name, deprecated, deprecationWarning }: V1CustomResourceDefinitionVersion,
): string | undefined {
  if (deprecated !== true) return undefined;
  if (deprecationWarning !== undefined) return deprecationWarning;
  const { group, names, versions } = spec;
  const [better] = versions
    .filter((one) => one.served && one.deprecated !== true && compareVersions(one.name, name) > 0)
    .sort((a, b) => compareVersions(b.name, a.name));
  const advice = better === undefined ? "" : `; use ${group}/${better.name} ${names.kind}`;
  return `${group}/${name} ${names.kind} is deprecated${advice}`;
}

/** v2 > v1 > v1beta2 > v1alpha1 > anything else. Upstream: apimachinery/pkg/version CompareKubeAwareVersionStrings. */
function compareVersions(a: string, b: string): number {
  const left = rankOf(a);
  const right = rankOf(b);
  if (left === undefined && right === undefined) return a < b ? 1 : a > b ? -1 : 0;
  if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
  return left.reduce((sum, part, index) => (sum === 0 ? part - right[index]! : sum), 0);
}

function rankOf(version: string): number[] | undefined {
  const [, major = "", stage, minor = ""] = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version) ?? [];
  if (major === "") return undefined;
  return [stage === undefined ? 2 : stage === "beta" ? 1 : 0, Number(major), Number(minor)];
}

/** The columns up to the first one whose path is none: a definition is accepted with such a path, and served without. */
export function columnsOf({ additionalPrinterColumns }: V1CustomResourceDefinitionVersion): Column<CustomObject>[] {
  const name = nameColumn as Column<CustomObject>;
  if (additionalPrinterColumns === undefined || additionalPrinterColumns.length === 0)
    return [name, { ...ageColumn, type: "date" } as Column<CustomObject>];
  const columns = [name];
  for (const column of additionalPrinterColumns) {
    const path = columnPath(column.jsonPath);
    if (path === undefined) break;
    columns.push({
      name: column.name,
      type: column.type as Column<CustomObject>["type"],
      format: column.format ?? "",
      description: column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
      priority: column.priority ?? 0,
      value: (object, now) => cellOf(findAll(path, object), column.type, now),
    });
  }
  return columns;
}

function columnPath(text: string): JsonPath | undefined {
  try {
    return parseJsonPath(`{${text}}`);
  } catch (error) {
    if (error instanceof JsonPathError) return undefined;
    throw error;
  }
}

/** Upstream: registry/customresource/tableconvertor. The first value that the path finds, printed for its column's type. */
function cellOf(found: readonly unknown[], type: string, now: number): unknown {
  if (found.length === 0 || found[0] === undefined) return null;
  const [value] = found;
  switch (type) {
    case "integer":
      return value instanceof Number ? value : typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? dateText(value, now) : null;
    default:
      // Go's templates print what is there and null like this.
      if (value === null) return "<no value>";
      if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : floatText(value);
      return typeof value === "object" ? sortedJson(value) : String(value);
  }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function dateText(value: string, now: number): string {
  if (value === "" || value === "null") return age(undefined, now);
  return rfc3339.test(value) && !Number.isNaN(Date.parse(value)) ? age(value, now) : "<invalid>";
}

const standardFinalizers = new Set(["orphan", "foregroundDeletion", "kubernetes"]);

function finalizerWarnings({ metadata }: CustomObject, old: CustomObject | undefined): string[] {
  const known = new Set(old?.metadata.finalizers);
  const added = new Set((metadata.finalizers ?? []).filter((name) => !known.has(name)));
  return [...added]
    .sort(compareText)
    .flatMap((name) => finalizerFaults(name).map((text) => `metadata.finalizers: ${goQuote(name)}: ${text}`));
}

function finalizerFaults(name: string): string[] {
  const faults = isQualifiedName(name);
  if (name.includes("/") || standardFinalizers.has(name)) return faults;
  const path = name.includes(".") ? " including a path (/)" : "";
  const text = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`;
  return [...faults, text];
}
