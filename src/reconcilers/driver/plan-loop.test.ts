import { afterEach, describe, expect, test } from "vitest";
import { silentLogger } from "#lib/log.ts";
import type { UnknownObject } from "#api/object.ts";
import { Client, type ResourceRef } from "#client/client.ts";
import { ClusterCache } from "#client/cluster-cache.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import {
  create,
  defineReconciler,
  remove,
  trigger,
  updateStatus,
  type Change,
  type Moment,
  type View,
} from "#reconcilers/reconciler.ts";
import { drive } from "./driver.ts";

const kind = (name: string): ResourceRef => ({
  group: "",
  version: "v1",
  kind: name,
  plural: `${name.toLowerCase()}s`,
  scope: "Namespaced",
});
const Parent = kind("Parent");
const Child = kind("Child");

const stops: AbortController[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop.abort()));

interface World {
  api: MemoryApi;
  client: Client;
  cache: ClusterCache;
  /** How many objects were planned for at once, at most. */
  moments: Moment[];
}

async function world(reconcile: (object: UnknownObject, view: View, moment: Moment) => Change[]): Promise<World> {
  const api = new MemoryApi();
  const client = new Client(api);
  const cache = new ClusterCache(client, { log: silentLogger, freeze: true });
  const stop = new AbortController();
  stops.push(stop);
  stop.signal.addEventListener("abort", () => cache.stop());
  const moments: Moment[] = [];
  const reconciler = defineReconciler<UnknownObject>({
    name: "test",
    watches: Parent,
    owns: [Child],
    also: [trigger(Child, ({ metadata }) => [{ namespace: metadata.namespace, name: metadata.labels?.["parent"] }])],
    reconcile(object, view, moment) {
      moments.push(moment);
      return reconcile(object, view, moment);
    },
  });
  const clock = { now: () => 1_000 };
  await drive(reconciler, { client, cache, clock, random: { next: () => 0 }, log: silentLogger, signal: stop.signal });
  return { api, client, cache, moments };
}

const parent = (name: string, wanted: number): UnknownObject => ({
  metadata: { name, namespace: "a" },
  spec: { wanted },
});
const childOf = ({ metadata }: UnknownObject): UnknownObject => ({
  metadata: { generateName: `${metadata.name}-`, namespace: "a", labels: { parent: metadata.name! } },
});
const wantedOf = (object: UnknownObject): number => (object["spec"] as { wanted: number }).wanted;

/** As many children as wished, by what the view shows. */
function scale(object: UnknownObject, view: View): Change[] {
  const children = view.byLabels(Child, "a", { parent: object.metadata.name! });
  const missing = wantedOf(object) - children.length;
  if (missing > 0) return Array.from({ length: missing }, () => create(Child, childOf(object)));
  return children.slice(wantedOf(object)).map((child) => remove(Child, child));
}

const settled = ({ api, cache }: World) =>
  Promise.all([Parent, Child].map((ref) => cache.of(ref).when(() => cache.of(ref).revision >= lastOf(api, ref))));
const lastOf = (api: MemoryApi, ref: ResourceRef): number =>
  Math.max(0, ...api.objects(`/${ref.plural}/`).map(({ metadata }) => Number(metadata.resourceVersion)));
const until = async (test: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 2_000 && !test(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(test()).toBe(true);
};

describe("driver", () => {
  test("makes exactly what is wished, however the events arrive: no plan is made before the last one is seen", async () => {
    const here = await world(scale);
    for (let number = 0; number < 20; number += 1) await here.client.create(Parent, parent(`p${number}`, number));
    await until(() => here.api.objects("/childs/").length >= 190);
    await settled(here);
    expect(here.api.objects("/childs/")).toHaveLength(190);
    const created = here.api.requests.filter((each) => each === "POST /api/v1/namespaces/a/childs");
    expect(created).toHaveLength(190);
  });

  test("takes away what is too much, and makes again what somebody else deletes", async () => {
    const here = await world(scale);
    await here.client.create(Parent, parent("p", 3));
    await until(() => here.api.objects("/childs/").length === 3);
    await here.client.delete(Child, here.api.objects("/childs/")[0]!.metadata);
    await until(() => here.api.objects("/childs/").length === 3);
    await here.client.patch(Parent, { namespace: "a", name: "p" }, "merge", { spec: { wanted: 1 } });
    await until(() => here.api.objects("/childs/").length === 1);
  });

  test("tries few creates before it gives up, then tells the planner why, which may report it", async () => {
    const here = await world((object, view, { failure }) => [
      ...scale(object, view),
      ...(failure === undefined || object["status"] !== undefined
        ? []
        : [updateStatus(Parent, { ...object, status: { why: failure.message } })]),
    ]);
    const allow = here.api.refuse(
      ({ method, path }) => method === "POST" && path.endsWith("/childs"),
      403,
      "Forbidden",
      "no",
    );
    await here.client.create(Parent, parent("p", 50));
    await until(() => here.api.objects("/parents/")[0]?.["status"] !== undefined);
    expect(here.api.objects("/parents/")[0]?.["status"]).toEqual({ why: "no" });
    // One at first, and one that the written status brings about.
    const tried = here.api.requests.filter((each) => each.endsWith("/childs") && each.startsWith("POST"));
    expect(tried.length).toBeLessThanOrEqual(2);
    allow();
    await here.client.patch(Parent, { namespace: "a", name: "p" }, "merge", { metadata: { labels: { again: "yes" } } });
    await until(() => here.api.objects("/childs/").length === 50);
    await until(() => here.moments.at(-1)?.failure === undefined);
  });

  test("a bug in a plan for one object does not keep others from being served", async () => {
    const here = await world((object, view) => {
      if (object.metadata.name === "bad") throw new Error("bug");
      return scale(object, view);
    });
    await here.client.create(Parent, parent("bad", 1));
    await here.client.create(Parent, parent("good", 1));
    await until(() => here.api.objects("/childs/").length === 1);
  });
});
