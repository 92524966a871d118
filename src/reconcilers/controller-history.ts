/** Past templates of stateful and daemon sets, kept as ControllerRevisions. Upstream: pkg/controller/history. */
import type { V1PodTemplateSpec } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { controllerOf } from "#client/view.ts";
import { ControllerRevision } from "./kinds.ts";
import { controllerReference } from "./ownership.ts";
import { create, patch, remove, update, type AnyRef, type Change, type View } from "./reconciler.ts";
import { canonical, templateHash } from "./template-hash.ts";

export interface History {
  /** Oldest first; the newest is that of the current template, even if it has yet to be made. */
  revisions: ControllerRevision[];
  newest: ControllerRevision;
  changes: Change[];
  /** True if somebody else's revision has the name. */
  collided: boolean;
}

export interface HistoryOptions {
  owner: KubernetesObject;
  ownerRef: AnyRef;
  template: V1PodTemplateSpec;
  collisionCount: number;
  /** The label that carries the hash of the template. */
  hashLabel: string;
  view: View;
}

/** Longer names of owners are cut. */
const prefixLengthMax = 223;

export function historyOf({ owner, ownerRef, template, collisionCount, hashLabel, view }: HistoryOptions): History {
  const owned = [...view.ownedBy(owner, ControllerRevision)].sort(byRevision);
  const data = { spec: { template: { $patch: "replace", ...template } } };
  const wished = canonical(data);
  const number = Math.max(0, ...owned.map(({ revision }) => revision)) + 1;
  const equal = owned.filter((each) => canonical(each.data) === wished).at(-1);
  if (equal !== undefined && equal === owned.at(-1))
    return { revisions: owned, newest: equal, changes: [], collided: false };
  if (equal !== undefined) {
    const newest = { ...equal, revision: number };
    const revisions = [...owned.filter((each) => each !== equal), newest];
    return { revisions, newest, changes: [update(ControllerRevision, newest)], collided: false };
  }
  const hash = templateHash(template, collisionCount);
  const { name, namespace, annotations } = owner.metadata;
  const newest: ControllerRevision = {
    metadata: {
      name: `${name?.slice(0, prefixLengthMax)}-${hash}`,
      namespace: namespace!,
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(owner, ownerRef)],
    },
    data,
    revision: number,
  };
  const revisions = [...owned, newest];
  // What is being deleted makes nothing, nor does it take back what it has left behind.
  if (owner.metadata.deletionTimestamp !== undefined) return { revisions, newest, changes: [], collided: false };
  const other = view.get(ControllerRevision, newest.metadata);
  if (other === undefined)
    return { revisions, newest, changes: [create(ControllerRevision, newest, fine)], collided: false };
  const adoptable = controllerOf(other) === undefined && canonical(other.data) === wished;
  if (!adoptable) return { revisions, newest, changes: [], collided: true };
  const { resourceVersion } = other.metadata;
  const metadata = { resourceVersion, ownerReferences: [controllerReference(owner, ownerRef)] };
  return { revisions, newest, changes: [patch(ControllerRevision, other, "merge", { metadata })], collided: false };
}

const fine = { existsIsFine: true };

const byRevision = (a: ControllerRevision, b: ControllerRevision): number =>
  a.revision - b.revision || ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1);

export function templateOf({ data }: ControllerRevision): V1PodTemplateSpec {
  const { $patch: _, ...template } = (data as { spec: { template: V1PodTemplateSpec & { $patch?: string } } }).spec
    .template;
  return template;
}

/** Revisions beyond the limit that nobody uses go, the oldest first. Of `counted`, only the unused ones go. */
export function forgotten(
  revisions: readonly ControllerRevision[],
  used: ReadonlySet<string>,
  limit: number,
  isCounted = ({ metadata }: ControllerRevision): boolean => !used.has(metadata.name ?? ""),
): Change[] {
  const made = revisions.filter(({ metadata }) => metadata.uid !== undefined);
  const surplus = Math.max(0, made.filter(isCounted).length - limit);
  return made
    .filter(({ metadata }) => !used.has(metadata.name ?? ""))
    .slice(0, surplus)
    .map((each) => remove(ControllerRevision, each));
}
