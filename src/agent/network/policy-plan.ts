/**
 * NetworkPolicies as the contents of an nftables table of this node. Pods under the same policies share a chain; who may
 * talk is in sets of addresses, so that pods come and go as elements. Pure.
 */
import type {
  V1IPBlock,
  V1Namespace,
  V1NetworkPolicy,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1Pod,
} from "#api/generated/types.ts";
import { type LabelSelector, labelSelectorOf, matchesLabels } from "#api/label-selector.ts";
import { type Family, familyOf, minimalRanges, parseCidr } from "./address.ts";
import type { TableContents, TableLayout } from "./nftables.ts";

export interface PolicyInput {
  readonly policies: readonly V1NetworkPolicy[];
  /** Of the whole cluster. */
  readonly pods: readonly V1Pod[];
  readonly namespaces: readonly V1Namespace[];
  readonly nodeName: string;
}

type Direction = "ingress" | "egress";

interface PolicyPod {
  readonly namespace: string;
  readonly ip: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly isLocal: boolean;
  /** "tcp http" → 8080 */
  readonly ports: ReadonlyMap<string, number>;
}

export function policyLayout(family: Family): TableLayout {
  const address = addressType(family);
  return {
    family,
    name: "capstan-policy",
    sets: {
      ingress: `map ingress { type ${address} : verdict; }`,
      egress: `map egress { type ${address} : verdict; }`,
      self: `set self { type ${address} . ${address}; }`,
    },
    chains: {
      forward: {
        hook: "type filter hook forward priority 0;",
        rules: [
          "ct state established,related accept",
          `${family} saddr . ${family} daddr @self accept`,
          `${family} saddr vmap @egress`,
          `${family} daddr vmap @ingress`,
        ],
      },
    },
  };
}

export function planPolicies(family: Family, { policies, pods, namespaces, nodeName }: PolicyInput): TableContents {
  const known = pods.flatMap((pod) => policyPod(pod, family, nodeName) ?? []);
  const plan = new PolicyPlan(family, known, namespaces);
  const byNamespace = Map.groupBy(policies, ({ metadata }) => metadata.namespace ?? "");
  for (const pod of known) if (pod.isLocal) plan.isolate(pod, byNamespace.get(pod.namespace) ?? []);
  return plan.contents();
}

class PolicyPlan {
  readonly #family: Family;
  readonly #pods: ReadonlyMap<string, readonly PolicyPod[]>;
  readonly #namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly #elements = new Map<string, Map<string, string>>();
  readonly #chains = new Map<string, readonly string[]>();
  readonly #sets = new Map<string, string>();
  readonly #rules = new Map<string, readonly string[]>();
  readonly #selectors = new Map<V1NetworkPolicy, LabelSelector>();

  constructor(family: Family, pods: readonly PolicyPod[], namespaces: readonly V1Namespace[]) {
    this.#family = family;
    this.#pods = Map.groupBy(pods, ({ namespace }) => namespace);
    this.#namespaces = new Map(namespaces.map(({ metadata }) => [metadata.name ?? "", metadata.labels ?? {}]));
    for (const set of ["ingress", "egress", "self"]) this.#elements.set(set, new Map());
  }

  contents(): TableContents {
    return { elements: this.#elements, chains: this.#chains, sets: this.#sets };
  }

  /** A pod that some policy selects accepts what one of its policies allows and nothing else, for each direction. */
  isolate(pod: PolicyPod, policies: readonly V1NetworkPolicy[]): void {
    const selecting = policies.filter((policy) => matchesLabels(this.#selectorOf(policy), pod.labels));
    for (const direction of ["ingress", "egress"] as const) {
      const own = selecting.filter((policy) => appliesTo(policy, direction));
      if (own.length === 0) continue;
      const rules = [...new Set(own.flatMap((policy) => this.#policyRules(policy, direction)))].sort();
      const chain = `${direction}-${hashOf(rules.join("\n"))}`;
      this.#chains.set(chain, [...rules, "drop"]);
      this.#elements.get(direction)?.set(pod.ip, `jump ${chain}`);
      this.#elements.get("self")?.set(`${pod.ip} . ${pod.ip}`, "");
    }
  }

  #selectorOf(policy: V1NetworkPolicy): LabelSelector {
    const known = this.#selectors.get(policy);
    if (known !== undefined) return known;
    const selector = labelSelectorOf(policy.spec?.podSelector ?? {});
    this.#selectors.set(policy, selector);
    return selector;
  }

  #policyRules({ metadata, spec }: V1NetworkPolicy, direction: Direction): readonly string[] {
    const namespace = metadata.namespace ?? "";
    const key = `${direction} ${namespace}/${metadata.name}`;
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const rules =
      direction === "ingress"
        ? (spec?.ingress ?? []).flatMap(({ from, ports }) => this.#rule(namespace, "saddr", from, ports))
        : (spec?.egress ?? []).flatMap(({ to, ports }) => this.#rule(namespace, "daddr", to, ports));
    this.#rules.set(key, rules);
    return rules;
  }

  /** Nothing named means everything; every peer may use every port. */
  #rule(
    namespace: string,
    field: "saddr" | "daddr",
    peers: readonly V1NetworkPolicyPeer[] = [],
    ports: readonly V1NetworkPolicyPort[] = [],
  ): string[] {
    const peerMatches = peers.length === 0 ? [""] : peers.flatMap((peer) => this.#peerMatch(namespace, field, peer));
    const portMatches = ports.length === 0 ? [""] : ports.map((port) => this.#portMatch(port));
    return peerMatches.flatMap((peer) =>
      portMatches.map((port) => [peer, port, "return"].filter((part) => part !== "").join(" ")),
    );
  }

  #peerMatch(
    namespace: string,
    field: string,
    { ipBlock, podSelector, namespaceSelector }: V1NetworkPolicyPeer,
  ): string[] {
    if (ipBlock !== undefined) return this.#blockMatch(field, ipBlock);
    const identity = JSON.stringify([namespaceSelector === undefined ? namespace : namespaceSelector, podSelector]);
    const set = `peers-${hashOf(identity)}`;
    if (!this.#sets.has(set)) {
      this.#sets.set(set, `set ${set} { type ${addressType(this.#family)}; }`);
      const found = this.#podsOf(namespace, podSelector, namespaceSelector);
      this.#elements.set(set, new Map(found.map(({ ip }) => [ip, ""])));
    }
    return [`${this.#family} ${field} @${set}`];
  }

  #blockMatch(field: string, { cidr, except = [] }: V1IPBlock): string[] {
    if (parseCidr(cidr)?.family !== this.#family) return [];
    const [range] = minimalRanges([cidr]);
    const excluded = minimalRanges(except.filter((text) => parseCidr(text)?.family === this.#family));
    const but = excluded.length === 0 ? "" : ` ${this.#family} ${field} != { ${excluded.join(", ")} }`;
    return [`${this.#family} ${field} ${range}${but}`];
  }

  #portMatch({ protocol = "TCP", port, endPort }: V1NetworkPolicyPort): string {
    const name = protocol.toLowerCase();
    if (port === undefined) return `meta l4proto ${name}`;
    if (typeof port === "string") return this.#namedPortMatch(name, port);
    return `meta l4proto ${name} th dport ${endPort === undefined ? port : `${port}-${endPort}`}`;
  }

  /** A port's name means, at each pod, the number that this pod's containers give it. */
  #namedPortMatch(protocol: string, name: string): string {
    const set = `ports-${hashOf(`${protocol} ${name}`)}`;
    if (!this.#sets.has(set)) {
      this.#sets.set(set, `set ${set} { type ${addressType(this.#family)} . inet_proto . inet_service; }`);
      const elements = new Map<string, string>();
      for (const { ip, ports } of [...this.#pods.values()].flat()) {
        const number = ports.get(`${protocol} ${name}`);
        if (number !== undefined) elements.set(`${ip} . ${protocol} . ${number}`, "");
      }
      this.#elements.set(set, elements);
    }
    return `${this.#family} daddr . meta l4proto . th dport @${set}`;
  }

  #podsOf(
    namespace: string,
    podSelector: V1NetworkPolicyPeer["podSelector"],
    namespaceSelector: V1NetworkPolicyPeer["namespaceSelector"],
  ): PolicyPod[] {
    const pods = labelSelectorOf(podSelector ?? {});
    const wanted = namespaceSelector === undefined ? undefined : labelSelectorOf(namespaceSelector);
    const names = [...this.#pods.keys()].filter((name) =>
      wanted === undefined ? name === namespace : matchesLabels(wanted, this.#namespaces.get(name)),
    );
    return names.flatMap((name) => (this.#pods.get(name) ?? []).filter(({ labels }) => matchesLabels(pods, labels)));
  }
}

function appliesTo({ spec }: V1NetworkPolicy, direction: Direction): boolean {
  const types = spec?.policyTypes;
  if (types === undefined) return direction === "ingress" || (spec?.egress?.length ?? 0) > 0;
  return types.includes(direction === "ingress" ? "Ingress" : "Egress");
}

/** Undefined for pods that have no address of their own, or none any more. */
function policyPod({ metadata, spec, status }: V1Pod, family: Family, nodeName: string): PolicyPod | undefined {
  if (spec?.hostNetwork === true || status?.phase === "Succeeded" || status?.phase === "Failed") return undefined;
  const all = status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP === undefined ? [] : [status.podIP]);
  const ip = all.find((one) => one !== undefined && familyOf(one) === family);
  if (ip === undefined) return undefined;
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ports = [...(spec?.containers ?? []), ...sidecars].flatMap((container) => container.ports ?? []);
  return {
    namespace: metadata.namespace ?? "",
    ip,
    labels: metadata.labels ?? {},
    isLocal: spec?.nodeName === nodeName,
    ports: new Map(
      ports.flatMap(({ name, protocol = "TCP", containerPort }) =>
        name === undefined ? [] : [[`${protocol.toLowerCase()} ${name}`, containerPort] as const],
      ),
    ),
  };
}

function addressType(family: Family): string {
  return family === "ip" ? "ipv4_addr" : "ipv6_addr";
}

/** 53 bits are enough for names: the chains and sets of one table. */
function hashOf(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}
