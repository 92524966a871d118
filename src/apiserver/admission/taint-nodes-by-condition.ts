/** A new node takes no pods before it says that it is ready. Upstream: plugin/pkg/admission/nodetaint. */
import type { V1Node } from "#api/generated/types.ts";
import { type AdmissionPlugin, isFor } from "./plugin.ts";

const taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  mutate(request) {
    if (request.operation !== "CREATE" || !isFor(request, "", "nodes") || request.object === undefined) return;
    const node = request.object as V1Node;
    const spec = (node.spec ??= {});
    const taints = spec.taints ?? [];
    if (taints.some(({ key, effect }) => key === taint.key && effect === taint.effect)) return;
    spec.taints = [...taints, { ...taint }];
  },
};
