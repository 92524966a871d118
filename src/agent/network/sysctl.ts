/** Kernel settings of this network namespace that pod traffic needs. */
import { readFile, writeFile } from "node:fs/promises";
import type { Logger } from "#lib/log.ts";
import type { Family } from "./address.ts";
import { runCommand } from "./command.ts";

interface Setting {
  readonly path: string;
  readonly value: string;
  /** The module that brings the setting, where it is not built in. */
  readonly module?: string;
  readonly why: string;
}

const settings: Readonly<Record<Family, readonly Setting[]>> = {
  ip: [
    { path: "net/ipv4/ip_forward", value: "1", why: "pods reach nothing beyond their bridge" },
    { path: "net/ipv4/conf/all/route_localnet", value: "1", why: "host ports do not answer on 127.0.0.1" },
    {
      path: "net/bridge/bridge-nf-call-iptables",
      value: "1",
      module: "br_netfilter",
      why: "a Service is not reached from pods on the node of its endpoint",
    },
  ],
  ip6: [
    { path: "net/ipv6/conf/all/forwarding", value: "1", why: "pods reach nothing beyond their bridge" },
    {
      path: "net/bridge/bridge-nf-call-ip6tables",
      value: "1",
      module: "br_netfilter",
      why: "a Service is not reached from pods on the node of its endpoint",
    },
  ],
};

/** Sets what is not set; a setting that cannot be made is said and left. */
export async function applySysctls(families: readonly Family[], log: Logger): Promise<void> {
  for (const setting of families.flatMap((family) => settings[family])) {
    try {
      await apply(setting);
    } catch (error) {
      log.warn("kernel setting cannot be made", { setting: setting.path, consequence: setting.why, error });
    }
  }
}

async function apply({ path, value, module }: Setting): Promise<void> {
  const file = `/proc/sys/${path}`;
  let now = await readFile(file, "utf8").catch(() => undefined);
  if (now === undefined && module !== undefined) {
    await runCommand("modprobe", [module]);
    now = await readFile(file, "utf8");
  }
  if (now?.trim() !== value) await writeFile(file, value);
}
