/** ComponentStatus, long deprecated, still asked for. Upstream: pkg/registry/core/componentstatus. */
import { notFound } from "#api/status-catalogue.ts";
import { objectAnswer } from "#apiserver/answer.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";

const components = ["scheduler", "controller-manager", "etcd-0"];

const statusOf = (name: string) => ({
  metadata: { name },
  conditions: [{ type: "Healthy", status: "True", message: "ok" }],
});

export const componentStatuses: VirtualResource = {
  group: "",
  version: "v1",
  plural: "componentstatuses",
  singular: "componentstatus",
  kind: "ComponentStatus",
  isNamespaced: false,
  verbs: ["get", "list"],
  shortNames: ["cs"],
  methods: ["GET"],
  async handle({ info, warnings }) {
    warnings.push("v1 ComponentStatus is deprecated in v1.19+");
    if (info.name === "")
      return objectAnswer({
        kind: "ComponentStatusList",
        apiVersion: "v1",
        metadata: {},
        items: components.map(statusOf),
      });
    if (!components.includes(info.name)) throw notFound({ group: "", resource: "componentstatus" }, info.name);
    return objectAnswer({ kind: "ComponentStatus", apiVersion: "v1", ...statusOf(info.name) });
  },
};
