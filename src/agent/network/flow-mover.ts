/** Keeps the map of UDP flows that were led away from targets that are gone; see stale-flow.ts. */
import { readFile } from "node:fs/promises";
import type { Logger } from "#lib/log.ts";
import type { Family } from "./address.ts";
import type { TableLayout } from "./nftables.ts";
import { movedFlows, parseUdpFlows } from "./stale-flow.ts";

const flowsPath = "/proc/net/nf_conntrack";

/** The map and the chains that a table needs for it. */
export function movedFlowsLayout(family: Family): Pick<TableLayout, "sets" | "chains"> {
  const key = `${family} saddr . udp sport . ${family} daddr . udp dport`;
  return {
    sets: { moved: `map moved { typeof ${key} : ct zone; }` },
    chains: {
      rezone: { rules: [`ct original zone set ${key} map @moved`] },
      "zone-in": { hook: "type filter hook prerouting priority -300;", rules: ["meta l4proto udp jump rezone"] },
      "zone-out": { hook: "type filter hook output priority -300;", rules: ["meta l4proto udp jump rezone"] },
    },
  };
}

export class FlowMover {
  readonly #family: Family;
  readonly #log: Logger;
  #moved: ReadonlyMap<string, string> = new Map();

  constructor(family: Family, log: Logger) {
    this.#family = family;
    this.#log = log;
  }

  /** Elements of the map "moved" as they are wanted. */
  get moved(): ReadonlyMap<string, string> {
    return this.#moved;
  }

  /** The table was emptied: no flow is moved any more. */
  forget(): void {
    this.#moved = new Map();
  }

  /** Looks for flows that have become stale. `changed`: the frontends that may have lost a target; undefined for all. */
  async look(
    targetsOf: (frontend: string, target: string) => readonly string[] | undefined,
    changed: ReadonlySet<string> | undefined,
  ): Promise<void> {
    if (changed?.size === 0) return;
    const text = await readFile(flowsPath, "utf8").catch((error: unknown) => {
      this.#log.warn("UDP flows to endpoints that are gone last until they time out", { error });
      return "";
    });
    const flows = parseUdpFlows(text).filter(({ family }) => family === this.#family);
    this.#moved = movedFlows(flows, this.#moved, targetsOf, changed);
  }
}
