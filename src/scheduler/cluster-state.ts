/**
 * Nodes and the pods on them, with the sums and indexes that the plugins read. Every change costs as many steps as it
 * changes things; nothing is worked out again for the whole cluster.
 */
import type { V1Node } from "#api/generated/types.ts";
import { type LabelSelector, matchesLabels } from "#api/label-selector.ts";
import { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

export interface ImageOnNodes {
  /** What the first node that has the image said. */
  bytes: number;
  nodes: Set<string>;
}

export class ClusterState {
  readonly #nodes = new Map<string, NodeInfo>();
  #nodeList: NodeInfo[] | undefined;
  readonly #pods = new Map<string, PodInfo>();
  /** Pods that are promised room: uid → the pod with the node as its nodeName. */
  readonly #nominated = new Map<string, PodInfo>();
  readonly #nominatedOn = new Map<string, Set<string>>();
  readonly #byNamespace = new Map<string, Set<PodInfo>>();
  readonly #byLabel = new Map<string, Set<PodInfo>>();
  /** Pods on nodes that have terms of pod affinity or anti-affinity. */
  readonly withAffinity = new Set<PodInfo>();
  readonly withRequiredAntiAffinity = new Set<PodInfo>();
  readonly images = new Map<string, ImageOnNodes>();
  namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined = () => undefined;

  /** Nodes that exist. */
  get nodes(): readonly NodeInfo[] {
    this.#nodeList ??= [...this.#nodes.values()].filter(({ node }) => node !== undefined);
    return this.#nodeList;
  }

  node(name: string): NodeInfo | undefined {
    const info = this.#nodes.get(name);
    return info?.node === undefined ? undefined : info;
  }

  setNode(node: V1Node): void {
    const name = node.metadata.name ?? "";
    let info = this.#nodes.get(name);
    if (info === undefined) {
      info = new NodeInfo(name);
      this.#nodes.set(name, info);
    }
    if (info.node === undefined) this.#nodeList = undefined;
    else this.#forgetImages(info.node);
    info.setNode(node);
    this.#noteImages(node);
  }

  removeNode(name: string): void {
    const info = this.#nodes.get(name);
    if (info?.node === undefined) return;
    this.#forgetImages(info.node);
    info.setNode(undefined);
    if (info.pods.size === 0) this.#nodes.delete(name);
    this.#nodeList = undefined;
  }

  pod(uid: string): PodInfo | undefined {
    return this.#pods.get(uid);
  }

  /** Puts a pod on its node; replaces what was known of it. */
  addPod(pod: PodInfo): void {
    this.removePod(pod.uid);
    this.#pods.set(pod.uid, pod);
    let node = this.#nodes.get(pod.nodeName);
    if (node === undefined) {
      node = new NodeInfo(pod.nodeName);
      this.#nodes.set(pod.nodeName, node);
    }
    node.addPod(pod);
    addTo(this.#byNamespace, pod.namespace, pod);
    for (const label in pod.labels) addTo(this.#byLabel, labelKey(pod, label), pod);
    if (
      pod.affinity.length + pod.antiAffinity.length + pod.preferredAffinity.length + pod.preferredAntiAffinity.length >
      0
    )
      this.withAffinity.add(pod);
    if (pod.antiAffinity.length > 0) this.withRequiredAntiAffinity.add(pod);
  }

  removePod(uid: string): PodInfo | undefined {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return undefined;
    this.#pods.delete(uid);
    const node = this.#nodes.get(pod.nodeName);
    node?.removePod(pod);
    if (node !== undefined && node.node === undefined && node.pods.size === 0) this.#nodes.delete(node.name);
    removeFrom(this.#byNamespace, pod.namespace, pod);
    for (const label in pod.labels) removeFrom(this.#byLabel, labelKey(pod, label), pod);
    this.withAffinity.delete(pod);
    this.withRequiredAntiAffinity.delete(pod);
    return pod;
  }

  /** The pods on nodes of a namespace that a selector finds: looks through those with the rarest wanted label only. */
  *podsMatching(namespace: string, selector: LabelSelector): Generator<PodInfo> {
    if (selector.nothing === true) return;
    let candidates = this.#byNamespace.get(namespace);
    for (const { key, operator, values } of selector.requirements) {
      if ((operator !== "=" && operator !== "==" && operator !== "in") || values.length !== 1) continue;
      const some = this.#byLabel.get(`${namespace}\0${key}\0${values[0]}`);
      if (some === undefined) return;
      if (candidates === undefined || some.size < candidates.size) candidates = some;
    }
    for (const pod of candidates ?? []) if (matchesLabels(selector, pod.labels)) yield pod;
  }

  /** Namespaces that have pods on nodes. */
  get namespaces(): Iterable<string> {
    return this.#byNamespace.keys();
  }

  nominate(pod: PodInfo): void {
    this.withdrawNomination(pod.uid);
    this.#nominated.set(pod.uid, pod);
    addTo(this.#nominatedOn, pod.nodeName, pod.uid);
  }

  withdrawNomination(uid: string): void {
    const pod = this.#nominated.get(uid);
    if (pod === undefined) return;
    this.#nominated.delete(uid);
    removeFrom(this.#nominatedOn, pod.nodeName, uid);
  }

  nomination(uid: string): PodInfo | undefined {
    return this.#nominated.get(uid);
  }

  nominatedOn(nodeName: string): PodInfo[] {
    return [...(this.#nominatedOn.get(nodeName) ?? [])].flatMap((uid) => this.#nominated.get(uid) ?? []);
  }

  #noteImages(node: V1Node): void {
    for (const { names = [], sizeBytes = 0 } of node.status?.images ?? [])
      for (const name of names) {
        const image = this.images.get(name) ?? { bytes: sizeBytes, nodes: new Set() };
        this.images.set(name, image);
        image.nodes.add(node.metadata.name ?? "");
      }
  }

  #forgetImages(node: V1Node): void {
    for (const { names = [] } of node.status?.images ?? [])
      for (const name of names) {
        const image = this.images.get(name);
        image?.nodes.delete(node.metadata.name ?? "");
        if (image?.nodes.size === 0) this.images.delete(name);
      }
  }
}

const labelKey = ({ namespace, labels }: PodInfo, label: string): string => `${namespace}\0${label}\0${labels[label]}`;

function addTo<V>(sets: Map<string, Set<V>>, key: string, value: V): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}

function removeFrom<V>(sets: Map<string, Set<V>>, key: string, value: V): void {
  const set = sets.get(key);
  if (set?.delete(value) === true && set.size === 0) sets.delete(key);
}
