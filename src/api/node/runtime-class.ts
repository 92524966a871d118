/** How containers of a pod are run. Upstream: pkg/registry/node/runtimeclass/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import { overheadErrors } from "#api/core/container-resources.ts";
import { tolerationsErrors } from "#api/core/pod-scheduling.ts";
import type { V1RuntimeClass } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { required } from "#api/validation/field-errors.ts";
import { labelsErrors } from "#api/validation/object-meta.ts";
import { dnsLabel, immutable } from "#api/validation/values.ts";

export type RuntimeClass = V1RuntimeClass;
export const RuntimeClass = defineResource<RuntimeClass>({
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  scope: "Cluster",
  schema: "io.k8s.api.node.v1.RuntimeClass",
  generation: "none",
  allowCreateOnUpdate: true,
  validate({ handler = "", overhead, scheduling }, old) {
    if (old !== undefined) return immutable("handler", handler, old.handler);
    return [
      ...(handler === "" ? [required("handler")] : dnsLabel("handler", handler)),
      ...(overhead?.podFixed === undefined ? [] : overheadErrors(overhead.podFixed, "overhead.podFixed")),
      ...labelsErrors(scheduling?.nodeSelector, "scheduling.nodeSelector"),
      ...tolerationsErrors(scheduling?.tolerations ?? [], "scheduling.tolerations"),
    ];
  },
  columns: [nameColumn, column("Handler", "", (runtime: RuntimeClass) => runtime.handler ?? ""), ageColumn],
});
