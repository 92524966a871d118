/** Whether two pod templates are the same but for the hash that a Deployment puts on its ReplicaSets' pods. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { V1PodTemplateSpec } from "#api/generated/types.ts";

const hashLabel = "pod-template-hash";

export function sameTemplate(a: V1PodTemplateSpec | undefined, b: V1PodTemplateSpec | undefined): boolean {
  return isDeepStrictEqual(withoutHash(a), withoutHash(b));
}

function withoutHash(template: V1PodTemplateSpec | undefined): unknown {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {};
  const { creationTimestamp: __, ...metadata } = template?.metadata ?? {};
  return { spec: template?.spec, metadata: { ...metadata, labels } };
}
