/**
 * How long Services take to get into the kernel, full load and one change, beside kube-proxy's layout of a chain for each
 * Service and endpoint. Runs as root in a network namespace of its own.
 *
 *     node scripts/benches/proxy.ts [SERVICES] [PEER_SERVICES]
 */
import { spawnSync } from "node:child_process";
import type { V1EndpointSlice, V1Node, V1Service } from "#api/generated/types.ts";
import { runNft } from "#agent/network/nftables.ts";
import type { ObjectChange, ObjectSource } from "#agent/network/object-source.ts";
import { startProxy } from "#agent/proxy/proxy.ts";
import { silentLogger } from "#lib/log.ts";

const [servicesText = "10000", peerText = "2000", inside] = process.argv.slice(2);
const changes = 20;

if (inside === undefined) runInNamespace();
else {
  await benchCapstan(Number(servicesText));
  await benchPeer(Number(peerText));
  process.exit(0);
}

function runInNamespace(): void {
  const name = `capstan-bench-${process.pid}`;
  spawnSync("ip", ["netns", "add", name], { stdio: "inherit" });
  const args = [process.execPath, import.meta.filename, servicesText, peerText, "inside"];
  const { status } = spawnSync("nsenter", [`--net=/run/netns/${name}`, ...args], { stdio: "inherit" });
  spawnSync("ip", ["netns", "del", name], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}

async function benchCapstan(count: number): Promise<void> {
  const services = source(Array.from({ length: count }, (_, index) => service(index)));
  const slices = source(Array.from({ length: count }, (_, index) => slice(index, 0)));
  const nodes = source<V1Node>([{ metadata: { name: "n1" }, spec: { podCIDR: "10.42.0.0/24" } }]);
  const options = {
    nodeName: "n1",
    nodeIps: ["192.0.2.1"],
    clusterCidrs: ["10.42.0.0/16"],
    serviceCidrs: ["10.43.0.0/16"],
    services,
    endpointSlices: slices,
    nodes,
    log: silentLogger,
  };
  let running: Awaited<ReturnType<typeof startProxy>> | undefined;
  const firstMs = await timed(async () => {
    running = await startProxy(options);
    await running.settled();
  });
  const oneMs: number[] = [];
  for (let round = 1; round <= changes; round++) {
    const index = (round * 7919) % count;
    oneMs.push(
      await timed(async () => {
        slices.change(slice(index, round), slice(index, 0));
        await running?.settled();
      }),
    );
  }
  await running?.stop();
  const againMs = await timed(async () => {
    running = await startProxy(options);
    await running.settled();
  });
  await running?.stop();
  report(`capstan, ${count} services x 2 endpoints`, firstMs, oneMs, againMs);
}

/** The rules that kube-proxy writes for the same Services, in one transaction, and one Service's change. */
async function benchPeer(count: number): Promise<void> {
  const table = "add table ip peer";
  const head = [
    `${table}\nadd map ip peer services { type ipv4_addr . inet_proto . inet_service : verdict; }`,
    "add chain ip peer nat { type nat hook prerouting priority -100; }",
    "add rule ip peer nat ip daddr . meta l4proto . th dport vmap @services",
  ];
  const script = [...head, ...Array.from({ length: count }, (_, index) => peerService(index, 0))].join("\n");
  const firstMs = await timed(async () => await runNft(`${script}\n`));
  const oneMs: number[] = [];
  for (let round = 1; round <= changes; round++) {
    const index = (round * 7919) % count;
    const change = `flush chain ip peer svc-${index}\n${peerRules(index, round)}\n`;
    oneMs.push(await timed(async () => await runNft(change)));
  }
  const againMs = await timed(async () => await runNft(`${table}\ndelete table ip peer\n${script}\n`));
  report(`a chain for each, ${count} services x 2 endpoints`, firstMs, oneMs, againMs);
}

function peerService(index: number, round: number): string {
  return [
    `add chain ip peer svc-${index}`,
    peerRules(index, round),
    `add element ip peer services { ${clusterIp(index)} . tcp . 80 : goto svc-${index} }`,
  ].join("\n");
}

function peerRules(index: number, round: number): string {
  const chains = [0, 1].map((slot) => `ep-${index}-${slot}-${round}`);
  return [
    ...chains.flatMap((chain, slot) => [
      `add chain ip peer ${chain}`,
      `add rule ip peer ${chain} ip saddr ${podIp(index, slot, round)} meta mark set meta mark | 0x4000`,
      `add rule ip peer ${chain} meta l4proto tcp dnat ip to ${podIp(index, slot, round)}:8080`,
    ]),
    `add rule ip peer svc-${index} numgen random mod 2 vmap { 0 : goto ${chains[0]}, 1 : goto ${chains[1]} }`,
  ].join("\n");
}

function report(name: string, firstMs: number, oneMs: readonly number[], againMs: number): void {
  const sorted = oneMs.toSorted((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const worst = sorted.at(-1) ?? 0;
  process.stdout.write(
    `${name}: full load ${firstMs.toFixed(0)} ms, again over it ${againMs.toFixed(0)} ms, ` +
      `one change median ${median.toFixed(0)} ms, worst ${worst.toFixed(0)} ms\n`,
  );
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

function source<T>(objects: T[]): ObjectSource<T> & { change(object: T, old: T): void } {
  const handlers = new Set<(change: ObjectChange<T>) => void>();
  return {
    list: () => objects,
    synced: async () => {},
    onChange(handler) {
      for (const object of objects) handler({ type: "added", object, old: undefined });
      handlers.add(handler);
      return () => void handlers.delete(handler);
    },
    change(object, old) {
      for (const handler of handlers) handler({ type: "modified", object, old });
    },
  };
}

function clusterIp(index: number): string {
  return `10.43.${(index + 1) >> 8}.${(index + 1) & 255}`;
}

function podIp(index: number, slot: number, round: number): string {
  const number = 2 * index + slot;
  return `10.${100 + (round % 100)}.${(number >> 8) & 255}.${number & 255}`;
}

function service(index: number): V1Service {
  const ip = clusterIp(index);
  return {
    metadata: { name: `s${index}`, namespace: "bench" },
    spec: { clusterIP: ip, clusterIPs: [ip], ports: [{ name: "http", port: 80, protocol: "TCP" }] },
  };
}

function slice(index: number, round: number): V1EndpointSlice {
  return {
    metadata: { name: `s${index}-x`, namespace: "bench", labels: { "kubernetes.io/service-name": `s${index}` } },
    addressType: "IPv4",
    endpoints: [0, 1].map((slot) => ({ addresses: [podIp(index, slot, slot === 0 ? round : 0)] })),
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  };
}
