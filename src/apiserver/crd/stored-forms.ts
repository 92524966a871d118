/**
 * Between the form in which a custom object is stored and a version that is served: what was stored is read by the schema
 * of its own version, then converted; what is written is converted, then cut to the stored version's schema. Upstream:
 * crdConversionRESTOptionsGetter in apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
 */
import { applyCustomDefaults } from "#api/apiextensions/embedded.ts";
import { prune } from "#api/apiextensions/prune.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { StoredForms } from "#apiserver/catalogue.ts";
import { clone } from "#apiserver/resource/metadata.ts";
import type { Converter } from "./conversion.ts";

export interface VersionSchemas {
  group: string;
  /** The version that is shown. */
  version: string;
  storageVersion: string;
  schemaOf(version: string): JsonSchema | undefined;
  converter: Converter;
}

type Fields = KubernetesObject & Record<string, unknown>;

export function storedForms({ group, version, storageVersion, schemaOf, converter }: VersionSchemas): StoredForms {
  const shown = `${group}/${version}`;
  const stored = `${group}/${storageVersion}`;
  const cut = (object: KubernetesObject, to: string) => {
    const schema = schemaOf(to);
    if (schema !== undefined) prune(object as Fields, schema);
    return object;
  };
  return {
    shownEntries: new WeakMap(),
    async read(objects) {
      const settled = objects.map((object) => settledObject(object, schemaOf));
      const converted = await converter.convert(settled, shown);
      return converted.map((object, index) => (settled[index]!.apiVersion === shown ? object : cut(object, version)));
    },
    async write(object) {
      if (object.apiVersion === stored) return object;
      const [converted] = await converter.convert([object], stored);
      cut(converted!, storageVersion);
      applyCustomDefaults(converted, schemaOf(storageVersion));
      return converted!;
    },
  };
}

/** A stored object as the present schema of its version has it: a private copy. */
export function settledObject(
  object: KubernetesObject,
  schemaOf: (version: string) => JsonSchema | undefined,
): KubernetesObject {
  const form = clone(object) as Fields;
  const schema = schemaOf(form.apiVersion?.split("/")[1] ?? "");
  if (schema === undefined) return form;
  prune(form, schema);
  applyCustomDefaults(form, schema, { mayDrop: true });
  return form;
}
