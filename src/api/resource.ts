/**
 * The contract of a kind: everything that makes one kind differ from another, in one file a kind. The API server's one
 * generic handler reads these definitions and has no branches of its own for a kind. No I/O, no clock.
 */
import type { FieldError } from "./field-error.ts";
import type { KubernetesObject } from "./object.ts";

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";
export const allVerbs: readonly Verb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

/** What a definition may know about the request at hand. */
export interface RequestContext {
  /** Milliseconds since the epoch, read once a request. */
  now: number;
  user: { name: string; uid?: string; groups: readonly string[]; extra?: Readonly<Record<string, readonly string[]>> };
  dryRun: boolean;
  /** The API group of the request, where one kind is served under several ("" or "events.k8s.io"). */
  group?: string;
  /** Tells the client something, whether or not validation refuses the object in the end. */
  warn?(text: string): void;
}

/** How one endpoint of a kind (the main one, or a subresource that takes the whole object) changes what it was sent. */
export interface Strategy<T> {
  /** Fills and strips fields before validation on create: upstream's PrepareForCreate. Changes `object`, a private copy. */
  prepareCreate?(object: T, context: RequestContext): void;
  /** Carries over what this endpoint may not change: upstream's PrepareForUpdate. Changes `object`; `old` is read-only. */
  prepareUpdate?(object: T, old: T, context: RequestContext): void;
  /** All errors of an object at once, in upstream's order; `old` is undefined on create. */
  validate?(object: T, old: T | undefined, context: RequestContext): FieldError[];
  /** Texts of `Warning: 299` headers. */
  warnings?(object: T, old: T | undefined, context: RequestContext): string[];
  /**
   * How often upstream's own code of this endpoint looks at the metadata of an update, beside the generic code: at all of
   * it, and at the form of labels and the like alone. Each look tells each fault. Default: once each.
   */
  metadataLooks?: { whole: number; form: number };
  /** Managed-field paths that this endpoint does not own (upstream's GetResetFields), as path arrays. */
  resetFields?: readonly (readonly string[])[];
  /** The only paths that it owns, where that is shorter (upstream's GetResetFieldsFilter); `*` stands for any one key. */
  ownedFields?: readonly (readonly string[])[];
}

/** A column of `kubectl get`. The first is always Name; priority 1 shows with `-o wide` only. */
export interface Column<T> {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  format?: string;
  priority?: number;
  description?: string;
  /** Rows have its cell, but the table's head does not name it: upstream forgot some. */
  isUndescribed?: boolean;
  /** A cell: string, number, boolean or null. `now` is for ages. */
  value(object: T, now: number): unknown;
}

export interface ScalePaths {
  specReplicas: string;
  statusReplicas: string;
  labelSelector?: string;
}

export interface ResourceDefinition<T extends KubernetesObject = KubernetesObject> extends Strategy<T> {
  /** "" for the core group. */
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular?: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  scope: "Namespaced" | "Cluster";
  /** The type's name in the schema table, e.g. "io.k8s.api.apps.v1.ReplicaSet". */
  schema: string;
  verbs?: readonly Verb[];
  /** `status` with its own strategy, `scale` with its paths; others (binding, eviction, token, log …) by name: src/apiserver serves them. */
  status?: Strategy<T> | undefined;
  scale?: ScalePaths;
  subresources?: Readonly<Record<string, Strategy<T>>>;
  /** How discovery names the subresources that take or give another kind (exec, log, binding, token …). */
  connects?: Readonly<Record<string, Connect>>;
  /** "group/version" that storageVersionHash is made of, where it is not this definition's own. */
  storageVersion?: string;
  /** Static defaults of this version (upstream's SetDefaults_*). Changes `object`, a private copy. Twice is the same as once. */
  defaults?(object: T): void;
  /** When metadata.generation grows. Default "spec": when anything but metadata and status changes. "none": never set. */
  generation?: "spec" | "none" | ((object: T, old: T) => boolean);
  /** Fields that a field selector may name beside metadata.name and metadata.namespace. */
  fieldSelectors?: Readonly<Record<string, (object: T) => string>>;
  /** How upstream refuses any other field; default "field label not supported: spec.x". */
  unknownFieldText?: (field: string) => string;
  columns?: readonly Column<T>[];
  /** Text of a Warning on every request for this kind, reads too. */
  deprecation?: string;
  /** Annotations that upstream's own form of an object has as fields: what shows nothing but metadata lacks them. */
  hiddenAnnotations?: readonly string[];
  /** Conditions of a Table row (a finished pod has one). */
  rowConditions?(object: T): RowCondition[];
  /** Upstream's AllowCreateOnUpdate: PUT of a missing object creates it. */
  allowCreateOnUpdate?: boolean;
  /** Upstream's AllowUnconditionalUpdate: PUT without resourceVersion is fine. Default true. */
  allowUnconditionalUpdate?: boolean;
  /** DELETE answers with the object instead of a Status. */
  deleteReturnsObject?: boolean;
  /** Propagation where the client names none. Default "Background". */
  defaultPropagation?: "Orphan" | "Background" | "Foreground";
  /** Text of a Warning on a DELETE that names no propagation. */
  propagationWarning?: string;
  /** Graceful deletion: seconds to wait for this object, 0 for at once; undefined: the kind knows no grace. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number | undefined;
  /** Other served versions of the same objects: the schema to show and how to turn the stored form into it and back. */
  otherVersions?: readonly OtherVersion<T>[];
  /** A name is valid if this finds no fault; default: DNS-1123 subdomain. Returns messages. */
  validateName?(name: string, prefix: boolean): string[];
}

export interface RowCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}

/** One subresource of another kind, as discovery shows it. */
export interface Connect {
  kind: string;
  group?: string;
  version?: string;
  verbs: readonly Verb[];
}

export interface OtherVersion<T> {
  version: string;
  schema: string;
  group?: string;
  fromStored(object: T): KubernetesObject;
  toStored(object: KubernetesObject): T;
  /** Where this version's field labels have names of their own: they read the stored form. */
  fieldSelectors?: Readonly<Record<string, (object: T) => string>>;
}

/** Checks nothing and changes nothing: it ties a definition to its type. */
export function defineResource<T extends KubernetesObject>(definition: ResourceDefinition<T>): ResourceDefinition<T> {
  return definition;
}
