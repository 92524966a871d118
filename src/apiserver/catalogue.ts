/**
 * Everything that is served, by group, version and plural. Built-in kinds come once from their definitions; custom
 * kinds come and go with their CustomResourceDefinitions. Nothing else knows whether a kind is built in.
 */
import type { KubernetesObject } from "#api/object.ts";
import type { KindName, ResourceName } from "#api/status-catalogue.ts";
import { builtInType } from "#api/schema/built-in.ts";
import type { StructType } from "#api/schema/model.ts";
import type { Column, ResourceDefinition } from "#api/resource.ts";
import type { ClusterCache } from "./cache/cluster-cache.ts";
import { registryPrefix } from "./cache/cluster-cache.ts";
import type { JsonSchema } from "#api/apiextensions/json-schema.ts";
import type { Entry } from "./cache/entry.ts";
import type { Converter } from "./crd/conversion.ts";
import type { ResourceCache } from "./cache/resource-cache.ts";

/** One resource in one of its versions. */
export interface ServedResource {
  readonly definition: ResourceDefinition;
  readonly group: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly schema: string;
  /** The fields of this version. */
  struct(): StructType;
  readonly isNamespaced: boolean;
  readonly cache: ResourceCache;
  /** For error texts: group and plural, group and kind. */
  readonly resourceName: ResourceName;
  readonly kindName: KindName;
  /** Set where this version is not the one that is stored. */
  readonly conversion?: {
    fromStored(object: KubernetesObject): KubernetesObject;
    toStored(object: KubernetesObject): KubernetesObject;
    /** This version's own field labels; they read the stored form. */
    fieldSelectors?: Readonly<Record<string, (object: KubernetesObject) => string>>;
  };
  /** Set for custom kinds: what their items in lists and their fields need. */
  readonly custom?: CustomFacts;
  /** Set where what is stored passes through a conversion that may have to ask someone: versions of custom kinds. */
  readonly storage?: StoredForms;
}

export interface StoredForms {
  /** Stored objects as this version shows them; private copies. Throws StatusError. */
  read(objects: readonly KubernetesObject[]): Promise<KubernetesObject[]>;
  /** An object of this version as it is stored. Throws StatusError. */
  write(object: KubernetesObject): Promise<KubernetesObject>;
  /** What lists and watches have been shown already. */
  readonly shownEntries: WeakMap<Entry, Entry>;
}

export interface CustomFacts {
  /** The name of the CustomResourceDefinition. */
  readonly crdName: string;
  readonly listKind: string;
  /** The fields of a version, from its OpenAPI. */
  structOf(version: string): StructType;
  /** The OpenAPI of a version; undefined where it has none. */
  schemaOf(version: string): JsonSchema | undefined;
  columnsOf(version: string): readonly Column<never>[];
  /** What clients of an old version are told. */
  deprecationOf(version: string): string | undefined;
  /** Paths of the fields that a field selector may name. */
  selectableOf(version: string): readonly string[];
  /** A CRD on its way out lets nothing new in. */
  readonly isTerminating: boolean;
  /** Between the versions of the kind. */
  readonly converter: Converter;
}

export interface GroupVersion {
  group: string;
  version: string;
}

export class Catalogue {
  readonly #cache: ClusterCache;
  readonly #builtIn: readonly ServedResource[];
  #custom = new Map<string, readonly ServedResource[]>();
  #byAddress = new Map<string, ServedResource>();
  #versions = new Map<string, Set<string>>();
  readonly #listeners = new Set<() => void>();

  constructor(cache: ClusterCache, definitions: readonly ResourceDefinition[]) {
    this.#cache = cache;
    this.#builtIn = definitions.flatMap((definition) => this.serve(definition));
    this.#index();
  }

  /** All versions of a definition, the stored one first. */
  serve(definition: ResourceDefinition, custom?: CustomFacts): ServedResource[] {
    const { group, plural, kind, scope } = definition;
    const cache = this.#cache.resource(`${registryPrefix}${group === "" ? "core" : group}/${plural}/`);
    const base = { definition, kind, plural, isNamespaced: scope === "Namespaced", cache, ...(custom && { custom }) };
    const structOf = (schema: string, version: string) => () => custom?.structOf(version) ?? builtInType(schema);
    const named = (ofGroup: string, version: string) => ({
      group: ofGroup,
      version,
      apiVersion: ofGroup === "" ? version : `${ofGroup}/${version}`,
      resourceName: { group: ofGroup, resource: plural },
      // Errors name the kind as it is stored.
      kindName: { group, kind },
    });
    return [
      {
        ...base,
        ...named(group, definition.version),
        schema: definition.schema,
        struct: structOf(definition.schema, definition.version),
      },
      ...(definition.otherVersions ?? []).map(({ fieldSelectors, ...version }) => ({
        ...base,
        ...named(version.group ?? group, version.version),
        schema: version.schema,
        struct: structOf(version.schema, version.version),
        conversion: {
          fromStored: version.fromStored,
          toStored: version.toStored,
          ...(fieldSelectors === undefined ? {} : { fieldSelectors }),
        },
      })),
    ];
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byAddress.get(`${group}/${version}/${plural}`);
  }

  /** The stored version of a resource. */
  stored(group: string, plural: string): ServedResource | undefined {
    return this.all().find((one) => one.group === group && one.plural === plural && one.conversion === undefined);
  }

  findKind(group: string, version: string, kind: string): ServedResource | undefined {
    return this.all().find((one) => one.group === group && one.version === version && one.kind === kind);
  }

  hasGroup(group: string): boolean {
    return this.#versions.has(group);
  }

  all(): readonly ServedResource[] {
    return [...this.#byAddress.values()];
  }

  builtIn(): readonly ServedResource[] {
    return this.#builtIn;
  }

  custom(): readonly ServedResource[] {
    return [...this.#custom.values()].flat();
  }

  /** Serves what a CRD describes; an empty list serves nothing more of it. */
  setCustom(crdName: string, resources: readonly ServedResource[]): void {
    if (resources.length === 0) this.#custom.delete(crdName);
    else this.#custom.set(crdName, resources);
    this.#index();
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #index(): void {
    const byAddress = new Map<string, ServedResource>();
    const versions = new Map<string, Set<string>>();
    for (const resource of [...this.#builtIn, ...[...this.#custom.values()].flat()]) {
      byAddress.set(`${resource.group}/${resource.version}/${resource.plural}`, resource);
      const known = versions.get(resource.group);
      if (known === undefined) versions.set(resource.group, new Set([resource.version]));
      else known.add(resource.version);
    }
    this.#byAddress = byAddress;
    this.#versions = versions;
  }
}
