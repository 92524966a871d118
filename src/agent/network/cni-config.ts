/**
 * The CNI network of a node: a bridge with addresses from the node's own ranges. Host ports and masquerading are our own
 * rules (the portmap plugin costs 40 ms a pod even where nobody uses it).
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface CniOptions {
  readonly bridge: string;
  readonly podCidrs: readonly string[];
  readonly mtu: number;
  /** Where host-local keeps which addresses are taken; several nodes on one machine need one each. */
  readonly stateDirectory: string;
}

export const cniConfigName = "10-capstan.conflist";

/** The text of the configuration list. */
export function cniConfig({ bridge, podCidrs, mtu, stateDirectory }: CniOptions): string {
  const routes = podCidrs.map((cidr) => ({ dst: cidr.includes(":") ? "::/0" : "0.0.0.0/0" }));
  const plugin = {
    type: "bridge",
    bridge,
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    mtu,
    ipam: {
      type: "host-local",
      ranges: podCidrs.map((subnet) => [{ subnet }]),
      routes,
      dataDir: stateDirectory,
    },
  };
  return `${JSON.stringify({ cniVersion: "1.0.0", name: "capstan", plugins: [plugin] }, undefined, 2)}\n`;
}

/** Writes the configuration if it is not there already, whole or not at all. True if it wrote. */
export async function writeCniConfig(directory: string, text: string): Promise<boolean> {
  const path = join(directory, cniConfigName);
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return false;
  await mkdir(directory, { recursive: true });
  const draft = join(directory, `.${cniConfigName}.new`);
  await writeFile(draft, text);
  await rename(draft, path);
  return true;
}
