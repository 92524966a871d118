/** The containers of a pod by what they are for, and when the agent starts one again. */
import { createHash } from "node:crypto";
import type { V1Container, V1EphemeralContainer } from "#api/generated/types.ts";
import type { Pod } from "#api/core/pod.ts";

export type ContainerKind = "init" | "sidecar" | "main" | "ephemeral";

export interface PodContainer {
  readonly kind: ContainerKind;
  readonly spec: V1Container;
  /** How events and errors name the place: "spec.containers{c}". */
  readonly fieldPath: string;
}

/** Init containers and sidecars in their order, then the main ones, then the ephemeral ones. */
export function containersOf(pod: Pod): PodContainer[] {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? { containers: [] };
  return [
    ...initContainers.map((spec) => entry(spec.restartPolicy === "Always" ? "sidecar" : "init", spec)),
    ...containers.map((spec) => entry("main", spec)),
    ...ephemeralContainers.map((spec) => entry("ephemeral", asContainer(spec))),
  ];
}

const fields = {
  init: "initContainers",
  sidecar: "initContainers",
  main: "containers",
  ephemeral: "ephemeralContainers",
};

function entry(kind: ContainerKind, spec: V1Container): PodContainer {
  return { kind, spec, fieldPath: `spec.${fields[kind]}{${spec.name}}` };
}

/** An ephemeral container has all fields of another one; its target is looked up where it is needed. */
const asContainer = (spec: V1EphemeralContainer): V1Container => spec;

export function findContainer(pod: Pod, name: string): PodContainer | undefined {
  return containersOf(pod).find(({ spec }) => spec.name === name);
}

/** Changes when a running container no longer is what the pod asks for. Upstream hashes the same two fields. */
export function containerHash({ name, image }: V1Container): string {
  return createHash("sha256")
    .update(JSON.stringify([name, image]))
    .digest("hex")
    .slice(0, 8);
}

export type AfterExit = "restart" | "restart-all" | "stay";

/** What an exit leads to: the first rule that matches decides, else the container's policy, else the pod's. */
export function afterExit(pod: Pod, { kind, spec }: PodContainer, exitCode: number): AfterExit {
  if (kind === "ephemeral") return "stay";
  for (const rule of spec.restartPolicyRules ?? [])
    if (matches(rule.exitCodes, exitCode)) return rule.action === "RestartAllContainers" ? "restart-all" : "restart";
  const policy = spec.restartPolicy ?? pod.spec?.restartPolicy ?? "Always";
  if (kind === "sidecar") return "restart";
  if (kind === "init") return exitCode !== 0 && policy !== "Never" ? "restart" : "stay";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0) ? "restart" : "stay";
}

function matches(codes: { operator: string; values?: number[] } | undefined, exitCode: number): boolean {
  if (codes === undefined) return true;
  const listed = (codes.values ?? []).includes(exitCode);
  return codes.operator === "NotIn" ? !listed : listed;
}

/** Seconds a pod has to end by itself. */
export function gracePeriodSeconds(pod: Pod): number {
  return pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
}

/** "p_ns(uid)", as upstream's messages name a pod. */
export function podTitle({ metadata }: Pod): string {
  return `${metadata.name ?? ""}_${metadata.namespace ?? ""}(${metadata.uid ?? ""})`;
}
