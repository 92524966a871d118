/** Carries out the plans of a reconciler on an API in memory until they are empty. No waiting: time is a number. */
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { Client } from "#client/client.ts";
import { viewOf, type View } from "#client/view.ts";
import { carryOut } from "#reconcilers/driver/carry-out.ts";
import { gatherInputs } from "#reconcilers/driver/driver.ts";
import type { Change, Moment, Reconciler } from "#reconcilers/reconciler.ts";
import type { MemoryApi } from "./memory-api.ts";

export const roundsMax = 50;

export interface Settled {
  /** Every plan that was not empty, in order. */
  plans: Change[][];
  events: string[];
}

/** A moment without a past. */
export const moment = (now: number): Moment => ({
  now,
  failure: undefined,
  failures: 0,
  waitingSince: undefined,
  inputs: new Map(),
});

export const viewOfApi = (api: MemoryApi): View => viewOf(api.objects("/"));

/** Changes that change something: not a wish to be woken. */
export const actingOf = (changes: readonly Change[]): Change[] => changes.filter(({ type }) => type !== "wake");

export async function settle(api: MemoryApi, reconcilers: readonly Reconciler<never>[], now: number): Promise<Settled> {
  const settled: Settled = { plans: [], events: [] };
  for (let round = 0; round < roundsMax; round += 1) if (!(await step(api, reconcilers, now, settled))) return settled;
  throw new Error(`not settled after ${roundsMax} rounds: ${JSON.stringify(settled.plans.at(-1))}`);
}

/** One plan for every object. False if all plans were empty. */
export async function step(
  api: MemoryApi,
  reconcilers: readonly Reconciler<never>[],
  now: number,
  settled: Settled = { plans: [], events: [] },
): Promise<boolean> {
  const client = new Client(api);
  const { signal } = new AbortController();
  const record = ({ reason, message }: { reason: string; message: string }) =>
    void settled.events.push(`${reason}: ${message}`);
  let changed = false;
  for (const reconciler of reconcilers as readonly Reconciler[]) {
    for (const object of objectsOf(api, reconciler)) {
      const view = viewOfApi(api);
      const inputs = await gatherInputs(reconciler, () => object, view, { client, clock: { now: () => now }, signal });
      const plan = actingOf(reconciler.reconcile(object, view, { ...moment(now), inputs }));
      if (plan.length === 0) continue;
      changed = true;
      settled.plans.push(plan);
      const { failure } = await carryOut(plan, { client, record, signal });
      if (failure !== undefined) throw failure;
    }
  }
  return changed;
}

function objectsOf(api: MemoryApi, { watches }: Reconciler): UnknownObject[] {
  return api.objects(`/${watches.plural}/`).filter(({ kind }: KubernetesObject) => kind === watches.kind);
}
