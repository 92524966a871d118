/** Takes away everything that this node's network duties made in this network namespace and on disk. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { cniConfigName } from "./cni-config.ts";
import { runCommand, type RunCommand } from "./command.ts";
import { podBridge } from "./network.ts";
import { routeProtocol, vxlanDevice } from "./peer-route.ts";
import { hasLink } from "./peer-state.ts";

export interface NetworkCleanupOptions {
  readonly cniConfigDirectory?: string;
  readonly cniStateDirectory?: string;
  /** Addresses that were put on the loopback link (cluster DNS). */
  readonly servedIps?: readonly string[];
  readonly run?: RunCommand;
}

/** Every table of ours begins with this. */
const tablePrefix = "capstan-";

/** Goes on where a step fails; rejects at the end with all failures. What is not there is no failure. */
export async function cleanupNetwork(options: NetworkCleanupOptions = {}): Promise<void> {
  const { run = runCommand, cniConfigDirectory, cniStateDirectory, servedIps = [] } = options;
  const steps = [
    async () => await deleteTables(run),
    async () => await deleteRoutes(run),
    ...[vxlanDevice, podBridge].map((device) => async () => {
      if (await hasLink(run, device)) await run("ip", ["link", "del", device]);
    }),
    ...servedIps.map((ip) => async () => await deleteAddress(run, ip)),
    async () => {
      if (cniConfigDirectory !== undefined) await rm(join(cniConfigDirectory, cniConfigName), { force: true });
      if (cniStateDirectory !== undefined) await rm(cniStateDirectory, { recursive: true, force: true });
    },
  ];
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => void failures.push(error));
  if (failures.length > 0) throw new AggregateError(failures, "network cleanup is not complete");
}

async function deleteTables(run: RunCommand): Promise<void> {
  const { nftables } = JSON.parse(await run("nft", ["-j", "list", "tables"])) as {
    nftables: { table?: { family: string; name: string } }[];
  };
  const ours = nftables.flatMap(({ table }) => (table?.name.startsWith(tablePrefix) === true ? [table] : []));
  const script = ours.map(({ family, name }) => `delete table ${family} ${name}\n`).join("");
  if (script !== "") await run("nft", ["-f", "-"], script);
}

async function deleteRoutes(run: RunCommand): Promise<void> {
  for (const family of ["-4", "-6"]) await run("ip", [family, "route", "flush", "proto", String(routeProtocol)]);
}

async function deleteAddress(run: RunCommand, ip: string): Promise<void> {
  const listed = await run("ip", ["-json", "addr", "show", "dev", "lo"]);
  if (listed.includes(`"${ip}"`)) await run("ip", ["addr", "del", `${ip}/${ip.includes(":") ? 128 : 32}`, "dev", "lo"]);
}
