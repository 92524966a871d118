/** Whether a schema, or one below it, has a mark. Schemas of definitions never change: each is looked through once. */
import type { JsonSchema } from "./json-schema.ts";

export function markedSomewhere(isMarked: (schema: JsonSchema) => boolean): (schema: JsonSchema) => boolean {
  const known = new WeakMap<JsonSchema, boolean>();
  return function holds(schema): boolean {
    let answer = known.get(schema);
    if (answer === undefined) {
      const { properties = {}, additionalProperties, items } = schema;
      const inner = [...Object.values(properties), additionalProperties, items];
      answer = isMarked(schema) || inner.some((one) => typeof one === "object" && !Array.isArray(one) && holds(one));
      known.set(schema, answer);
    }
    return answer;
  };
}
