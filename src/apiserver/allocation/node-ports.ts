/** Ports that Services take on every node. Upstream: pkg/registry/core/service/portallocator, storage/alloc.go. */
import type { Random } from "#lib/random.ts";
import type { V1Service } from "#api/generated/types.ts";
import { internalError } from "#api/status-catalogue.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid } from "#api/validation/field-errors.ts";
import type { Reservations } from "./reservation.ts";

export interface PortRange {
  from: number;
  to: number;
}

export const defaultNodePorts: PortRange = { from: 30_000, to: 32_767 };

export interface PortAllocator {
  range: PortRange;
  reservations: Reservations;
  random: Random;
  /** A dry run looks at nothing and takes nothing. */
  dryRun: boolean;
}

export function needsNodePorts({ spec }: V1Service): boolean {
  if (spec?.type === "NodePort") return true;
  return spec?.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

export function needsHealthCheckPort({ spec }: V1Service): boolean {
  return spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** Every port that a Service holds, as reservation keys. */
export function portsHeld(service: V1Service | undefined): Set<string> {
  const held = new Set<string>();
  const { spec } = service ?? {};
  if (spec === undefined || spec.type === "ExternalName" || spec.type === "ClusterIP") return held;
  for (const { nodePort = 0 } of spec.ports ?? []) if (nodePort !== 0) held.add(String(nodePort));
  if ((spec.healthCheckNodePort ?? 0) !== 0) held.add(String(spec.healthCheckNodePort));
  return held;
}

/** Gives ports to those that have none; what is asked for must be free and in the range. */
export function fillNodePorts(service: V1Service, held: ReadonlySet<string>, allocator: PortAllocator): FieldError[] {
  const errors: FieldError[] = [];
  const ports = service.spec?.ports ?? [];
  const used = new Map<number, Set<string>>();
  const use = (port: number, protocol: string) => used.set(port, new Set([...(used.get(port) ?? []), protocol]));
  for (const [index, { nodePort = 0, protocol = "TCP" }] of ports.entries()) {
    if (nodePort === 0) continue;
    const isOwn = held.has(String(nodePort)) || (used.has(nodePort) && !used.get(nodePort)!.has(protocol));
    const fault = isOwn || allocator.dryRun ? undefined : portFault(nodePort, allocator);
    const twice = used.get(nodePort)?.has(protocol) === true && !allocator.dryRun;
    if (fault !== undefined || twice)
      errors.push(invalid(`spec.ports[${index}].nodePort`, nodePort, fault ?? "provided port is already allocated"));
    use(nodePort, protocol);
  }
  if (errors.length > 0) return errors;
  for (const port of ports) {
    if ((port.nodePort ?? 0) !== 0) continue;
    // One number serves several protocols of the same port.
    const twin = ports.find((one) => one.port === port.port && one !== port && (one.nodePort ?? 0) !== 0);
    const shared =
      twin?.nodePort !== undefined && !used.get(twin.nodePort)?.has(port.protocol ?? "TCP") ? twin.nodePort : undefined;
    port.nodePort = shared ?? nextPort(allocator, used);
    use(port.nodePort, port.protocol ?? "TCP");
  }
  return errors;
}

export function fillHealthCheckPort(service: V1Service, held: ReadonlySet<string>, allocator: PortAllocator): void {
  const spec = service.spec!;
  const { healthCheckNodePort: wanted = 0 } = spec;
  if (wanted === 0) {
    spec.healthCheckNodePort = nextPort(allocator, new Map());
    return;
  }
  if (held.has(String(wanted)) || allocator.dryRun) return;
  const fault = portFault(wanted, allocator);
  if (fault !== undefined) throw internalError(`failed to allocate requested HealthCheck NodePort ${wanted}: ${fault}`);
}

function portFault(port: number, { range, reservations }: PortAllocator): string | undefined {
  if (port < range.from || port > range.to)
    return `provided port is not in the valid range. The range of valid ports is ${range.from}-${range.to}`;
  return reservations.isTaken(String(port)) ? "provided port is already allocated" : undefined;
}

/** The low end is left to those who ask for a port of their own. Upstream: calculateRangeOffset. */
function nextPort({ range, reservations, random }: PortAllocator, used: ReadonlyMap<number, unknown>): number {
  const size = range.to - range.from + 1;
  const isFree = (port: number) => !used.has(port) && !reservations.isTaken(String(port));
  const reserved = size < 32 ? 0 : Math.min(Math.max(16, size >> 5), 128);
  const upper = size - reserved;
  const start = Math.floor(random.next() * upper);
  for (let step = 0; step < upper; step += 1) {
    const port = range.from + reserved + ((start + step) % upper);
    if (isFree(port)) return port;
  }
  for (let port = range.from; port < range.from + reserved; port += 1) if (isFree(port)) return port;
  throw internalError("failed to allocate a nodePort: range is full");
}
