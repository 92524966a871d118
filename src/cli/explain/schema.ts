/** Walking the schemas of an OpenAPI v3 document: references, parts, items and values are looked through. */

export interface Schema {
  $ref?: string;
  type?: string;
  description?: string;
  enum?: readonly unknown[];
  required?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  allOf?: readonly Schema[];
  "x-kubernetes-group-version-kind"?: readonly { group: string; version: string; kind: string }[];
}

export interface OpenApiDocument {
  components?: { schemas?: Readonly<Record<string, Schema>> };
}

export function schemaOfKind(
  { components }: OpenApiDocument,
  { group, version, kind }: { group: string; version: string; kind: string },
): Schema | undefined {
  return Object.values(components?.schemas ?? {}).find((schema) =>
    schema["x-kubernetes-group-version-kind"]?.some(
      (one) => one.group === group && one.version === version && one.kind === kind,
    ),
  );
}

/** What a schema is made of: what it refers to, its parts, the items of a list, the values of a map. */
export function partsOf(document: OpenApiDocument, schema: Schema): Schema[] {
  const { $ref, allOf = [], items, additionalProperties } = schema;
  const referred = $ref === undefined ? undefined : referredSchema(document, $ref);
  const values = typeof additionalProperties === "object" ? [additionalProperties] : [];
  return [...(referred === undefined ? [] : [referred]), ...allOf, ...(items === undefined ? [] : [items]), ...values];
}

/** The schemas that have the fields of a schema, itself or its parts; each once, even where they refer to each other. */
export function holders(document: OpenApiDocument, schema: Schema, seen = new Set<Schema>()): Schema[] {
  if (seen.has(schema)) return [];
  seen.add(schema);
  const own = schema.properties === undefined ? [] : [schema];
  return [...own, ...partsOf(document, schema).flatMap((part) => holders(document, part, seen))];
}

export function propertyOf(document: OpenApiDocument, schema: Schema, name: string): Schema | undefined {
  for (const { properties = {} } of holders(document, schema))
    if (Object.hasOwn(properties, name)) return properties[name];
  return undefined;
}

/** "[]Container", "map[string]string", "Object". A reference to what is no object has the type of what it refers to. */
export function typeText(document: OpenApiDocument, schema: Schema): string {
  const { items, additionalProperties, allOf = [], properties, $ref, type } = schema;
  // Items of which nothing is said are as good as none.
  if (items !== undefined && Object.keys(items).length > 0) return `[]${typeText(document, items)}`;
  if (typeof additionalProperties === "object") return `map[string]${typeText(document, additionalProperties)}`;
  if (allOf.length === 1 && properties === undefined) return typeText(document, allOf[0]!);
  if ($ref !== undefined) {
    const referred = referredSchema(document, $ref)?.type ?? "object";
    return referred !== "object" ? referred : $ref.split(/[/.]/).at(-1) || "Object";
  }
  return type === undefined || type === "object" ? "Object" : type;
}

const referredSchema = ({ components }: OpenApiDocument, $ref: string): Schema | undefined =>
  components?.schemas?.[$ref.split("/").at(-1)!];
