/** A pod on a node changes only in what its node can follow. Upstream: plugin/pkg/admission/nodedeclaredfeatures. */
import { featuresNeededToChange } from "#api/core/node-features.ts";
import type { V1Node, V1Pod } from "#api/generated/types.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { objectAt } from "./lookup.ts";
import { type AdmissionPlugin, isFor } from "./plugin.ts";

export const nodeDeclaredFeatures: AdmissionPlugin = {
  name: "NodeDeclaredFeatureValidator",
  validate(request) {
    const { object, old, operation, resource, name, services } = request;
    if (operation !== "UPDATE" || !(isFor(request, "", "pods") || isFor(request, "", "pods", "resize"))) return;
    const pod = object as V1Pod;
    const nodeName = pod.spec?.nodeName ?? "";
    if (nodeName === "") return;
    const needed = featuresNeededToChange(old as V1Pod, pod);
    if (needed.length === 0) return;
    const node = objectAt<V1Node>(services, "/registry/core/nodes/", nodeName);
    const refuse = (text: string) => forbiddenRequest(resource.resourceName, name, text);
    if (node === undefined) throw refuse(`node ${JSON.stringify(nodeName)} not found`);
    const declared = new Set(node.status?.declaredFeatures);
    const missing = needed.filter((feature) => !declared.has(feature));
    if (missing.length === 0) return;
    throw refuse(
      `pod update requires features ${missing.join(", ")} which are not available on node ${JSON.stringify(nodeName)}`,
    );
  },
};
