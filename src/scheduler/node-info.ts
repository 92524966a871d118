/** A node with what its pods take, kept up to date by each pod that comes or goes. */
import type { V1Node, V1Taint } from "#api/generated/types.ts";
import type { HostPort, PodInfo } from "./pod-info.ts";
import { addAmounts, amountOf, type Amounts, amountsOf } from "./resources.ts";

export const everyAddress = "0.0.0.0";

const noLabels: Readonly<Record<string, string>> = {};
const noTaints: readonly V1Taint[] = [];

export class NodeInfo {
  readonly name: string;
  /** Undefined while only its pods are known. */
  node: V1Node | undefined;
  labels = noLabels;
  taints = noTaints;
  allocatable: Amounts = new Map();
  podsMax = 0;
  readonly pods = new Map<string, PodInfo>();
  readonly requested: Amounts = new Map();
  scoredMilliCpu = 0;
  scoredMemory = 0;
  /** Host ports in use: "protocol port" → address → how many pods. */
  readonly #ports = new Map<string, Map<string, number>>();

  constructor(name: string) {
    this.name = name;
  }

  setNode(node: V1Node | undefined): void {
    this.node = node;
    this.labels = node?.metadata.labels ?? noLabels;
    this.taints = node?.spec?.taints ?? noTaints;
    this.allocatable = amountsOf(node?.status?.allocatable);
    this.podsMax = amountOf(this.allocatable, "pods");
  }

  addPod(pod: PodInfo): void {
    this.pods.set(pod.uid, pod);
    this.#account(pod, 1);
  }

  removePod(pod: PodInfo): void {
    if (this.pods.delete(pod.uid)) this.#account(pod, -1);
  }

  /** Another pod holds the port on this address, or one of the two wants it on every address. */
  hasPortConflict({ address, protocol, port }: HostPort): boolean {
    const addresses = this.#ports.get(`${protocol} ${port}`);
    if (addresses === undefined) return false;
    return address === everyAddress || addresses.has(everyAddress) || addresses.has(address);
  }

  #account(pod: PodInfo, sign: 1 | -1): void {
    addAmounts(this.requested, pod.requests, sign);
    this.scoredMilliCpu += sign * pod.scoredMilliCpu;
    this.scoredMemory += sign * pod.scoredMemory;
    for (const port of pod.hostPorts) this.#accountPort(port, sign);
  }

  #accountPort({ address, protocol, port }: HostPort, sign: 1 | -1): void {
    const key = `${protocol} ${port}`;
    const addresses = this.#ports.get(key) ?? new Map<string, number>();
    this.#ports.set(key, addresses);
    const count = (addresses.get(address) ?? 0) + sign;
    if (count > 0) addresses.set(address, count);
    else addresses.delete(address);
    if (addresses.size === 0) this.#ports.delete(key);
  }
}
