/**
 * Fills in what containers do not ask for and refuses what a namespace's LimitRanges do not allow. Upstream:
 * plugin/pkg/admission/limitranger.
 */
import { podLimits, podRequests, type Amounts } from "#api/core/pod-resources.ts";
import type {
  V1Container,
  V1LimitRange,
  V1LimitRangeItem,
  V1PersistentVolumeClaim,
  V1Pod,
} from "#api/generated/types.ts";
import { canonicalQuantity, compareQuantities, isZeroQuantity, toQuantity, type QuantityLike } from "#api/quantity.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { aggregateText } from "#api/validation/field-errors.ts";
import { objectsIn } from "./lookup.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const annotation = "kubernetes.io/limit-ranger";

type List = Readonly<Record<string, QuantityLike>>;

export const limitRanger: AdmissionPlugin = {
  name: "LimitRanger",
  mutate(request) {
    if (!isPodWithNewResources(request)) return;
    for (const range of rangesOf(request)) fillIn(request.object as V1Pod, range);
  },
  validate(request) {
    const errorsOf = checkFor(request);
    if (errorsOf === undefined) return;
    for (const range of rangesOf(request)) {
      const errors = (range.spec?.limits ?? []).flatMap(errorsOf);
      if (errors.length > 0) throw forbiddenRequest(request.resource.resourceName, request.name, aggregateText(errors));
    }
  },
};

/** Besides a new pod only a resize changes what containers ask for. */
function isPodWithNewResources(request: AdmissionRequest): boolean {
  if (request.object === undefined || isLeaving(request)) return false;
  if (request.operation === "UPDATE") return isFor(request, "", "pods", "resize");
  return request.operation === "CREATE" && isFor(request, "", "pods");
}

const isLeaving = ({ old }: AdmissionRequest): boolean => old?.metadata.deletionTimestamp !== undefined;

function checkFor(request: AdmissionRequest): ((item: V1LimitRangeItem) => string[]) | undefined {
  const { object, operation } = request;
  if (isPodWithNewResources(request)) return (item) => podErrors(item, object as V1Pod);
  if (object === undefined || isLeaving(request) || !isFor(request, "", "persistentvolumeclaims")) return undefined;
  if (operation !== "CREATE" && operation !== "UPDATE") return undefined;
  return (item) => claimErrors(item, object as V1PersistentVolumeClaim);
}

const rangesOf = ({ services, namespace }: AdmissionRequest): V1LimitRange[] =>
  objectsIn<V1LimitRange>(services, "/registry/core/limitranges/", namespace);

function fillIn(pod: V1Pod, { spec }: V1LimitRange): void {
  const limits: Record<string, string> = {};
  const requests: Record<string, string> = {};
  for (const item of spec?.limits ?? []) {
    if (item.type !== "Container") continue;
    Object.assign(limits, item.default);
    Object.assign(requests, item.defaultRequest);
  }
  const told = [
    ...(pod.spec?.containers ?? []).flatMap((container) => fillContainer(container, "container", requests, limits)),
    ...(pod.spec?.initContainers ?? []).flatMap((one) => fillContainer(one, "init container", requests, limits)),
  ];
  if (told.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${told.join("; ")}`,
  };
}

/** Says what it set. */
function fillContainer(
  container: V1Container,
  kind: string,
  requests: Record<string, string>,
  limits: Record<string, string>,
): string[] {
  const told: string[] = [];
  for (const [field, label, usual] of [
    ["requests", "request", requests],
    ["limits", "limit", limits],
  ] as const) {
    const own = container.resources?.[field] ?? {};
    const missing = Object.keys(usual)
      .filter((name) => own[name] === undefined)
      .sort();
    if (missing.length === 0) continue;
    const filled = Object.fromEntries(missing.map((name) => [name, usual[name]!]));
    container.resources = { ...container.resources, [field]: { ...own, ...filled } };
    told.push(`${missing.join(", ")} ${label} for ${kind} ${container.name}`);
  }
  return told;
}

function podErrors(item: V1LimitRangeItem, { spec }: V1Pod): string[] {
  if (item.type === "Container")
    return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].flatMap(({ resources }) =>
      boundErrors(item, resources?.requests ?? {}, resources?.limits ?? {}),
    );
  if (item.type !== "Pod" || spec === undefined) return [];
  const whole = (list: Amounts, own: Record<string, string> | undefined): List => ({ ...list, ...own });
  return boundErrors(
    item,
    whole(podRequests(spec), spec.resources?.requests),
    whole(podLimits(spec), spec.resources?.limits),
  );
}

function boundErrors(item: V1LimitRangeItem, requests: List, limits: List): string[] {
  return [
    ...each(item.min, (name, bound) => minError(item.type, name, bound, requests[name], limits[name])),
    ...each(item.max, (name, bound) => maxError(item.type, name, bound, requests[name], limits[name])),
    ...each(item.maxLimitRequestRatio, (name, bound) =>
      ratioError(item.type, name, bound, requests[name], limits[name]),
    ),
  ];
}

function each(
  bounds: Record<string, string> | undefined,
  errorOf: (name: string, bound: string) => string | undefined,
): string[] {
  return Object.keys(bounds ?? {})
    .sort()
    .map((name) => errorOf(name, bounds![name]!))
    .filter((text) => text !== undefined);
}

type Amount = QuantityLike | undefined;

function minError(type: string, name: string, bound: string, request: Amount, limit: Amount): string | undefined {
  const text = `minimum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  if (request === undefined) return `${text}.  No request is specified`;
  if (compareQuantities(request, bound) < 0) return `${text}, but request is ${canonicalQuantity(request)}`;
  if (limit !== undefined && compareQuantities(limit, bound) < 0)
    return `${text}, but limit is ${canonicalQuantity(limit)}`;
  return undefined;
}

function maxError(type: string, name: string, bound: string, request: Amount, limit: Amount): string | undefined {
  const text = `maximum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  if (limit === undefined) return `${text}.  No limit is specified`;
  if (compareQuantities(limit, bound) > 0) return `${text}, but limit is ${canonicalQuantity(limit)}`;
  if (request !== undefined && compareQuantities(request, bound) > 0)
    return `${text}, but request is ${canonicalQuantity(request)}`;
  return undefined;
}

function ratioError(type: string, name: string, bound: string, request: Amount, limit: Amount): string | undefined {
  const text = `${name} max limit to request ratio per ${type} is ${canonicalQuantity(bound)}`;
  if (request === undefined || isZeroQuantity(request)) return `${text}, but no request is specified or request is 0`;
  if (limit === undefined || isZeroQuantity(limit)) return `${text}, but no limit is specified or limit is 0`;
  const ratio = Number(toQuantity(limit).nanos) / Number(toQuantity(request).nanos);
  const isOver = ratio * 1000 > Number(toQuantity(bound).nanos) / 1e6;
  return isOver ? `${text}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}

/** Claims have no limits, only a request. */
function claimErrors(item: V1LimitRangeItem, { spec }: V1PersistentVolumeClaim): string[] {
  if (item.type !== "PersistentVolumeClaim") return [];
  const requests = spec?.resources?.requests ?? {};
  return [
    ...each(item.min, (name, bound) => minError(item.type, name, bound, requests[name], undefined)),
    ...each(item.max, (name, bound) => maxRequestError(item.type, name, bound, requests[name])),
  ];
}

function maxRequestError(type: string, name: string, bound: string, request: Amount): string | undefined {
  const text = `maximum ${name} usage per ${type} is ${canonicalQuantity(bound)}`;
  if (request === undefined) return `${text}.  No request is specified`;
  if (compareQuantities(request, bound) > 0) return `${text}, but request is ${canonicalQuantity(request)}`;
  return undefined;
}
