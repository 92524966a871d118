/** What a workload was before: the ReplicaSets of a Deployment, the ControllerRevisions of the other two kinds. */
import { isDeepStrictEqual } from "node:util";
import { ControllerRevision } from "#api/apps/controller-revision.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import type { V1PodTemplateSpec } from "#api/generated/types.ts";
import { labelSelectorOf, labelSelectorText } from "#api/label-selector.ts";
import type { UnknownObject } from "#api/object.ts";
import type { Session } from "#cli/session.ts";

export const causeAnnotation = "kubernetes.io/change-cause";

export interface Revision {
  number: number;
  cause: string | undefined;
  template: V1PodTemplateSpec;
  /** What keeps it. */
  object: UnknownObject;
}

interface Workload extends UnknownObject {
  spec?: { selector?: object; template?: V1PodTemplateSpec };
}

/** Oldest first. */
export async function revisionsOf({ client }: Session, live: Workload): Promise<Revision[]> {
  const options = {
    namespace: live.metadata.namespace,
    labelSelector: labelSelectorText(labelSelectorOf(live.spec?.selector)),
  };
  const isOwn = ({ metadata }: UnknownObject) => metadata.ownerReferences?.some(({ uid }) => uid === live.metadata.uid);
  const kept =
    live.kind === "Deployment"
      ? (await client.list(ReplicaSet, options)).items.map((object) => ({
          number: Number(object.metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0),
          template: object.spec?.template ?? ({} as V1PodTemplateSpec),
          object: object as unknown as UnknownObject,
        }))
      : (await client.list(ControllerRevision, options)).items.map((object) => ({
          number: object.revision,
          template: templateOf(object.data),
          object: object as unknown as UnknownObject,
        }));
  return kept
    .filter(({ object }) => isOwn(object))
    .map((one) => ({ ...one, cause: one.object.metadata.annotations?.[causeAnnotation] }))
    .sort((a, b) => a.number - b.number);
}

/** A ControllerRevision's data is a patch of the whole template. */
function templateOf(data: unknown): V1PodTemplateSpec {
  const { $patch: _, ...template } =
    (data as { spec?: { template?: Record<string, unknown> } } | undefined)?.spec?.template ?? {};
  return template as unknown as V1PodTemplateSpec;
}

/** The template as its owner had it: without the label that tells ReplicaSets apart. */
export function ownTemplate({ template: { metadata, spec } }: Revision): V1PodTemplateSpec {
  const { "pod-template-hash": _, ...labels } = metadata?.labels ?? {};
  return { metadata: { ...metadata, labels }, ...(spec === undefined ? {} : { spec }) } as V1PodTemplateSpec;
}

export const isSameTemplate = (live: Workload, revision: Revision): boolean =>
  isDeepStrictEqual(plain(live.spec?.template), plain(ownTemplate(revision)));

/** Without what only one of two equal templates may spell out. */
function plain(template: V1PodTemplateSpec | undefined): unknown {
  const { creationTimestamp: _, ...metadata } = (template?.metadata ?? {}) as Record<string, unknown>;
  return { metadata, spec: template?.spec };
}
