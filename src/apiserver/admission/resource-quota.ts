/**
 * Refuses what would exceed a namespace's quotas, and charges them in the transaction that writes the object: a quota never
 * counts what was not written. Quotas hold by their status; one without status holds nothing yet. Upstream:
 * apiserver/pkg/admission/plugin/resourcequota/controller.go.
 */
import {
  addUsage,
  constraintError,
  hasDeadline,
  isInScope,
  limitsKind,
  subtractUsage,
  usageOf,
  type Usage,
} from "#api/core/quota-usage.ts";
import type { V1Pod, V1ResourceQuota } from "#api/generated/types.ts";
import { canonicalQuantity, compareQuantities, quantityText, toQuantity } from "#api/quantity.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { encodeStored } from "#apiserver/cache/encoding.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const prefix = "/registry/core/resourcequotas/";
/** Events come and go in such numbers that counting them would stop a namespace; others are never stored. */
const uncounted = new Set([
  "/events",
  "events.k8s.io/events",
  "/bindings",
  "authorization.k8s.io/localsubjectaccessreviews",
]);

export const resourceQuota: AdmissionPlugin = {
  name: "ResourceQuota",
  async validate(request) {
    const { namespace, services, dryRun } = request;
    if (namespace === "" || request.object === undefined || !mayCount(request)) return;
    const quotas = services.cache.resource(prefix);
    if (quotas.entries.range(`${namespace}/`).next().done === true) return;
    if (dryRun) {
      charges(request);
      return;
    }
    // Invariant: one at a time reads a namespace's quotas and writes them, so that nobody here loses a race for them.
    const leave = await quotas.turns.enter(`${namespace}/`);
    request.settle.push(leave);
    request.writes.push(...charges(request));
  },
};

/** Only these operations can change what is counted. */
function mayCount(request: AdmissionRequest): boolean {
  const { operation, resource, subresource } = request;
  if (uncounted.has(`${resource.definition.group}/${resource.plural}`)) return false;
  if (operation === "CREATE") return subresource === "";
  if (operation !== "UPDATE") return false;
  return (
    isFor(request, "", "services") ||
    isFor(request, "", "persistentvolumeclaims") ||
    isFor(request, "", "pods", "resize") ||
    (isFor(request, "", "pods") && changesScope(request))
  );
}

/** A pod that is given a deadline is held by other quotas from then on. */
const changesScope = ({ object, old }: AdmissionRequest): boolean =>
  hasDeadline((object as V1Pod).spec) !== hasDeadline((old as V1Pod | undefined)?.spec);

/** The new versions of the quotas that this request is charged to. */
function charges(request: AdmissionRequest) {
  const { namespace, services } = request;
  const entries = [...services.cache.resource(prefix).entries.range(`${namespace}/`)];
  return entries.flatMap((entry) => {
    const quota = entry.object as V1ResourceQuota;
    const used = usedAfter(request, quota);
    return used === undefined ? [] : [charge(entry, quota, used)];
  });
}

function charge({ key, revision }: Entry, quota: V1ResourceQuota, used: Usage) {
  const texts = Object.fromEntries(Object.entries(used).map(([name, amount]) => [name, quantityText(amount)]));
  const charged: V1ResourceQuota = { ...quota, status: { ...quota.status, used: texts } };
  const value = encodeStored(charged);
  return { key: prefix + key, value, expectedModRevision: revision };
}

/** What the quota would count with this request; undefined if nothing more. */
function usedAfter(request: AdmissionRequest, quota: V1ResourceQuota): Usage | undefined {
  const { resource, object } = request;
  const { group } = resource.definition;
  const { hard = {}, used = {} } = quota.status ?? {};
  const names = Object.keys(hard).filter((name) => limitsKind(name, group, resource.plural));
  if (names.length === 0 || !isInScope(quota, group, resource.plural, object!)) return undefined;
  const refuse = (text: string) => forbiddenRequest(resource.resourceName, request.name, text);
  const name = quota.metadata.name ?? "";
  const fault = isFor(request, "", "pods", request.subresource) ? constraintError(names, object as V1Pod) : undefined;
  if (fault !== undefined) throw refuse(`failed quota: ${name}: ${fault}`);
  if (names.some((one) => used[one] === undefined))
    throw refuse(`status unknown for quota: ${name}, resources: ${names.toSorted().join(",")}`);
  const more = addedUsage(request, quota);
  const counted = names.filter((one) => more[one] !== undefined && more[one].nanos !== 0n);
  if (counted.length === 0) return undefined;
  const added = Object.fromEntries(counted.map((one) => [one, more[one]!]));
  const before = Object.fromEntries(Object.entries(used).map(([one, amount]) => [one, toQuantity(amount)]));
  const after = addUsage(before, added);
  const exceeded = counted.filter((one) => compareQuantities(after[one]!, hard[one]!) > 0).toSorted();
  if (exceeded.length > 0) {
    const list = (of: (one: string) => string): string => exceeded.map((one) => `${one}=${of(one)}`).join(",");
    const requested = list((one) => quantityText(added[one]!));
    const now = list((one) => canonicalQuantity(used[one]!));
    const limited = list((one) => canonicalQuantity(hard[one]!));
    throw refuse(`exceeded quota: ${name}, requested: ${requested}, used: ${now}, limited: ${limited}`);
  }
  return after;
}

/** A change is charged for what it adds, unless the quota did not hold the object before. */
function addedUsage({ resource, object, old, operation, now }: AdmissionRequest, quota: V1ResourceQuota): Usage {
  const { group } = resource.definition;
  const usage = usageOf(group, resource.plural, object!, now);
  if (operation !== "UPDATE" || old === undefined || !isInScope(quota, group, resource.plural, old)) return usage;
  return subtractUsage(usage, usageOf(group, resource.plural, old, now));
}
