/** A template of a pod, kept for others to use. Upstream: pkg/registry/core/podtemplate/strategy.go. */
import { column, containerColumns, labelsText, nameColumn } from "#api/columns.ts";
import type { V1PodTemplate } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { defaultTemplate } from "./pod-defaults.ts";
import { podTemplateErrors } from "./pod-spec.ts";
import { dropDisabledFields } from "./pod-strategy.ts";
import { podWarnings } from "./pod-warnings.ts";

export type PodTemplate = V1PodTemplate;
export const PodTemplate = defineResource<PodTemplate>({
  group: "",
  version: "v1",
  kind: "PodTemplate",
  plural: "podtemplates",
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.PodTemplate",
  deleteReturnsObject: true,
  metadataLooks: { whole: 1, form: 0 },
  defaults: ({ template }) => defaultTemplate(template),
  prepareCreate: ({ template }) => dropDisabledFields(template?.spec),
  prepareUpdate: ({ template }) => dropDisabledFields(template?.spec),
  validate: ({ template }) => podTemplateErrors(template ?? { metadata: {} }, "template"),
  warnings: ({ metadata, template }, old) =>
    template === undefined || old?.metadata.generation === metadata.generation
      ? []
      : podWarnings(template.spec ?? { containers: [] }, template.metadata, "template"),
  columns: [
    nameColumn,
    ...containerColumns((one: PodTemplate) => one.template).map((shared) => ({ ...shared, priority: 0 })),
    column("Pod Labels", "The labels for the pod template.", ({ template }: PodTemplate) =>
      labelsText(template?.metadata?.labels),
    ),
  ],
});
