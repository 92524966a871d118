/** ComponentStatus, long deprecated, still asked for. Upstream: pkg/registry/core/componentstatus. */
import { nameColumn } from "#api/columns.ts";
import { notFound } from "#api/status-catalogue.ts";
import { type Answer, objectAnswer } from "#apiserver/answer.ts";
import { negotiate } from "#apiserver/http/negotiate.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";

const components = ["scheduler", "controller-manager", "etcd-0"];

const statusOf = (name: string) => ({
  metadata: { name },
  conditions: [{ type: "Healthy", status: "True", message: "ok" }],
});

const column = (name: string, description: string) => ({ name, type: "string", format: "", description, priority: 0 });
const columns = [
  { ...column("Name", ""), format: "name" },
  column("Status", "Status of the component conditions"),
  column("Message", "Message of the component conditions"),
  column("Error", "Error of the component conditions"),
];

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
  async handle(special) {
    const { name } = special.info;
    special.warnings.push("v1 ComponentStatus is deprecated in v1.19+");
    if (name !== "" && !components.includes(name)) throw notFound({ group: "", resource: "componentstatus" }, name);
    const shown = name === "" ? components : [name];
    const { as, version } = negotiate(special.request.header("accept"), false, { as: ["Table"] });
    if (as === "Table") return tableOf(shown, version);
    return name === "" ? listOf(shown) : objectAnswer({ kind: "ComponentStatus", apiVersion: "v1", ...statusOf(name) });
  },
};

const listOf = (names: readonly string[]): Answer =>
  objectAnswer({ kind: "ComponentStatusList", apiVersion: "v1", metadata: {}, items: names.map(statusOf) });

function tableOf(names: readonly string[], version: string): Answer {
  const apiVersion = `meta.k8s.io/${version}`;
  return objectAnswer({
    kind: "Table",
    apiVersion,
    metadata: {},
    columnDefinitions: columns.map((one) =>
      one.name === "Name" ? { ...one, description: nameColumn.description } : one,
    ),
    rows: names.map((name) => ({
      cells: [name, "Healthy", "ok", ""],
      object: { kind: "PartialObjectMetadata", apiVersion, metadata: { name } },
    })),
  });
}
