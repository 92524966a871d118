/** Why a pod found no node, in upstream's words. Upstream: framework/types.go (FitError). */

/** Reasons of all nodes, each with how many nodes gave it. */
export class Reasons {
  readonly #counts = new Map<string, number>();

  add(reasons: readonly string[], nodes = 1): void {
    if (nodes <= 0) return;
    for (const reason of reasons) this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + nodes);
  }

  /** "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable." */
  message(nodes: number): string {
    const lines = [...this.#counts].map(([reason, count]) => `${count} ${reason}`).toSorted(byText);
    return `${noNodes(nodes)} ${lines.join(", ")}.`;
  }
}

export const noNodes = (nodes: number): string => `0/${nodes} nodes are available:`;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
