/**
 * A request as a policy or a webhook sees it: objects in the version that matched, a subresource's own kind where it has one,
 * and what is said about the request itself. Upstream: apiserver/pkg/admission/conversion.go, plugin/webhook/request.
 */
import { type Conformed, type Dialect, conform } from "#api/decode/conform.ts";
import type { KubernetesObject } from "#api/object.ts";
import { builtInType, builtInTypeOf } from "#api/schema/built-in.ts";
import { omitEmpties } from "#api/schema/empties.ts";
import type { StructType } from "#api/schema/model.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import { clone } from "#apiserver/resource/metadata.ts";
import { isNamespace } from "./match.ts";

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export interface AdmissionView {
  readonly request: AdmissionRequest;
  readonly matched: ServedResource;
  readonly object: KubernetesObject | undefined;
  readonly old: KubernetesObject | undefined;
}

export async function viewOf(request: AdmissionRequest, matched: ServedResource): Promise<AdmissionView> {
  const { object, old, options, form, operation } = request;
  const seen = async (one: KubernetesObject | undefined) => {
    if (one === undefined) return undefined;
    return form === undefined ? shown(one, request.resource, matched) : form.of(one);
  };
  return {
    request,
    matched,
    object: options ?? (operation === "DELETE" ? undefined : await seen(object)),
    old: await seen(old),
  };
}

/** In the version that matched. Objects of custom kinds are in the request's version, those of others as they are stored. */
async function shown(
  object: KubernetesObject,
  { custom, apiVersion }: ServedResource,
  matched: ServedResource,
): Promise<KubernetesObject> {
  if (custom === undefined) return matched.conversion?.fromStored(object) ?? object;
  if (matched.apiVersion === apiVersion) return object;
  const [converted] = await custom.converter.convert([object], matched.apiVersion);
  return converted!;
}

/**
 * What a mutation made of the view's object, as an object of its type again: nulls, unknown fields and texts take the form that
 * a body's would. Of custom kinds only the metadata has a type. Throws ConformError.
 */
export function conformed(
  { request, matched }: AdmissionView,
  changed: KubernetesObject,
  dialect: Dialect = "json",
): { object: KubernetesObject; strictErrors: string[] } {
  const { form, options } = request;
  if (form === undefined && options === undefined && matched.custom !== undefined) {
    const meta = builtInType("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    const { object } = withoutEmpties(changed.metadata ?? {}, meta, dialect);
    return { object: { ...changed, metadata: object }, strictErrors: [] };
  }
  const struct = structOf({ request, matched });
  if (struct === undefined) return { object: changed, strictErrors: [] };
  const { object, strictErrors } = withoutEmpties(changed, struct, dialect);
  return { object: object as unknown as KubernetesObject, strictErrors };
}

/** The fields of what a request shows, or of the other kind that its subresource takes; unknown of what connects. */
export function structOf({ request, matched }: Pick<AdmissionView, "request" | "matched">): StructType | undefined {
  if (request.form === undefined && request.options === undefined) return matched.struct();
  const { group, version, kind } = kindOf(matched, request.subresource);
  return builtInTypeOf(group, version, kind);
}

function withoutEmpties(value: unknown, struct: StructType, dialect: Dialect): Conformed {
  const found = conform(value, struct, { dialect });
  if (found.holdsEmpties) omitEmpties(found.object, struct);
  return found;
}

/** Puts what became of the view's object back into the request, with its defaults. */
export async function writeBack(view: AdmissionView, changed: KubernetesObject): Promise<void> {
  const { form, object, options, resource } = view.request;
  await putBack(view, changed);
  if (form === undefined && options === undefined) resource.definition.defaults?.(object!);
}

async function putBack({ request, matched }: AdmissionView, changed: KubernetesObject): Promise<void> {
  const { form, resource, object, options } = request;
  if (options !== undefined) return replaceObject(options, changed);
  if (form !== undefined) return replaceObject(object!, form.into(changed, object!));
  if (resource.custom === undefined) return replaceObject(object!, matched.conversion?.toStored(changed) ?? changed);
  const [own] = await resource.custom.converter.convert([changed], resource.apiVersion);
  return replaceObject(object!, own!);
}

/** The request holds on to its object, and others on to its metadata: both are changed in place. */
function replaceObject(object: KubernetesObject, by: KubernetesObject): void {
  const target = object as unknown as Record<string, unknown>;
  const { metadata } = object;
  const { uid, creationTimestamp } = metadata ?? {};
  const fresh = clone(by);
  for (const name of Object.keys(target)) if (!Object.hasOwn(fresh, name)) delete target[name];
  Object.assign(target, fresh);
  // What connects has no metadata.
  if (metadata === undefined) return;
  for (const name of Object.keys(metadata)) delete (metadata as Record<string, unknown>)[name];
  object.metadata = Object.assign(metadata, {
    ...(uid === undefined ? {} : { uid }),
    ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    ...fresh.metadata,
  });
}

/** What a subresource takes, where it is another kind than the resource's own. */
export function kindOf({ definition, kind, group, version }: ServedResource, subresource: string): GroupVersionKind {
  if (subresource === "scale" && definition.scale !== undefined)
    return { group: "autoscaling", version: "v1", kind: "Scale" };
  const connect = definition.connects?.[subresource];
  if (connect === undefined) return { group, version, kind };
  return { group: connect.group ?? group, version: connect.version ?? version, kind: connect.kind };
}

/** The namespace of a request; that of a Namespace is the Namespace itself. */
export const namespaceNameOf = (request: AdmissionRequest): string =>
  isNamespace(request) ? nameOf(request) : request.namespace;

/** The name of what is asked for: none, while that of a new object is still to be generated. */
function nameOf({ operation, subresource, object, name }: AdmissionRequest): string {
  return operation === "CREATE" && subresource === "" && object !== undefined ? (object.metadata.name ?? "") : name;
}

/** What is said of the request, beside its objects: what is empty is not there. */
export function requestOf({ request, matched }: Pick<AdmissionView, "request" | "matched">) {
  const { resource, subresource, operation, user, dryRun, operationOptions } = request;
  const name = nameOf(request);
  const at = (one: ServedResource) => ({ group: one.group, version: one.version, resource: one.plural });
  const namespace = namespaceNameOf(request);
  const { uid = "", groups, extra = {} } = user;
  return {
    kind: kindOf(matched, subresource),
    resource: at(matched),
    ...(subresource === "" ? {} : { subResource: subresource }),
    requestKind: kindOf(resource, subresource),
    requestResource: at(resource),
    ...(subresource === "" ? {} : { requestSubResource: subresource }),
    ...(name === "" ? {} : { name }),
    ...(namespace === "" ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(uid === "" ? {} : { uid }),
      ...(groups.length === 0 ? {} : { groups }),
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    },
    dryRun,
    options: operationOptions ?? null,
  };
}
