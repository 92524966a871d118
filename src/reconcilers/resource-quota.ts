/** Counts what a namespace uses of its quotas. Upstream: pkg/controller/resourcequota. */
import { addUsage, isInScope, limitsKind, usageOf, type Usage } from "#api/core/quota-usage.ts";
import type { V1ResourceQuota } from "#api/generated/types.ts";
import type { UnknownObject } from "#api/object.ts";
import { quantityText } from "#api/quantity.ts";
import type { EveryKindReconciler, KindKey, KindsView, ServedKind } from "./every-kind.ts";
import { ResourceQuota } from "./kinds.ts";
import { updateStatus } from "./reconciler.ts";
import { canonical } from "./template-hash.ts";

export const resourceQuotaReconciler: EveryKindReconciler = {
  name: "resourcequota",
  keys: function* (kind, { object, old, type }, view): Iterable<KindKey> {
    if (isQuota(kind)) {
      if (type !== "deleted") yield { kind, key: object.metadata };
    } else if (type === "modified" && old !== undefined && !mayCountOtherwise(kind, object, old)) return;
    const quotas = view.resolve("v1", "ResourceQuota");
    const { namespace } = object.metadata;
    if (quotas === undefined || namespace === undefined) return;
    for (const { metadata } of view.list(quotas, namespace)) yield { kind: quotas, key: metadata };
  },
  inputs: () => new Map(),
  reconcile(kind, object, view, { now }) {
    if (!isQuota(kind) || object.metadata.deletionTimestamp !== undefined) return [];
    const quota = object as unknown as V1ResourceQuota;
    const hard = quota.spec?.hard ?? {};
    const all = usedIn(quota, view, now);
    const used = Object.fromEntries(
      Object.keys(hard).map((name) => [name, all[name] === undefined ? "0" : quantityText(all[name])]),
    );
    const status = { hard, used };
    return canonical(status) === canonical(quota.status ?? {})
      ? []
      : [updateStatus(ResourceQuota, { ...quota, status })];
  },
};

const isQuota = ({ group, kind }: ServedKind): boolean => group === "" && kind === "ResourceQuota";

/** Most changes of an object change nothing that is counted. */
function mayCountOtherwise({ group, plural }: ServedKind, object: UnknownObject, old: UnknownObject): boolean {
  if (group !== "" || !["pods", "persistentvolumeclaims", "services"].includes(plural)) return false;
  const facts = ({ metadata, spec, status }: UnknownObject): string =>
    canonical([spec, metadata.deletionTimestamp, (status as { phase?: string } | undefined)?.phase]);
  return facts(object) !== facts(old);
}

function usedIn(quota: V1ResourceQuota, view: KindsView, now: number): Usage {
  const names = Object.keys(quota.spec?.hard ?? {});
  let used: Usage = {};
  for (const kind of view.kinds) {
    if (kind.scope !== "Namespaced" || !names.some((name) => limitsKind(name, kind.group, kind.plural))) continue;
    for (const object of view.list(kind, quota.metadata.namespace) as readonly UnknownObject[])
      if (isInScope(quota, kind.group, kind.plural, object))
        used = addUsage(used, usageOf(kind.group, kind.plural, object, now));
  }
  return used;
}
