/**
 * The wanted contents of the services table of one family, kept from plan to plan: who claims which frontend, the
 * numbering of targets, and what changed since the changes were last taken. Knows no process and no kernel.
 */
import type { Family } from "#agent/network/address.ts";
import type { TableChanges, TableContents } from "#agent/network/nftables.ts";
import { assignSlots, frontendEntry, type FrontendEntry } from "./service-layout.ts";
import { type Frontend, frontendRanks, type ServicePlan } from "./service-plan.ts";

interface Claim {
  readonly owner: string;
  readonly order: string;
  readonly frontend: Frontend;
}

interface Held {
  readonly claims: Claim[];
  winner: Claim | undefined;
  entry: FrontendEntry;
  slots: { targets: readonly string[]; inside: readonly string[] };
}

type SharedElement = readonly [set: string, key: string];

const noSlots = { targets: [], inside: [] };
const emptyEntry: FrontendEntry = { elements: [], chains: [] };

export class ServiceTable {
  readonly #family: Family;
  readonly #owned = new Map<string, readonly string[]>();
  readonly #shared = new Map<string, readonly SharedElement[]>();
  readonly #frontends = new Map<string, Held>();
  readonly #sharedUses = new Map<string, number>();
  readonly #elements = new Map<string, Map<string, string>>();
  readonly #chains = new Map<string, readonly string[]>();
  #newChains = new Map<string, readonly string[]>();
  /** What elements that were touched since the last taking were before: undefined for absent. */
  #before = new Map<string, Map<string, string | undefined>>();

  constructor(family: Family) {
    this.#family = family;
  }

  /** Puts a plan in the place of the owner's former one; undefined: the Service is gone. */
  set(owner: string, plan: ServicePlan | undefined): void {
    const former = this.#owned.get(owner);
    const frontends = (plan?.frontends ?? []).filter(({ family }) => family === this.#family);
    this.setShared(owner, plan === undefined ? [] : this.#sharedElements(plan));
    const keys = new Set(frontends.map(({ key }) => key));
    for (const key of former ?? []) if (!keys.has(key)) this.#claim(key, owner, undefined);
    for (const frontend of frontends) {
      const order = `${frontendRanks[frontend.kind]} ${plan?.age}`;
      this.#claim(frontend.key, owner, { owner, order, frontend });
    }
    if (frontends.length === 0) this.#owned.delete(owner);
    else this.#owned.set(owner, [...keys]);
  }

  /** Elements of sets that several owners may put in; one stays for as long as somebody wants it. */
  setShared(owner: string, elements: readonly SharedElement[]): void {
    const former = this.#shared.get(owner) ?? [];
    for (const [set, key] of elements) this.#use(set, key, 1);
    for (const [set, key] of former) this.#use(set, key, -1);
    if (elements.length === 0) this.#shared.delete(owner);
    else this.#shared.set(owner, elements);
  }

  /** Puts elements of a map in the place of all that it held. */
  setMap(set: string, wanted: ReadonlyMap<string, string>): void {
    for (const key of this.#elements.get(set)?.keys() ?? []) if (!wanted.has(key)) this.#write(set, key, undefined);
    for (const [key, value] of wanted) this.#write(set, key, value);
  }

  /** The targets behind a frontend now; undefined if nobody claims it. */
  targetsOf(key: string): readonly string[] | undefined {
    const slots = this.#frontends.get(key)?.slots;
    return slots === undefined ? undefined : [...slots.targets, ...slots.inside];
  }

  contents(): TableContents {
    return { elements: this.#elements, chains: this.#chains };
  }

  /** What changed since this was last called. */
  takeChanges(): TableChanges {
    const deleteElements = new Map<string, Map<string, string>>();
    const addElements = new Map<string, Map<string, string>>();
    for (const [set, keys] of this.#before) {
      for (const [key, old] of keys) {
        const now = this.#elements.get(set)?.get(key);
        if (old === now) continue;
        if (old !== undefined) put(deleteElements, set, key, old);
        if (now !== undefined) put(addElements, set, key, now);
      }
    }
    const addChains = this.#newChains;
    this.#before = new Map();
    this.#newChains = new Map();
    return { addChains, deleteElements, addElements };
  }

  #sharedElements({ clusterIps, localIps }: ServicePlan): SharedElement[] {
    const isOurs = (ip: string): boolean => ip.includes(":") === (this.#family === "ip6");
    return [
      ...clusterIps.filter(isOurs).map((ip): SharedElement => ["cluster-ips", ip]),
      ...localIps.filter(isOurs).map((ip): SharedElement => ["hairpin", `${ip} . ${ip}`]),
    ];
  }

  #claim(key: string, owner: string, claim: Claim | undefined): void {
    const held = this.#frontends.get(key) ?? { claims: [], winner: undefined, entry: emptyEntry, slots: noSlots };
    this.#frontends.set(key, held);
    const index = held.claims.findIndex((known) => known.owner === owner);
    if (index >= 0) held.claims.splice(index, 1);
    if (claim !== undefined) held.claims.push(claim);
    held.claims.sort((one, other) => (one.order < other.order ? -1 : 1));
    const winner = held.claims[0];
    if (winner === held.winner) return;
    held.winner = winner;
    this.#layOut(held);
    if (winner === undefined) this.#frontends.delete(key);
  }

  #layOut(held: Held): void {
    const frontend = held.winner?.frontend;
    const { entry: old } = held;
    held.slots = {
      targets: assignSlots(held.slots.targets, frontend?.targets ?? []),
      inside: assignSlots(held.slots.inside, frontend?.insideTargets ?? []),
    };
    held.entry = frontend === undefined ? emptyEntry : frontendEntry(frontend, held.slots);
    for (const [set, key] of old.elements) this.#write(set, key, undefined);
    for (const [name, rules] of held.entry.chains) this.#addChain(name, rules);
    for (const [set, key, value] of held.entry.elements) this.#write(set, key, value);
  }

  /** Invariant: a chain's name says all about its rules, and no chain is taken away before the next full load. */
  #addChain(name: string, rules: readonly string[]): void {
    if (this.#chains.has(name)) return;
    this.#chains.set(name, rules);
    this.#newChains.set(name, rules);
  }

  #use(set: string, key: string, step: number): void {
    const name = `${set} ${key}`;
    const uses = (this.#sharedUses.get(name) ?? 0) + step;
    if (uses > 0) this.#sharedUses.set(name, uses);
    else this.#sharedUses.delete(name);
    this.#write(set, key, uses > 0 ? "" : undefined);
  }

  #write(set: string, key: string, value: string | undefined): void {
    const elements = this.#elements.get(set) ?? new Map<string, string>();
    this.#elements.set(set, elements);
    const old = elements.get(key);
    if (old === value) return;
    const before = this.#before.get(set) ?? new Map<string, string | undefined>();
    this.#before.set(set, before);
    if (!before.has(key)) before.set(key, old);
    if (value === undefined) elements.delete(key);
    else elements.set(key, value);
  }
}

function put(elements: Map<string, Map<string, string>>, set: string, key: string, value: string): void {
  const known = elements.get(set);
  if (known === undefined) elements.set(set, new Map([[key, value]]));
  else known.set(key, value);
}
