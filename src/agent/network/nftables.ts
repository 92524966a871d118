/**
 * Our nftables tables as plain values, and the scripts that make them so. A table is static (its hooks and the
 * declarations of its sets) plus contents (elements of sets and maps, chains that elements jump to).
 */
import type { Family } from "./address.ts";
import { runCommand, type RunCommand } from "./command.ts";

export interface TableLayout {
  readonly family: Family | "inet";
  readonly name: string;
  /** Declarations: "map services { type …; }", by name. */
  readonly sets: Readonly<Record<string, string>>;
  /** Chains that are always there, in the order in which they may refer to each other. */
  readonly chains: Readonly<Record<string, Chain>>;
  /** Sets whose elements the kernel adds and removes by itself: kept when the rest is replaced. */
  readonly keeps?: readonly string[];
}

export interface Chain {
  /** "type nat hook prerouting priority -100;" for a chain that the kernel calls. */
  readonly hook?: string;
  readonly rules: readonly string[];
}

/** Elements by set and key; the value is "" in sets that are not maps. */
export type Elements = ReadonlyMap<string, ReadonlyMap<string, string>>;
export type Chains = ReadonlyMap<string, readonly string[]>;

export interface TableContents {
  readonly elements: Elements;
  readonly chains: Chains;
  /** Declarations of further sets, by name. Only for tables that keep no set: a full load makes those anew. */
  readonly sets?: ReadonlyMap<string, string>;
}

export interface TableChanges {
  readonly addChains: Chains;
  readonly deleteElements: Elements;
  readonly addElements: Elements;
  readonly addSets?: ReadonlyMap<string, string>;
  readonly deleteChains?: readonly string[];
  /** Declarations by name, as they were added. */
  readonly deleteSets?: ReadonlyMap<string, string>;
}

/** Elements in one nft command; a script has as many commands as it needs, all in one transaction. */
const elementsPerCommandMax = 1_000;

/** A name that changes when the static part does, so that a table of another version is known and replaced whole. */
export function layoutMark({ sets, chains }: TableLayout): string {
  const text = JSON.stringify([sets, chains]);
  let hash = 5381;
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 33) ^ text.charCodeAt(index)) >>> 0;
  return `layout-${hash.toString(16)}`;
}

/**
 * The script that makes a table hold exactly `contents`, whatever it held, in one transaction: no packet meets a table
 * without rules. `present`: names of the chains of a table that has this layout already; its kept sets survive.
 */
export function replaceScript(layout: TableLayout, contents: TableContents, present?: readonly string[]): string {
  const table = `${layout.family} ${layout.name}`;
  const lines = present === undefined ? createLines(layout) : emptyLines(layout, contents, present);
  for (const declaration of contents.sets?.values() ?? []) lines.push(addSet(table, declaration));
  const declared = new Set(present);
  for (const chain of contents.chains.keys()) if (!declared.has(chain)) lines.push(`add chain ${table} ${chain}`);
  for (const [chain, rules] of contents.chains) lines.push(...ruleLines(table, chain, rules));
  for (const [set, elements] of contents.elements) lines.push(...elementLines("add", table, set, elements));
  return `${lines.join("\n")}\n`;
}

/** The script of changed elements and new chains only; "" if there are none. */
export function changeScript(layout: TableLayout, changes: TableChanges): string {
  const table = `${layout.family} ${layout.name}`;
  const lines: string[] = [];
  for (const declaration of changes.addSets?.values() ?? []) lines.push(addSet(table, declaration));
  for (const chain of changes.addChains.keys()) lines.push(`add chain ${table} ${chain}`);
  for (const [chain, rules] of changes.addChains) lines.push(...ruleLines(table, chain, rules));
  for (const [set, elements] of changes.deleteElements) lines.push(...elementLines("delete", table, set, elements));
  for (const [set, elements] of changes.addElements) lines.push(...elementLines("add", table, set, elements));
  for (const chain of changes.deleteChains ?? []) lines.push(`flush chain ${table} ${chain}`);
  for (const chain of changes.deleteChains ?? []) lines.push(`delete chain ${table} ${chain}`);
  for (const [set, declaration] of changes.deleteSets ?? [])
    lines.push(`delete ${declaration.split(" ", 1)[0]} ${table} ${set}`);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** What leads from one state of the contents to the next. Chains of one name never differ: the name says it all. */
export function diffContents(have: TableContents, want: TableContents): TableChanges {
  const addChains = missing(want.chains, have.chains);
  const deleteChains = [...missing(have.chains, want.chains).keys()];
  const addSets = missing(want.sets ?? new Map<string, string>(), have.sets);
  const deleteSets = missing(have.sets ?? new Map<string, string>(), want.sets);
  const deleteElements = new Map<string, Map<string, string>>();
  const addElements = new Map<string, Map<string, string>>();
  for (const set of new Set([...have.elements.keys(), ...want.elements.keys()])) {
    if (deleteSets.has(set)) continue;
    const before = have.elements.get(set);
    const after = want.elements.get(set);
    const gone = new Map([...(before ?? [])].filter(([key, value]) => after?.get(key) !== value));
    const fresh = new Map([...(after ?? [])].filter(([key, value]) => before?.get(key) !== value));
    if (gone.size > 0) deleteElements.set(set, gone);
    if (fresh.size > 0) addElements.set(set, fresh);
  }
  return { addChains, deleteChains, addSets, deleteSets, deleteElements, addElements };
}

function missing<T>(from: ReadonlyMap<string, T>, others: ReadonlyMap<string, unknown> | undefined): Map<string, T> {
  return new Map([...from].filter(([name]) => others?.has(name) !== true));
}

export async function runNft(script: string, run: RunCommand = runCommand): Promise<void> {
  if (script !== "") await run("nft", ["-f", "-"], script);
}

/** The chains of a table of ours as the kernel has it, if its layout is this one. */
export async function presentChains(
  layout: TableLayout,
  run: RunCommand = runCommand,
): Promise<readonly string[] | undefined> {
  const listed = await run("nft", ["-j", "list", "chains"]);
  const { nftables } = JSON.parse(listed) as { nftables: { chain?: ListedChain }[] };
  const names = nftables.flatMap(({ chain }) =>
    chain?.family === layout.family && chain.table === layout.name ? [chain.name] : [],
  );
  return names.includes(layoutMark(layout)) ? names : undefined;
}

interface ListedChain {
  family: string;
  table: string;
  name: string;
}

function createLines(layout: TableLayout): string[] {
  const table = `${layout.family} ${layout.name}`;
  const chains = Object.entries(layout.chains);
  return [
    `add table ${table}`,
    `delete table ${table}`,
    `add table ${table}`,
    `add chain ${table} ${layoutMark(layout)}`,
    ...Object.values(layout.sets).map((declaration) => addSet(table, declaration)),
    ...chains.map(([name, { hook }]) => `add chain ${table} ${name}${hook === undefined ? "" : ` { ${hook} }`}`),
    ...chains.flatMap(([name, { rules }]) => ruleLines(table, name, rules)),
  ];
}

/** Invariant: `present` is a table of this layout, so its static chains and sets stay as they are. */
function emptyLines(layout: TableLayout, contents: TableContents, present: readonly string[]): string[] {
  const table = `${layout.family} ${layout.name}`;
  const own = present.filter((name) => name !== layoutMark(layout) && layout.chains[name] === undefined);
  const flushed = Object.entries(layout.sets).filter(([name]) => layout.keeps?.includes(name) !== true);
  return [
    ...flushed.map(([name, declaration]) => `flush ${declaration.split(" ", 1)[0]} ${table} ${name}`),
    ...own.map((name) => `flush chain ${table} ${name}`),
    ...own.filter((name) => !contents.chains.has(name)).map((name) => `delete chain ${table} ${name}`),
  ];
}

/** "map services { … }" → "add map ip capstan-services services { … }" */
function addSet(table: string, declaration: string): string {
  return `add ${declaration.replace(" ", ` ${table} `)}`;
}

function ruleLines(table: string, chain: string, rules: readonly string[]): string[] {
  return rules.map((rule) => `add rule ${table} ${chain} ${rule}`);
}

function elementLines(
  verb: "add" | "delete",
  table: string,
  set: string,
  elements: ReadonlyMap<string, string>,
): string[] {
  const lines: string[] = [];
  let texts: string[] = [];
  const flush = (): void => {
    if (texts.length > 0) lines.push(`${verb} element ${table} ${set} { ${texts.join(", ")} }`);
    texts = [];
  };
  for (const [key, value] of elements) {
    texts.push(verb === "delete" || value === "" ? key : `${key} : ${value}`);
    if (texts.length === elementsPerCommandMax) flush();
  }
  flush();
  return lines;
}
