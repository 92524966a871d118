/** A pod, and the template of pods that workloads hold. */
import { shortDuration } from "#api/columns.ts";
import { compareText } from "#api/go-text.ts";
import type { V1Pod, V1PodTemplateSpec, V1Toleration, V1TopologySpreadConstraint } from "#api/generated/types.ts";
import { selectorText } from "#api/columns.ts";
import { writeContainers, writeResources, writeSeccomp } from "./containers.ts";
import { type DescribeContext, describer } from "./describer.ts";
import { writeEvents } from "./events.ts";
import { bound, controllerOf, timeText, writeAnnotations, writeLabels, writeMany, writeNames } from "./metadata.ts";
import { writeVolumes } from "./volumes.ts";
import type { Writer } from "./writer.ts";

export const describePod = describer<V1Pod>(async (pod, context) => {
  const { writer } = context;
  const { spec, status = {} } = pod;
  writeIdentity(writer, pod);
  writePhase(pod, context);
  writeAddresses(writer, pod);
  if (spec?.resources) {
    writer.line(0, "Resources:");
    writeResources(writer, spec.resources, 1);
  }
  const lists = [
    { title: "Init Containers", containers: spec?.initContainers ?? [], statuses: status.initContainerStatuses },
    { title: "Containers", containers: spec?.containers ?? [], statuses: status.containerStatuses },
    {
      title: "Ephemeral Containers",
      containers: spec?.ephemeralContainers ?? [],
      statuses: status.ephemeralContainerStatuses,
    },
  ];
  for (const list of lists)
    if (list.containers.length > 0 || list.title === "Containers")
      writeContainers(writer, { ...list, pod, isTemplate: false });
  writePodConditions(writer, pod);
  writeVolumes(writer, spec?.volumes, false);
  writer.line(0, `QoS Class:\t${status.qosClass ?? ""}`);
  writeLabels(writer, "Node-Selectors", spec?.nodeSelector);
  writeMany(writer, "Tolerations", tolerationTexts(spec?.tolerations));
  writeSpreading(writer, spec?.topologySpreadConstraints, 0);
  await writeEvents(pod, context);
});

function writeIdentity(writer: Writer, pod: V1Pod): void {
  const { line } = bound(writer);
  const { spec, status } = pod;
  writeNames({ line }, pod);
  if (typeof spec?.priority === "number") line(0, `Priority:\t${spec.priority}`);
  if (spec?.priorityClassName) line(0, `Priority Class Name:\t${spec.priorityClassName}`);
  if (spec?.runtimeClassName) line(0, `Runtime Class Name:\t${spec.runtimeClassName}`);
  if (spec?.serviceAccountName) line(0, `Service Account:\t${spec.serviceAccountName}`);
  line(0, `Node:\t${spec?.nodeName ? `${spec.nodeName}/${status?.hostIP ?? ""}` : "<none>"}`);
  if (status?.startTime) line(0, `Start Time:\t${timeText(status.startTime as string)}`);
  writeLabels(writer, "Labels", pod.metadata.labels);
  writeAnnotations(writer, pod.metadata.annotations);
}

function writePhase({ metadata, spec, status }: V1Pod, { writer, now }: DescribeContext): void {
  const { line } = bound(writer);
  if (metadata.deletionTimestamp !== undefined && status?.reason !== "NodeLost") {
    line(0, `Status:\tTerminating (lasts ${shortDuration(now - Date.parse(metadata.deletionTimestamp))})`);
    line(0, `Termination Grace Period:\t${metadata.deletionGracePeriodSeconds ?? 0}s`);
  } else line(0, `Status:\t${status?.phase ?? ""}`);
  if (status?.reason) line(0, `Reason:\t${status.reason}`);
  if (status?.message) line(0, `Message:\t${status.message}`);
  writeSeccomp(writer, spec?.securityContext?.seccompProfile, 0);
}

function writeAddresses(writer: Writer, pod: V1Pod): void {
  const { status } = pod;
  writer.line(0, `IP:\t${status?.podIP ?? ""}`);
  const addresses = status?.podIPs ?? [];
  writer.line(0, addresses.length === 0 ? "IPs:\t<none>" : "IPs:");
  for (const { ip } of addresses) writer.line(1, `IP:\t${ip}`);
  const controller = controllerOf(pod);
  if (controller !== undefined) writer.line(0, `Controlled By:\t${controller}`);
  if (status?.nominatedNodeName) writer.line(0, `NominatedNodeName:\t${status.nominatedNodeName}`);
}

function writePodConditions(writer: Writer, { spec, status }: V1Pod): void {
  const conditions = status?.conditions ?? [];
  if ((spec?.readinessGates ?? []).length > 0) {
    writer.line(0, "Readiness Gates:\n  Type\tStatus");
    for (const { conditionType } of spec!.readinessGates!) {
      const found = conditions.find(({ type }) => type === conditionType);
      writer.line(1, `${conditionType} \t${found?.status ?? "<none>"} `);
    }
  }
  if (conditions.length === 0) return;
  writer.line(0, "Conditions:\n  Type\tStatus");
  for (const { type, status: value } of conditions) writer.line(1, `${type} \t${value} `);
}

/** Upstream: kubectl/pkg/describe: key=value:effect, with the operator only where it is Exists. */
export function tolerationTexts(tolerations: readonly V1Toleration[] | undefined): string[] {
  return [...(tolerations ?? [])]
    .sort((a, b) => compareText(a.key ?? "", b.key ?? ""))
    .map(({ key = "", value = "", effect = "", operator, tolerationSeconds }) => {
      const subject = `${key}${value === "" ? "" : `=${value}`}${effect === "" ? "" : `:${effect}`}`;
      const exists = operator === "Exists" && value === "" ? `${subject === "" ? "" : " "}op=Exists` : "";
      return `${subject}${exists}${typeof tolerationSeconds === "number" ? ` for ${tolerationSeconds}s` : ""}`;
    });
}

function writeSpreading(
  writer: Writer,
  constraints: readonly V1TopologySpreadConstraint[] | undefined,
  level: number,
): void {
  if (constraints === undefined || constraints.length === 0) return;
  const texts = [...constraints]
    .sort((a, b) => compareText(a.topologyKey, b.topologyKey))
    .map(({ topologyKey, whenUnsatisfiable, maxSkew, labelSelector }) => {
      const selector = labelSelector ? ` for selector ${selectorText(labelSelector)}` : "";
      return `${topologyKey}:${whenUnsatisfiable} when max skew ${maxSkew} is exceeded${selector}`;
    });
  writeMany(writer, "Topology Spread Constraints", texts, level);
}

export function writePodTemplate(writer: Writer, template: V1PodTemplateSpec | undefined): void {
  writer.line(0, "Pod Template:");
  if (template === undefined) return writer.line(1, "<unset>");
  const { metadata, spec } = template;
  writeLabels(writer, "Labels", metadata?.labels, 1);
  if (Object.keys(metadata?.annotations ?? {}).length > 0) writeAnnotations(writer, metadata!.annotations, 1);
  if (spec?.serviceAccountName) writer.line(1, `Service Account:\t${spec.serviceAccountName}`);
  if ((spec?.initContainers ?? []).length > 0)
    writeContainers(writer, { title: "Init Containers", containers: spec!.initContainers!, isTemplate: true });
  writeContainers(writer, { title: "Containers", containers: spec?.containers ?? [], isTemplate: true });
  writeVolumes(writer, spec?.volumes, true);
  writeSpreading(writer, spec?.topologySpreadConstraints, 1);
  if (spec?.priorityClassName) writer.line(1, `Priority Class Name:\t${spec.priorityClassName}`);
  writeLabels(writer, "Node-Selectors", spec?.nodeSelector, 1);
  writeMany(writer, "Tolerations", tolerationTexts(spec?.tolerations), 1);
}
