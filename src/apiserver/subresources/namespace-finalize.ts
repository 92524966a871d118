/**
 * Namespaces go in steps: DELETE marks them Terminating, controllers empty them, and PUT of /finalize with an empty
 * spec.finalizers takes them away. Upstream: pkg/registry/core/namespace/storage/storage.go.
 */
import { formatTime } from "#lib/clock.ts";
import { namespaceFinalizerErrors } from "#api/core/namespace.ts";
import type { V1Namespace } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Strategy } from "#api/resource.ts";
import type { Operation } from "#apiserver/operation.ts";
import type { DeleteOptions } from "#apiserver/resource/delete-options.ts";
import type { ResourceHook } from "#apiserver/resource/hooks.ts";
import { objectEndpoint } from "#apiserver/resource/endpoint.ts";
import { clone } from "#apiserver/resource/metadata.ts";
import { replaceObject } from "#apiserver/resource/update.ts";
import type { SpecialHandler } from "#apiserver/subresource.ts";
import { operationOn } from "./support.ts";

/** Only spec.finalizers may change here. */
const finalizeStrategy: Strategy<KubernetesObject> = {
  prepareUpdate(object, old) {
    const namespace = object as V1Namespace;
    const before = clone(old) as V1Namespace;
    if (before.status === undefined) delete namespace.status;
    else namespace.status = before.status;
  },
  metadataLooks: { whole: 1, form: 0 },
  validate: (object) =>
    ((object as V1Namespace).spec?.finalizers ?? []).flatMap((finalizer, index) =>
      namespaceFinalizerErrors(finalizer, `spec.finalizers[${index}]`),
    ),
};

export const namespaceFinalize: SpecialHandler = {
  methods: ["PUT"],
  async handle(special) {
    const operation: Operation = { ...operationOn(special, special.resource!, special.info.name), info: special.info };
    return replaceObject(operation, objectEndpoint(operation, finalizeStrategy, false));
  },
};

/** A namespace's first DELETE only marks it; it is gone when neither kind of finalizer is left. */
export const namespaceHook: ResourceHook = {
  checksPreconditions: true,
  beginDelete(object, operation, options) {
    const namespace = object as V1Namespace;
    if (namespace.metadata.deletionTimestamp !== undefined) return isHeld(namespace) ? "wait" : "go on";
    namespace.metadata.deletionTimestamp = formatTime(operation.now);
    (namespace.status ??= {}).phase = "Terminating";
    setDependentsFinalizers(namespace, options);
    return "write";
  },
  isHeld: (object) => isHeld(object as V1Namespace),
};

/** Without a word on dependents the finalizers stay; background deletion takes both kinds of waiting away. */
function setDependentsFinalizers(
  { metadata }: V1Namespace,
  { orphanDependents, propagationPolicy }: DeleteOptions,
): void {
  if (orphanDependents === undefined && propagationPolicy === undefined) return;
  const orphans = orphanDependents ?? propagationPolicy === "Orphan";
  const waits = orphanDependents === undefined ? propagationPolicy === "Foreground" : !orphanDependents;
  const finalizers = new Set(metadata.finalizers);
  for (const [finalizer, isWanted] of [["orphan", orphans] as const, ["foregroundDeletion", waits] as const])
    if (isWanted) finalizers.add(finalizer);
    else finalizers.delete(finalizer);
  if (finalizers.size === 0) delete metadata.finalizers;
  else metadata.finalizers = [...finalizers];
}

const isHeld = ({ spec }: V1Namespace): boolean => (spec?.finalizers ?? []).length > 0;
