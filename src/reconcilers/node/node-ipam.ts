/** Gives each node a range of pod addresses of its own. Upstream: pkg/controller/nodeipam/ipam. */
import { BlockList } from "node:net";
import { Node } from "#api/core/node.ts";
import { defineReconciler, event, patch } from "#reconcilers/reconciler.ts";

/** Bits of a node's range: room for 254 pods. */
const nodeBits = 24;

export const nodeIpamReconciler = (clusterCidr: string) =>
  defineReconciler<Node>({
    name: "node-ipam",
    component: "cidrAllocator",
    watches: Node,
    serial: true,
    ignores: ({ spec }, old) => spec?.podCIDR === old.spec?.podCIDR,
    reconcile(node, view) {
      if ((node.spec?.podCIDR ?? "") !== "" || node.metadata.deletionTimestamp !== undefined) return [];
      const taken = view
        .list(Node)
        .flatMap(({ spec }) => spec?.podCIDRs ?? (spec?.podCIDR === undefined ? [] : [spec.podCIDR]));
      const podCIDR = freeRange(clusterCidr, taken);
      if (podCIDR === undefined) {
        const reason = "CIDRNotAvailable";
        return [event(node, "Normal", reason, `Node ${node.metadata.name} status is now: ${reason}`)];
      }
      const { resourceVersion } = node.metadata;
      return [patch(Node, node, "merge", { metadata: { resourceVersion }, spec: { podCIDR, podCIDRs: [podCIDR] } })];
    },
  });

/** The lowest range of the cluster's that overlaps none of these; undefined if there is none left. */
export function freeRange(clusterCidr: string, taken: readonly string[]): string | undefined {
  const [base = "", bits = "24"] = clusterCidr.split("/");
  const size = 2 ** (32 - Math.max(nodeBits, Number(bits)));
  const first = Math.floor(toNumber(base) / size) * size;
  const end = first + 2 ** (32 - Number(bits));
  const used = usedRanges(taken);
  for (let start = first; start < end; start += size) {
    const range = `${toText(start)}/${32 - Math.log2(size)}`;
    if (!used.exact.has(range) && !used.others.check(toText(start)) && !used.inside(start, size)) return range;
  }
  return undefined;
}

function usedRanges(taken: readonly string[]) {
  const exact = new Set<string>();
  const others = new BlockList();
  const starts: number[] = [];
  for (const range of taken) {
    const [address = "", bits = "32"] = range.split("/");
    if (address.includes(":")) continue;
    if (Number(bits) === nodeBits) exact.add(range);
    else {
      others.addSubnet(address, Number(bits), "ipv4");
      starts.push(toNumber(address));
    }
  }
  const inside = (start: number, size: number): boolean => starts.some((each) => each >= start && each < start + size);
  return { exact, others, inside };
}

const toNumber = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
