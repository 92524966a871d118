/** One pod's way through the filters: what each plugin prepared, and its verdict on a node. */
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import { type Cluster, fits, neverFits, type Plugin, PluginFailure, type Refusal, type Verdict } from "./plugin.ts";

interface ActiveFilter {
  plugin: Plugin;
  prepared: unknown;
}

export interface FilterOutcome {
  verdict: Verdict;
  /** Who refused. */
  plugin: string | undefined;
}

const passed: FilterOutcome = { verdict: fits, plugin: undefined };

/** Why no node is even looked at. */
export interface EarlyRefusal {
  verdict: Refusal;
  plugin: string;
}

export class Attempt {
  readonly pod: PodInfo;
  readonly cluster: Cluster;
  readonly #plugins: readonly Plugin[];
  #filters: ActiveFilter[] = [];
  #onlyNodes: ReadonlySet<string> | undefined;
  readonly #narrowedBy: string[] = [];
  #refusal: EarlyRefusal | undefined;
  readonly #prepared = new Map<string, unknown>();
  /** Plugins that had their say before any refused: only they know enough to speak afterwards. */
  readonly #asked = new Set<string>();

  constructor(pod: PodInfo, cluster: Cluster, plugins: readonly Plugin[]) {
    this.pod = pod;
    this.cluster = cluster;
    this.#plugins = plugins;
    this.#prepare();
  }

  get refusal(): EarlyRefusal | undefined {
    return this.#refusal;
  }

  /** What the plugin of this name made of the pod. */
  preparedBy(plugin: string): unknown {
    return this.#prepared.get(plugin);
  }

  /** What plugins say to a pod that fits nowhere; undefined if one that would was never asked about the pod. */
  afterRefusal(): string[] | undefined {
    const speakers = this.#plugins.filter(({ afterRefusal }) => afterRefusal !== undefined);
    if (speakers.some(({ name }) => !this.#asked.has(name))) return undefined;
    return speakers.map((plugin) => plugin.afterRefusal?.(this.#prepared.get(plugin.name)) ?? "");
  }

  /** The nodes in question, all of the cluster's if undefined. */
  get onlyNodes(): ReadonlySet<string> | undefined {
    return this.#onlyNodes;
  }

  /** The reason of every node that is not in question. */
  get narrowedReason(): string {
    return `node(s) didn't satisfy plugin(s) [${this.#narrowedBy.toSorted().join(" ")}]`;
  }

  get narrowedBy(): readonly string[] {
    return this.#narrowedBy;
  }

  /** Asks the filters in order, up to the first refusal; pods that are promised room here count as being here. */
  outcomeOn(node: NodeInfo): FilterOutcome {
    const { state } = this.cluster;
    const promised = state
      .nominatedOn(node.name)
      .filter(({ uid, priority }) => uid !== this.pod.uid && priority >= this.pod.priority);
    if (promised.length > 0) {
      for (const pod of promised) state.addPod(pod);
      const outcome = this.preparedAgain().#ask(node);
      for (const pod of promised) state.removePod(pod.uid);
      if (outcome.verdict !== fits) return outcome;
    }
    return this.#ask(node);
  }

  /** The same pod after pods came or went: what depends on them is prepared anew. */
  preparedAgain(): Attempt {
    if (!this.#plugins.some(({ dependsOnPods }) => dependsOnPods === true)) return this;
    return new Attempt(this.pod, this.cluster, this.#plugins);
  }

  #prepare(): void {
    for (const plugin of this.#plugins) {
      if (plugin.prepare === undefined) {
        if (plugin.filter !== undefined) this.#filters.push({ plugin, prepared: undefined });
        continue;
      }
      this.#asked.add(plugin.name);
      const result = failureNamed(plugin, "prefilter", () => plugin.prepare?.(this.pod, this.cluster));
      if (result === undefined || result.kind === "skip") continue;
      if (result.kind === "refused") {
        this.#refuse(result.verdict, plugin.name);
        if (result.verdict.kind === "neverFits") return;
        continue;
      }
      this.#prepared.set(plugin.name, result.value);
      if (result.onlyNodes !== undefined && !this.#narrow(plugin.name, result.onlyNodes)) return;
      if (plugin.filter !== undefined) this.#filters.push({ plugin, prepared: result.value });
    }
  }

  #refuse(verdict: Refusal, plugin: string): void {
    this.#refusal = { verdict, plugin };
  }

  /** False if no node is left. */
  #narrow(plugin: string, onlyNodes: ReadonlySet<string>): boolean {
    this.#narrowedBy.push(plugin);
    const before = this.#onlyNodes;
    const left = before === undefined ? onlyNodes : new Set([...onlyNodes].filter((name) => before.has(name)));
    this.#onlyNodes = left;
    if (left.size > 0) return true;
    const names = this.#narrowedBy.toSorted();
    const reason =
      names.length === 1
        ? `node(s) didn't satisfy plugin ${names[0]}`
        : `node(s) didn't satisfy plugin(s) [${names.join(" ")}] simultaneously`;
    this.#refuse(neverFits(reason), plugin);
    return false;
  }

  #ask(node: NodeInfo): FilterOutcome {
    if (this.#refusal !== undefined) return { verdict: this.#refusal.verdict, plugin: this.#refusal.plugin };
    for (const { plugin, prepared } of this.#filters) {
      const verdict = this.#verdict(plugin, node, prepared);
      if (verdict !== fits) return { verdict, plugin: plugin.name };
    }
    return passed;
  }

  #verdict(plugin: Plugin, node: NodeInfo, prepared: unknown): Verdict {
    try {
      return plugin.filter?.(this.pod, node, prepared, this.cluster) ?? fits;
    } catch (error) {
      throw named(plugin, "filter", error);
    }
  }
}

function failureNamed<R>(plugin: Plugin, step: string, call: () => R): R {
  try {
    return call();
  } catch (error) {
    throw named(plugin, step, error);
  }
}

function named({ name }: Plugin, step: string, error: unknown): unknown {
  if (!(error instanceof PluginFailure)) return error;
  const verb = step === "filter" ? `running "${name}" filter plugin` : `running PreFilter plugin "${name}"`;
  return new PluginFailure(`${verb}: ${error.message}`, { cause: error });
}
