/** Containers of a pod or of a pod template: images, commands, states, resources, probes, environment, mounts. */
import type {
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1EnvVar,
  V1Pod,
  V1Probe,
  V1ResourceRequirements,
} from "#api/generated/types.ts";
import { wholeValue } from "#api/quantity.ts";
import { compareText } from "#api/go-text.ts";
import { sortedEntries, timeText, yesNo } from "./metadata.ts";
import type { Writer } from "./writer.ts";

export interface ContainerList {
  title: string;
  containers: readonly V1Container[];
  statuses?: readonly V1ContainerStatus[] | undefined;
  /** Where downward fields are read from. */
  pod?: V1Pod;
  /** Templates stand one step further in, names half a step. */
  isTemplate: boolean;
}

export function writeContainers(
  writer: Writer,
  { title, containers, statuses = [], pod, isTemplate }: ContainerList,
): void {
  writer.line(isTemplate ? 1 : 0, `${title}:${containers.length === 0 ? " <none>" : ""}`);
  for (const container of containers) {
    const status = statuses.find(({ name }) => name === container.name);
    writer.line(1, `${isTemplate ? " " : ""}${container.name}:`);
    writeBasics(writer, container, status);
    writeCommand(writer, "Command", container.command);
    writeCommand(writer, "Args", container.args);
    if (status !== undefined) writeStatus(writer, status);
    writeResources(writer, container.resources, 2);
    for (const [name, probe] of [
      ["Liveness", container.livenessProbe],
      ["Readiness", container.readinessProbe],
      ["Startup", container.startupProbe],
    ] as const)
      if (probe !== undefined && probe !== null) writer.line(2, `${name}:\t${probeText(probe)}`);
    writeEnvironmentSources(writer, container);
    writeEnvironment(writer, container, pod);
    writeMounts(writer, container);
  }
}

function writeBasics(writer: Writer, container: V1Container, status: V1ContainerStatus | undefined): void {
  if (status !== undefined) writer.line(2, `Container ID:\t${status.containerID ?? ""}`);
  writer.line(2, `Image:\t${container.image ?? ""}`);
  if (status !== undefined) writer.line(2, `Image ID:\t${status.imageID ?? ""}`);
  const ports = container.ports ?? [];
  const named = (name: string | undefined) => (name === undefined || name === "" ? "" : ` (${name})`);
  const text = (number: (port: (typeof ports)[number]) => number) =>
    ports.map((port) => `${number(port)}/${port.protocol ?? "TCP"}${named(port.name)}`).join(", ") || "<none>";
  const many = ports.length > 1 ? "s" : "";
  writer.line(2, `Port${many}:\t${text(({ containerPort }) => containerPort)}`);
  writer.line(2, `Host Port${many}:\t${text(({ hostPort }) => hostPort ?? 0)}`);
  writeSeccomp(writer, container.securityContext?.seccompProfile, 2);
}

export function writeSeccomp(
  writer: Writer,
  profile: { type: string; localhostProfile?: string } | undefined,
  level: number,
): void {
  if (profile === undefined || profile === null) return;
  writer.line(level, `SeccompProfile:\t${profile.type}`);
  if (profile.type === "Localhost") writer.line(level, `LocalhostProfile:\t${profile.localhostProfile ?? ""}`);
}

function writeCommand(writer: Writer, title: string, words: readonly string[] | undefined): void {
  if (words === undefined || words.length === 0) return;
  writer.line(2, `${title}:`);
  for (const line of words.flatMap((word) => word.split("\n"))) writer.line(3, line);
}

function writeStatus(writer: Writer, status: V1ContainerStatus): void {
  writeState(writer, "State", status.state);
  if (status.lastState?.terminated) writeState(writer, "Last State", status.lastState);
  writer.line(2, `Ready:\t${yesNo(status.ready)}`);
  writer.line(2, `Restart Count:\t${status.restartCount}`);
}

function writeState(writer: Writer, title: string, state: V1ContainerState | undefined): void {
  if (state?.running) {
    writer.line(2, `${title}:\tRunning`);
    writer.line(3, `Started:\t${timeText(state.running.startedAt as string | undefined)}`);
  } else if (state?.terminated) {
    const { reason, message, exitCode, signal, startedAt, finishedAt } = state.terminated;
    writer.line(2, `${title}:\tTerminated`);
    if (reason) writer.line(3, `Reason:\t${reason}`);
    if (message) writer.line(3, `Message:\t${message}`);
    writer.line(3, `Exit Code:\t${exitCode}`);
    if ((signal ?? 0) > 0) writer.line(3, `Signal:\t${signal}`);
    writer.line(3, `Started:\t${timeText(startedAt as string | undefined)}`);
    writer.line(3, `Finished:\t${timeText(finishedAt as string | undefined)}`);
  } else {
    writer.line(2, `${title}:\tWaiting`);
    if (state?.waiting?.reason) writer.line(3, `Reason:\t${state.waiting.reason}`);
  }
}

export function writeResources(writer: Writer, resources: V1ResourceRequirements | undefined, level: number): void {
  for (const [title, list] of [
    ["Limits", resources?.limits],
    ["Requests", resources?.requests],
  ] as const) {
    const entries = sortedEntries(list as Record<string, string> | undefined);
    if (entries.length === 0) continue;
    writer.line(level, `${title}:`);
    for (const [name, amount] of entries) writer.line(level + 1, `${name}:\t${amount}`);
  }
}

export function probeText(probe: V1Probe): string {
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 0,
    periodSeconds = 0,
    successThreshold = 0,
    failureThreshold = 0,
  } = probe;
  const times = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
  if (probe.exec) return `exec [${(probe.exec.command ?? []).join(" ")}] ${times}`;
  if (probe.httpGet) {
    const { scheme = "HTTP", host = "", port, path = "" } = probe.httpGet;
    const shown = host.includes(":") ? `[${host}]` : host;
    return `http-get ${scheme.toLowerCase()}://${shown}:${String(port)}${path.startsWith("/") || path === "" ? path : `/${path}`} ${times}`;
  }
  if (probe.tcpSocket) return `tcp-socket ${probe.tcpSocket.host ?? ""}:${String(probe.tcpSocket.port)} ${times}`;
  if (probe.grpc) return `grpc <pod>:${probe.grpc.port} ${probe.grpc.service ?? ""} ${times}`;
  return `unknown ${times}`;
}

function writeEnvironmentSources(writer: Writer, { envFrom = [] }: V1Container): void {
  if (envFrom.length === 0) return;
  writer.line(2, "Environment Variables from:");
  for (const { prefix, configMapRef, secretRef } of envFrom) {
    const [kind, ref] = configMapRef ? (["ConfigMap", configMapRef] as const) : (["Secret", secretRef] as const);
    const from = prefix ? `${kind} with prefix '${prefix}'` : kind;
    writer.line(3, `${ref?.name ?? ""}\t${from}\tOptional: ${ref?.optional === true}`);
  }
}

function writeEnvironment(writer: Writer, container: V1Container, pod: V1Pod | undefined): void {
  const { env = [] } = container;
  writer.line(2, `Environment:${env.length === 0 ? "\t<none>" : ""}`);
  for (const one of env) for (const line of variableLines(one, container, pod)) writer.line(3, line);
}

function variableLines(
  { name, value = "", valueFrom }: V1EnvVar,
  container: V1Container,
  pod: V1Pod | undefined,
): string[] {
  if (!valueFrom) return value.split("\n").map((line, at) => (at === 0 ? `${name}:\t${line}` : `\t${line}`));
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom;
  if (fieldRef)
    return [
      `${name}:\t${metadataField(pod, fieldRef.fieldPath)} (${fieldRef.apiVersion ?? "v1"}:${fieldRef.fieldPath})`,
    ];
  if (resourceFieldRef) {
    const amount = resourceValue(container, resourceFieldRef.resource, resourceFieldRef.divisor as string | undefined);
    const isOpen = amount === "0" && /^limits\.(cpu|memory)$/.test(resourceFieldRef.resource);
    return [`${name}:\t${isOpen ? "node allocatable" : amount} (${resourceFieldRef.resource})`];
  }
  if (secretKeyRef)
    return [
      `${name}:\t<set to the key '${secretKeyRef.key}' in secret '${secretKeyRef.name ?? ""}'>\tOptional: ${secretKeyRef.optional === true}`,
    ];
  if (configMapKeyRef)
    return [
      `${name}:\t<set to the key '${configMapKeyRef.key}' of config map '${configMapKeyRef.name ?? ""}'>\tOptional: ${configMapKeyRef.optional === true}`,
    ];
  return [];
}

/** Only what stands in metadata; all else is the node's to know. */
function metadataField(pod: V1Pod | undefined, path: string): string {
  if (pod === undefined) return "";
  const keyed = path.match(/^metadata\.(labels|annotations)\['(.*)'\]$/);
  if (keyed !== null) return pod.metadata[keyed[1] as "labels" | "annotations"]?.[keyed[2]!] ?? "";
  if (path === "metadata.name") return pod.metadata.name ?? "";
  if (path === "metadata.namespace") return pod.metadata.namespace ?? "";
  if (path === "metadata.uid") return pod.metadata.uid ?? "";
  return "";
}

function resourceValue({ resources }: V1Container, path: string, divisor: string | undefined): string {
  const [list = "", ...rest] = path.split(".");
  const amounts = (list === "limits" ? resources?.limits : resources?.requests) as Record<string, string> | undefined;
  const amount = amounts?.[rest.join(".")];
  if (amount === undefined) return "0";
  const unit = divisor === undefined || divisor === "0" || divisor === "" ? "1" : divisor;
  const isCpu = rest[0] === "cpu";
  const scale = (text: string) => Number(isCpu ? milliOf(text) : wholeValue(text));
  return String(Math.ceil(scale(amount) / scale(unit)));
}

const milliOf = (text: string): number => (text.endsWith("m") ? Number(text.slice(0, -1)) : Number(text) * 1000);

function writeMounts(writer: Writer, { volumeMounts = [], volumeDevices = [] }: V1Container): void {
  writer.line(2, `Mounts:${volumeMounts.length === 0 ? "\t<none>" : ""}`);
  for (const mount of [...volumeMounts].sort((a, b) => compareText(a.mountPath, b.mountPath))) {
    const flags = [mount.readOnly === true ? "ro" : "rw", ...(mount.subPath ? [`path="${mount.subPath}"`] : [])];
    writer.line(3, `${mount.mountPath} from ${mount.name} (${flags.join(",")})`);
  }
  if (volumeDevices.length === 0) return;
  writer.line(2, "Devices:");
  for (const { devicePath, name } of [...volumeDevices].sort((a, b) => compareText(a.devicePath, b.devicePath)))
    writer.line(3, `${devicePath} from ${name}`);
}
