/**
 * A change that a policy or a webhook makes may be something for those that ran before it: all built-in plugins run once
 * more then, and of the others those that asked for it. Upstream: admission/{attributes,reinvocation}.go, webhook/mutating/
 * reinvocationcontext.go.
 */
import type { KubernetesObject } from "#api/object.ts";
import type { AdmissionRequest } from "./plugin.ts";

export class Reinvocation {
  isAgain = false;
  isNeeded = false;
  readonly #plugins = new Map<string, PluginReinvocation>();

  of(plugin: string): PluginReinvocation {
    let found = this.#plugins.get(plugin);
    if (found === undefined) this.#plugins.set(plugin, (found = new PluginReinvocation(this)));
    return found;
  }
}

/** What one plugin's parts have done so far. */
export class PluginReinvocation {
  readonly #whole: Reinvocation;
  #invoked = new Set<string>();
  readonly #again = new Set<string>();
  #output: string | undefined;

  constructor(whole: Reinvocation) {
    this.#whole = whole;
  }

  begin(object: KubernetesObject | undefined): void {
    if (this.#whole.isAgain && this.#output !== textOf(object)) this.#requireEarlier();
  }

  end(object: KubernetesObject | undefined): void {
    this.#output = textOf(object);
  }

  mayRun(part: string): boolean {
    return !this.#whole.isAgain || this.#again.has(part);
  }

  ran(part: string, { hasChanged, isReinvocable }: { hasChanged: boolean; isReinvocable: boolean }): void {
    if (hasChanged) {
      this.#requireEarlier();
      this.#whole.isNeeded = true;
    }
    if (isReinvocable) this.#invoked.add(part);
  }

  #requireEarlier(): void {
    for (const part of this.#invoked) this.#again.add(part);
    this.#invoked = new Set();
  }
}

const textOf = (object: KubernetesObject | undefined): string => JSON.stringify(object ?? null);

const states = new WeakMap<AdmissionRequest, Reinvocation>();

export function reinvocationOf(request: AdmissionRequest): Reinvocation {
  let state = states.get(request);
  if (state === undefined) states.set(request, (state = new Reinvocation()));
  return state;
}

/** Runs all mutating plugins, twice if one of them says so. */
export async function withReinvocation(request: AdmissionRequest, run: () => Promise<void>): Promise<void> {
  await run();
  const state = states.get(request);
  if (state?.isNeeded !== true) return;
  state.isAgain = true;
  await run();
}
