/** What pods ask of a node, in sum, with their overhead. Pure. */
import { type Amounts, podLimits, podRequests } from "#api/core/pod-resources.ts";
import type { V1Pod } from "#api/generated/types.ts";
import { addQuantities, quantityText, toQuantity } from "#api/quantity.ts";

export function podAmounts(...pods: readonly V1Pod[]): { requests: Amounts; limits: Amounts } {
  const requests: Amounts = {};
  const limits: Amounts = {};
  for (const { spec } of pods) {
    const overhead = Object.entries((spec?.overhead ?? {}) as Record<string, string>).map(
      ([name, amount]) => [name, toQuantity(amount)] as const,
    );
    const own = podLimits(spec ?? {});
    add(requests, Object.entries(podRequests(spec ?? {})));
    add(requests, overhead);
    add(limits, Object.entries(own));
    // A pod without a limit has none with overhead either.
    add(
      limits,
      overhead.filter(([name]) => name in own),
    );
  }
  return { requests, limits };
}

export function amountOf(amounts: Amounts, name: string): string {
  const amount = amounts[name];
  return amount === undefined ? "0" : quantityText(amount);
}

function add(sum: Amounts, amounts: readonly (readonly [string, Amounts[string]])[]): void {
  for (const [name, amount] of amounts) sum[name] = sum[name] === undefined ? amount : addQuantities(sum[name], amount);
}
