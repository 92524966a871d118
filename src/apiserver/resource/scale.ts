/**
 * The scale subresource: an autoscaling/v1 Scale made from a few paths of the object. What is written through it goes the
 * object's own way. Upstream: registry/apps/deployment/storage/storage.go, managedfields/scalehandler.go.
 */
import { builtInType } from "#api/schema/built-in.ts";
import { parentManagedFields, scaleManagedFields, type ScaleMapping } from "#api/apply/scale.ts";
import { labelSelectorOf, labelSelectorText } from "#api/label-selector.ts";
import type { V1Scale } from "#api/generated/types.ts";
import { ageColumn, column, integer } from "#api/columns.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Column } from "#api/resource.ts";
import { applyPatch } from "#api/patch/patch.ts";
import { goQuote } from "#api/go-text.ts";
import { badRequest, internalError, notFound } from "#api/status-catalogue.ts";
import { StatusError } from "#api/status-error.ts";
import { invalid, invalidObject } from "#api/validation/field-errors.ts";
import { type ObjectAnswer, objectAnswer } from "#apiserver/answer.ts";
import type { Operation } from "#apiserver/operation.ts";
import { readAs } from "./body.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyOf } from "./keys.ts";
import { clone } from "./metadata.ts";
import { shownEntry } from "./stored-entries.ts";
import { formed } from "./views.ts";

const group = "autoscaling";

export async function getScale(operation: Operation): Promise<ObjectAnswer> {
  const { resource, info, services } = operation;
  const key = keyOf(resource, info.namespace, info.name);
  if (services.cache.revision < services.store.revision) await services.cache.waitFor();
  const entry = await shownEntry(resource, resource.cache.get(key));
  if (entry === undefined) throw notFound(resource.resourceName, info.name);
  const { specReplicas } = resource.definition.scale!;
  if (resource.custom !== undefined && valueAt(entry.object, specReplicas) === undefined)
    throw internalError(`the spec replicas field ${goQuote(specReplicas)} does not exist`);
  const scale = withoutManagedFields(scaleOf(operation, entry.object));
  const { form, now } = operation;
  if (form.as !== "Table") return objectAnswer(scale);
  return objectAnswer(
    formed({ resource, form, now, includeObject: undefined, columns: scaleColumns }, scale, { withColumns: true }),
  );
}

/** Upstream: printScale. */
const scaleColumns: readonly Column<KubernetesObject>[] = [
  column("Name", ["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", "name"], ({ metadata }) => metadata.name ?? ""),
  column(
    "Desired",
    ["autoscaling.v1.ScaleSpec", "replicas"],
    (scale) => (scale as V1Scale).spec?.replicas ?? 0,
    integer,
  ),
  column(
    "Available",
    ["autoscaling.v1.ScaleStatus", "replicas"],
    (scale) => (scale as V1Scale).status?.replicas ?? 0,
    integer,
  ),
  ageColumn,
];

/** The endpoint that PUT, the patches and apply work on. */
export function scaleEndpoint(operation: Operation): Endpoint {
  const { definition } = operation.resource;
  const struct = builtInType("io.k8s.api.autoscaling.v1.Scale");
  return {
    struct,
    group,
    version: "v1",
    kind: "Scale",
    strategy: definition,
    isMain: true,
    allowsCreate: false,
    resetFields: [["status"]],
    formOf: (stored) => scaleOf(operation, stored) as KubernetesObject,
    storedOf(form, current) {
      const { resourceName } = operation.resource;
      if (current === undefined) throw notFound(resourceName, operation.info.name);
      return withScale(operation, form as V1Scale, current);
    },
    patch: (type, bytes, live, fieldValidation) =>
      applyPatch(type, bytes, live, { group, version: "v1", kind: "Scale", struct }, fieldValidation),
    async read(fieldValidation) {
      try {
        return await readAs(
          operation.request,
          { group, version: "v1", kind: "Scale", struct },
          fieldValidation,
          operation.warnings,
        );
      } catch (error) {
        throw isUndecodable(operation, error) ? badRequest(unknownScale) : error;
      }
    },
    show: (stored) => withoutManagedFields(scaleOf(operation, stored)),
  };
}

/** What upstream's handler of custom kinds says of every body that it cannot read as a Scale. */
const unknownScale =
  'no kind is registered for the type v1.Scale in scheme "k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go:781"';

const isUndecodable = ({ resource }: Operation, error: unknown): boolean =>
  resource.custom !== undefined && error instanceof StatusError && error.status.code === 400;

type Fields = Record<string, unknown>;

/** ".spec.replicas" as keys. */
const keysOf = (path: string): string[] => path.replace(/^\./, "").split(".");

function valueAt(object: unknown, path: string): unknown {
  return keysOf(path).reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], object);
}

function scaleOf({ resource }: Operation, object: KubernetesObject): V1Scale {
  const paths = resource.definition.scale!;
  const { name, namespace, uid, resourceVersion, creationTimestamp, managedFields } = object.metadata;
  const replicas = (valueAt(object, paths.specReplicas) ?? 0) as number;
  const entries = scaleManagedFields(managedFields, mappingOf(resource));
  const selector = selectorText(object, paths.labelSelector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      creationTimestamp,
      ...(entries.length === 0 ? {} : { managedFields: entries }),
    },
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: (valueAt(object, paths.statusReplicas) ?? 0) as number,
      ...(selector === "" ? {} : { selector }),
    },
  } as V1Scale;
}

/** Built-in kinds have a selector as an object in their spec; custom kinds name a path with its text. */
function selectorText(object: KubernetesObject, path: string | undefined): string {
  const given = path === undefined ? undefined : valueAt(object, path);
  if (typeof given === "string") return given;
  const selector = (object as { spec?: { selector?: unknown } }).spec?.selector;
  if (selector === undefined || selector === null || typeof selector !== "object") return "";
  const isPlain = !("matchLabels" in selector) && !("matchExpressions" in selector);
  return labelSelectorText(labelSelectorOf((isPlain ? { matchLabels: selector } : selector) as never));
}

function withScale({ resource }: Operation, scale: V1Scale, current: KubernetesObject): KubernetesObject {
  const { definition } = resource;
  const replicas = scale.spec?.replicas ?? 0;
  // A custom kind's own checks tell of its own path.
  if (replicas < 0 && resource.custom === undefined) {
    const error = invalid("spec.replicas", replicas, "must be greater than or equal to 0");
    throw invalidObject({ group, kind: "Scale" }, scale.metadata.name ?? "", [error]);
  }
  const object = clone(current);
  const keys = keysOf(definition.scale!.specReplicas);
  const parent = keys
    .slice(0, -1)
    .reduce<Fields>((value, key) => (value[key] ??= {}) as Fields, object as unknown as Fields);
  parent[keys.at(-1)!] = replicas;
  const entries = parentManagedFields(
    current.metadata.managedFields,
    scale.metadata.managedFields,
    mappingOf(resource),
  );
  if (entries.length === 0) delete object.metadata.managedFields;
  else object.metadata.managedFields = entries;
  const { resourceVersion } = scale.metadata;
  if (resourceVersion === undefined && resource.custom === undefined) delete object.metadata.resourceVersion;
  else if (resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion;
  return object;
}

function mappingOf({ definition, apiVersion }: Operation["resource"]): ScaleMapping {
  const path = keysOf(definition.scale!.specReplicas);
  return { apiVersion, replicasPaths: { [apiVersion]: path } };
}

function withoutManagedFields(scale: V1Scale): V1Scale {
  const { managedFields: _, ...metadata } = scale.metadata;
  return { ...scale, metadata };
}
