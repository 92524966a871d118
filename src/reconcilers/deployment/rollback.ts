/**
 * A deployment whose annotation asks for an earlier revision gets that one's template. Upstream: rollback.go in
 * pkg/controller/deployment.
 */
import type { ReplicaSet } from "#api/apps/replica-set.ts";
import { Deployment } from "#api/apps/deployment.ts";
import { event, update, type Change } from "#reconcilers/reconciler.ts";
import {
  byRevision,
  hasTemplate,
  isOwnAnnotation,
  plainTemplate,
  revisionIn,
  revisionOf,
  rollbackAnnotation,
} from "./revision.ts";

/** The revision that is asked for, 0 for the last one; undefined if none is. */
export function rollbackWish({ metadata }: Deployment): bigint | undefined {
  return revisionIn(metadata.annotations?.[rollbackAnnotation]);
}

export function rolledBack(deployment: Deployment, replicaSets: readonly ReplicaSet[], wish: bigint): Change[] {
  const revision = wish === 0n ? lastRevision(replicaSets) : wish;
  const missing = "DeploymentRollbackRevisionNotFound";
  if (revision === 0n) return givenUp(deployment, missing, "Unable to find last revision.");
  const wanted = replicaSets.find((each) => revisionOf(each) === revision);
  if (wanted?.spec?.template === undefined)
    return givenUp(deployment, missing, "Unable to find the revision to rollback to.");
  const { name } = deployment.metadata;
  if (hasTemplate(deployment, wanted)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`;
    return givenUp(deployment, "DeploymentRollbackTemplateUnchanged", message);
  }
  const next = withoutWish(deployment, {
    ...annotationsOf(deployment, isOwnAnnotation),
    ...annotationsOf(wanted, (key) => !isOwnAnnotation(key)),
  });
  const done = {
    about: deployment,
    type: "Normal",
    reason: "DeploymentRollback",
    message: `Rolled back deployment "${name}" to revision ${revision}`,
  } as const;
  const object = { ...next, spec: { ...next.spec!, template: plainTemplate(wanted.spec.template) } };
  return [update(Deployment, object, ({ ok }) => (ok ? done : undefined))];
}

function givenUp(deployment: Deployment, reason: string, message: string): Change[] {
  const next = withoutWish(deployment, deployment.metadata.annotations ?? {});
  return [event(deployment, "Warning", reason, message), update(Deployment, next)];
}

function withoutWish(deployment: Deployment, all: Readonly<Record<string, string>>): Deployment {
  const { [rollbackAnnotation]: _, ...annotations } = all;
  return { ...deployment, metadata: { ...deployment.metadata, annotations } };
}

const annotationsOf = ({ metadata }: Deployment | ReplicaSet, isWanted: (key: string) => boolean) =>
  Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([key]) => isWanted(key)));

/** The second highest; 0 if there are no two. */
function lastRevision(replicaSets: readonly ReplicaSet[]): bigint {
  const last = [...replicaSets].sort(byRevision).at(-2);
  return last === undefined ? 0n : revisionOf(last);
}
