/** Who owns which field. */
import type { KubernetesObject } from "#api/object.ts";
import type { Operation } from "#apiserver/operation.ts";

export function trackUpdate(
  _operation: Operation,
  _old: KubernetesObject | undefined,
  _object: KubernetesObject,
  _manager: string,
): void {
  // filled in when the machinery is there
}
