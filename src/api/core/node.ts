/** A machine. Upstream: pkg/registry/core/node/strategy.go. */
import { ageColumn, column, nameColumn, wide } from "#api/columns.ts";
import type { V1Node } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { defaultNode, nodeErrors, nodeUpdateErrors, nodeWarnings } from "./node-rules.ts";

const info = "core.v1.NodeSystemInfo";
const addresses = ["core.v1.NodeStatus", "addresses"] as const;
const addressOf = (node: Node, type: string) =>
  node.status?.addresses?.find((address) => address.type === type)?.address ?? "<none>";

export type Node = V1Node;
export const Node = defineResource<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  shortNames: ["no"],
  scope: "Cluster",
  schema: "io.k8s.api.core.v1.Node",
  generation: "none",
  defaults: defaultNode,
  // A field of a feature that is gone: nodes that still have it keep it.
  prepareCreate: ({ spec, status }) => {
    delete spec?.configSource;
    delete status?.config;
  },
  prepareUpdate(node, old) {
    if (old.spec?.configSource === undefined) delete node.spec?.configSource;
    if (old.status === undefined) delete node.status;
    else node.status = old.status;
  },
  validate: (node, old) => [...nodeErrors(node), ...(old === undefined ? [] : nodeUpdateErrors(node, old))],
  warnings: nodeWarnings,
  resetFields: [["status"]],
  status: {
    prepareUpdate(node, old) {
      node.spec = old.spec ?? {};
      if (old.status?.config === undefined) delete node.status?.config;
    },
    validate: (node, old) => nodeUpdateErrors(node, old!),
    metadataLooks: { whole: 1, form: 0 },
    resetFields: [["spec"]],
  },
  connects: { proxy: { kind: "NodeProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] } },
  columns: [
    nameColumn,
    column("Status", "The status of the node", statusText),
    column("Roles", "The roles of the node", rolesText),
    ageColumn,
    column("Version", [info, "kubeletVersion"], (node: Node) => node.status?.nodeInfo?.kubeletVersion ?? ""),
    column("Internal-IP", addresses, (node: Node) => addressOf(node, "InternalIP"), wide),
    column("External-IP", addresses, (node: Node) => addressOf(node, "ExternalIP"), wide),
    column("OS-Image", [info, "osImage"], (node: Node) => known(node.status?.nodeInfo?.osImage), wide),
    column(
      "Kernel-Version",
      [info, "kernelVersion"],
      (node: Node) => known(node.status?.nodeInfo?.kernelVersion),
      wide,
    ),
    column(
      "Container-Runtime",
      [info, "containerRuntimeVersion"],
      (node: Node) => known(node.status?.nodeInfo?.containerRuntimeVersion),
      wide,
    ),
  ],
  fieldSelectors: { "spec.unschedulable": (node) => String(node.spec?.unschedulable ?? false) },
});

const known = (text: string | undefined) => (text === undefined || text === "" ? "<unknown>" : text);

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.findLast(({ type }) => type === "Ready");
  const first = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable === true ? `${first},SchedulingDisabled` : first;
}

const roleLabelPrefix = "node-role.kubernetes.io/";

function rolesText({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(roleLabelPrefix) && key.length > roleLabelPrefix.length)
      roles.add(key.slice(roleLabelPrefix.length));
    else if (key === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return roles.size === 0 ? "<none>" : [...roles].sort().join(",");
}
