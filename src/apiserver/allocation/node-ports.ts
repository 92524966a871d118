/** Ports that Services take on every node. Upstream: pkg/registry/core/service/portallocator, storage/alloc.go. */
import type { Random } from "#lib/random.ts";
import { allocatesNodePorts, needsHealthCheck, needsNodePort } from "#api/core/service-types.ts";
import type { FieldError } from "#api/field-error.ts";
import type { V1Service, V1ServicePort, V1ServiceSpec } from "#api/generated/types.ts";
import { internalError, unknownFailure } from "#api/status-catalogue.ts";
import { invalid } from "#api/validation/field-errors.ts";
import type { Reservations } from "./reservation.ts";

export interface PortRange {
  from: number;
  to: number;
}

export const defaultNodePorts: PortRange = { from: 30_000, to: 32_767 };

const taken = "provided port is already allocated";
/** What a dry run answers with where no number is asked for: it is nobody's. */
const dryRunPorts = 32_769;

/** Every port that a Service holds, as reservation keys. */
export function portsHeld(service: V1Service | undefined): Set<string> {
  const { spec } = service ?? {};
  if (spec === undefined || !needsNodePort(spec)) return new Set();
  const ports = [...numbersOf(spec), spec.healthCheckNodePort ?? 0];
  return new Set(ports.filter((port) => port !== 0).map(String));
}

const numbersOf = ({ ports = [] }: V1ServiceSpec): number[] =>
  ports.map(({ nodePort = 0 }) => nodePort).filter((port) => port !== 0);

/** The numbers that one request takes, together with those that are taken already. */
export class PortRequest {
  readonly #range: PortRange;
  readonly #reservations: Pick<Reservations, "isTaken">;
  readonly #random: Random;
  readonly #isDryRun: boolean;
  readonly #allocated = new Set<number>();

  constructor(range: PortRange, reservations: Pick<Reservations, "isTaken">, random: Random, isDryRun: boolean) {
    this.#range = range;
    this.#reservations = reservations;
    this.#random = random;
    this.#isDryRun = isDryRun;
  }

  /** Takes `port`, or says why it cannot be had. A dry run does not look at the range. */
  take(port: number): string | undefined {
    const { from, to } = this.#range;
    if (!this.#isDryRun && (port < from || port > to))
      return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
    if (!this.#isFree(port)) return taken;
    this.#allocated.add(port);
    return undefined;
  }

  takeNext(): number {
    const port = this.#isDryRun ? this.#nextDryRun() : this.#nextFree();
    this.#allocated.add(port);
    return port;
  }

  #nextDryRun(): number {
    return this.#allocated.size === 0 ? dryRunPorts : Math.max(...this.#allocated) + 1;
  }

  #isFree(port: number): boolean {
    return !this.#allocated.has(port) && !this.#reservations.isTaken(String(port));
  }

  /** The low end is left to those who ask for a port of their own. Upstream: calculateRangeOffset. */
  #nextFree(): number {
    const { from, to } = this.#range;
    const size = to - from + 1;
    const reserved = size < 32 ? 0 : Math.min(Math.max(16, size >> 5), 128);
    const upper = size - reserved;
    const start = Math.floor(this.#random.next() * upper);
    for (let step = 0; step < upper; step += 1) {
      const port = from + reserved + ((start + step) % upper);
      if (this.#isFree(port)) return port;
    }
    for (let port = from; port < from + reserved; port += 1) if (this.#isFree(port)) return port;
    throw internalError("failed to allocate a nodePort: range is full");
  }
}

/** Gives ports to those that have none; what is asked for must be free and in the range. The first fault is the answer. */
export function fillPorts(spec: V1ServiceSpec, old: V1ServiceSpec | undefined, request: PortRequest): FieldError[] {
  const errors = needsNodePort(spec)
    ? old === undefined
      ? firstPorts(spec, request)
      : changedPorts(spec, numbersOf(old), request)
    : [];
  if (errors.length === 0 && needsHealthCheck(spec) && (old === undefined || !needsHealthCheck(old)))
    fillHealthCheckPort(spec, request);
  return errors;
}

/** Ports of one number, whatever their protocols, share the number on the nodes. Upstream: initNodePorts. */
function firstPorts(spec: V1ServiceSpec, request: PortRequest): FieldError[] {
  const ports = spec.ports ?? [];
  const shared = new Map<number, number>();
  for (const [index, servicePort] of ports.entries()) {
    const { port, nodePort = 0 } = servicePort;
    if (nodePort === 0 && !allocatesNodePorts(spec)) continue;
    const known = shared.get(port);
    const asked = known === undefined ? (requestedNodePort(port, ports) ?? 0) : nodePort;
    if (asked !== 0 && asked !== known) {
      const fault = request.take(asked);
      if (fault !== undefined) return [invalid(`spec.ports[${index}].nodePort`, asked, fault)];
    }
    const given = asked === 0 ? (known ?? request.takeNext()) : asked;
    servicePort.nodePort = given;
    if (known === undefined) shared.set(port, given);
  }
  return [];
}

const requestedNodePort = (port: number, ports: readonly V1ServicePort[]): number | undefined =>
  ports.find((one) => one.port === port && (one.nodePort ?? 0) !== 0)?.nodePort;

/** Throws a 500 if two ports of one protocol ask for one number, as upstream does. Upstream: updateNodePorts. */
function changedPorts(spec: V1ServiceSpec, old: readonly number[], request: PortRequest): FieldError[] {
  const seen = new Set<string>();
  const allocated = new Set<number>();
  for (const [index, servicePort] of (spec.ports ?? []).entries()) {
    const { nodePort = 0, protocol = "TCP" } = servicePort;
    if (nodePort === 0 && !allocatesNodePorts(spec)) continue;
    if (nodePort !== 0 && !old.includes(nodePort) && !allocated.has(nodePort)) {
      const fault = request.take(nodePort);
      if (fault !== undefined) return [invalid(`spec.ports[${index}].nodePort`, nodePort, fault)];
      allocated.add(nodePort);
    }
    servicePort.nodePort = nodePort === 0 ? request.takeNext() : nodePort;
    const shown = `{${protocol} ${servicePort.nodePort}}`;
    if (seen.has(shown)) throw unknownFailure(`duplicate nodePort: ${shown}`);
    seen.add(shown);
  }
  return [];
}

function fillHealthCheckPort(spec: V1ServiceSpec, request: PortRequest): void {
  const { healthCheckNodePort: wanted = 0 } = spec;
  const fault = wanted === 0 ? undefined : request.take(wanted);
  if (fault !== undefined) throw internalError(`failed to allocate requested HealthCheck NodePort ${wanted}: ${fault}`);
  if (wanted === 0) spec.healthCheckNodePort = request.takeNext();
}
