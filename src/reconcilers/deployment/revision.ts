/**
 * Which replica set is a deployment's newest, and what they note of revisions. Upstream: sync.go (getNewReplicaSet) and
 * util/deployment_util.go.
 */
import { Deployment } from "#api/apps/deployment.ts";
import type { ReplicaSet } from "#api/apps/replica-set.ts";
import type { V1PodTemplateSpec } from "#api/generated/types.ts";
import { controllerReference } from "#reconcilers/ownership.ts";
import { timeOf } from "#reconcilers/pod-state.ts";
import { canonical, templateHash } from "#reconcilers/template-hash.ts";
import {
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  maxSurge,
  newReplicaSetSize,
  wishedReplicas,
} from "./replica-counts.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
export const rollbackAnnotation = "deprecated.deployment.rollback.to";
const historyAnnotation = "deployment.kubernetes.io/revision-history";
export const hashLabel = "pod-template-hash";
/** The list of past revisions forgets its oldest beyond this. */
const historyCharactersMax = 2_000;

/** Annotations of a deployment that its replica sets do not take over. */
const ownAnnotations = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  historyAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  rollbackAnnotation,
]);

export const isOwnAnnotation = (name: string): boolean => ownAnnotations.has(name);

export interface Revisions {
  newest: ReplicaSet | undefined;
  old: ReplicaSet[];
}

/** The oldest replica set with the deployment's template is its newest one; all others are old. */
export function revisionsOf(deployment: Deployment, replicaSets: readonly ReplicaSet[]): Revisions {
  const wished = comparable(deployment.spec?.template);
  const newest = [...replicaSets].sort(byAge).find(({ spec }) => comparable(spec?.template) === wished);
  return { newest, old: replicaSets.filter((replicaSet) => replicaSet.metadata.uid !== newest?.metadata.uid) };
}

export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const ages = timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp);
  return ages !== 0 ? ages : (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}

const comparableTexts = new WeakMap<object, string>();

/** A text that is the same for templates that differ in the hash label alone. */
function comparable(template: V1PodTemplateSpec | undefined): string {
  if (template === undefined) return "";
  const known = comparableTexts.get(template);
  if (known !== undefined) return known;
  const text = canonical(plainTemplate(template));
  comparableTexts.set(template, text);
  return text;
}

/** The template without the label that a replica set adds. */
export function plainTemplate(template: V1PodTemplateSpec): V1PodTemplateSpec {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

export const hasTemplate = (deployment: Deployment, replicaSet: ReplicaSet): boolean =>
  comparable(deployment.spec?.template) === comparable(replicaSet.spec?.template);

/** A number of 64 bits, which is more than a double holds. */
export const revisionOf = ({ metadata }: ReplicaSet): bigint =>
  revisionIn(metadata.annotations?.[revisionAnnotation]) ?? 0n;

export const revisionIn = (text = ""): bigint | undefined =>
  /^[+-]?\d+$/.test(text) ? BigInt.asIntN(64, BigInt(text.replace("+", ""))) : undefined;

export const byRevision = (a: ReplicaSet, b: ReplicaSet): number => {
  const [one, other] = [revisionOf(a), revisionOf(b)];
  return one < other ? -1 : one > other ? 1 : 0;
};

export function nextRevision(old: readonly ReplicaSet[]): bigint {
  return old.map(revisionOf).reduce((highest, each) => (each > highest ? each : highest), 0n) + 1n;
}

export function newReplicaSetName(deployment: Deployment): string {
  return `${deployment.metadata.name}-${hashOf(deployment)}`;
}

const hashOf = (deployment: Deployment): string =>
  templateHash(deployment.spec?.template, deployment.status?.collisionCount ?? 0);

/** The replica set for the deployment's template, as it is to be created. */
export function newReplicaSet(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet {
  const hash = hashOf(deployment);
  const { selector, template, minReadySeconds } = deployment.spec!;
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const replicaSet: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: newReplicaSetName(deployment),
      namespace: deployment.metadata.namespace!,
      labels,
      ownerReferences: [controllerReference(deployment, Deployment)],
    },
    spec: {
      replicas: newReplicaSetSize(deployment, old as ReplicaSet[], 0),
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  replicaSet.metadata.annotations = {
    ...notedBy(deployment),
    [revisionAnnotation]: String(nextRevision(old)),
    ...sizeAnnotations(deployment),
  };
  return replicaSet;
}

function notedBy({ metadata }: Deployment): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name)));
}

export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const wished = wishedReplicas(deployment);
  return {
    [desiredReplicasAnnotation]: String(wished),
    [maxReplicasAnnotation]: String(wished + maxSurge(deployment)),
  };
}

/** The newest replica set with the deployment's annotations, revision and minReadySeconds; itself if it has them. */
export function withDeploymentFacts(
  deployment: Deployment,
  newest: ReplicaSet,
  old: readonly ReplicaSet[],
): ReplicaSet {
  const has = newest.metadata.annotations ?? {};
  const annotations = { ...has, ...notedBy(deployment) };
  const revision = nextRevision(old);
  const before = revisionOf(newest);
  if (before < revision) {
    annotations[revisionAnnotation] = String(revision);
    if (has[revisionAnnotation] !== undefined) annotations[historyAnnotation] = history(has, before);
  }
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const sameAnnotations = canonical(annotations) === canonical(has);
  if (sameAnnotations && (newest.spec?.minReadySeconds ?? 0) === minReadySeconds) return newest;
  return {
    ...newest,
    metadata: { ...newest.metadata, annotations },
    spec: { ...newest.spec!, minReadySeconds },
  };
}

function history(annotations: Readonly<Record<string, string>>, before: bigint): string {
  const past = (annotations[historyAnnotation] ?? "").split(",").filter((text) => text !== "");
  past.push(String(before));
  while (past.length > 1 && past.join(",").length > historyCharactersMax) past.shift();
  return past.join(",");
}
