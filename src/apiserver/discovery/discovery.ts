/** What is served, told to clients. */
import { type Answer, objectAnswer, pageNotFound } from "#apiserver/answer.ts";
import type { Catalogue } from "#apiserver/catalogue.ts";
import type { Caller, Dispatched } from "#apiserver/dispatch.ts";
import { negotiate } from "#apiserver/http/negotiate.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";

export interface Discovery {
  answer(caller: Caller): Dispatched;
}

export function createDiscovery(catalogue: Catalogue, virtual: readonly VirtualResource[]): Discovery {
  void virtual;
  void catalogue;
  return {
    answer: () => ({ answer: pageNotFound() as Answer, form: negotiate(undefined, false, { as: [] }) }),
  };
}
void objectAnswer;
