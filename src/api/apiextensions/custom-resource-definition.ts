/** A kind that users bring. Upstream: apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go. */
import { defaultColumns } from "#api/columns.ts";
import { emptyValue } from "#api/empty-value.ts";
import type { V1CustomResourceDefinition } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { definitionErrors, definitionStatusErrors } from "./definition-rules.ts";
import { formatWarnings } from "./version-rules.ts";

const webhookPort = 443;

export type CustomResourceDefinition = V1CustomResourceDefinition;
export const CustomResourceDefinition = defineResource<CustomResourceDefinition>({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
  scope: "Cluster",
  schema: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
  allowUnconditionalUpdate: false,
  storageVersion: "apiextensions.k8s.io/v1beta1",
  defaults({ spec, status }) {
    const { names, conversion } = spec;
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= names.kind === "" ? "" : `${names.kind}List`;
    if (conversion === undefined) spec.conversion = { strategy: "None" };
    const service = conversion?.webhook?.clientConfig?.service;
    if (service !== undefined) service.port ??= webhookPort;
    const stored = (spec.versions ?? []).find(({ storage }) => storage)?.name;
    if (status !== undefined && stored !== undefined && (status.storedVersions ?? []).length === 0)
      status.storedVersions = [stored];
  },
  prepareCreate(definition) {
    definition.status = emptyValue(
      "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus",
    );
    storeVersion(definition);
  },
  prepareUpdate(definition, old) {
    definition.status = structuredClone(old.status!);
    storeVersion(definition);
  },
  resetFields: [["status"]],
  validate: definitionErrors,
  warnings: ({ spec }) => formatWarnings(spec.versions ?? []),
  status: {
    // Upstream means to keep the metadata as they were, and keeps what was sent.
    prepareUpdate(definition, old) {
      definition.spec = old.spec;
    },
    validate: (definition) => definitionStatusErrors(definition),
    resetFields: [["metadata"], ["spec"]],
  },
  columns: defaultColumns,
});

/** Objects may be stored in every version that ever was the one to store. */
function storeVersion({ spec, status }: CustomResourceDefinition): void {
  for (const { name, storage } of spec.versions ?? [])
    if (storage && !(status!.storedVersions ?? []).includes(name))
      status!.storedVersions = [...(status!.storedVersions ?? []), name];
}
