import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { silentLogger } from "#lib/log.ts";
import type { UnknownObject } from "#api/object.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { Cache } from "./cache.ts";
import { Client, type ResourceRef } from "./client.ts";

const ref: ResourceRef = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", scope: "Namespaced" };
const map = (name: string, data: Record<string, string> = {}): UnknownObject => ({
  metadata: { name, namespace: "a" },
  data,
});

const stops: AbortController[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop.abort()));

function start(api: MemoryApi): { cache: Cache<UnknownObject>; client: Client } {
  const client = new Client(api);
  const cache = new Cache(client, ref, { log: silentLogger, freeze: true, random: { next: () => 0 } });
  const stop = new AbortController();
  stops.push(stop);
  void cache.run(stop.signal);
  return { cache, client };
}

const caughtUp = (cache: Cache<UnknownObject>, api: MemoryApi) => cache.when(() => cache.revision >= api.revision);
const namesOf = (objects: readonly UnknownObject[]) => objects.map(({ metadata }) => metadata.name).sort();

describe("cache", () => {
  test("shows what is there when it has synced, then every change", async () => {
    const api = new MemoryApi();
    await new Client(api).create(ref, map("one"));
    const { cache, client } = start(api);
    await cache.synced();
    expect(namesOf(cache.list())).toEqual(["one"]);
    await client.create(ref, map("two"));
    await client.delete(ref, { namespace: "a", name: "one" });
    await caughtUp(cache, api);
    expect(namesOf(cache.list("a"))).toEqual(["two"]);
    expect(cache.list("b")).toEqual([]);
  });

  test("goes on where a watch was cut, without a second list", async () => {
    const api = new MemoryApi();
    const { cache, client } = start(api);
    await cache.synced();
    api.cutWatches();
    await client.create(ref, map("one"));
    await caughtUp(cache, api);
    expect(namesOf(cache.list())).toEqual(["one"]);
    expect(api.requests.filter((each) => each === "GET /api/v1/configmaps")).toHaveLength(1);
  });

  test("lists again when the server has forgotten, and tells what went meanwhile", async () => {
    const api = new MemoryApi();
    const { cache, client } = start(api);
    await client.create(ref, map("one"));
    await caughtUp(cache, api);
    const heard: string[] = [];
    cache.onChange(({ type, object }) => heard.push(`${type} ${object.metadata.name}`));
    const again = api.refuse(({ method }) => method === "GET", 500, "InternalError");
    api.cutWatches();
    await client.delete(ref, { namespace: "a", name: "one" });
    await client.create(ref, map("two"));
    api.forgetHistory();
    again();
    await caughtUp(cache, api);
    expect(heard.sort()).toEqual(["added one", "added two", "deleted one"]);
  });

  test("an object that was made anew under its old name is deleted, then added", async () => {
    const api = new MemoryApi();
    const { cache, client } = start(api);
    await client.create(ref, map("one"));
    await caughtUp(cache, api);
    api.cutWatches();
    const heard: string[] = [];
    cache.onChange(({ type }) => heard.push(type));
    await client.delete(ref, { namespace: "a", name: "one" });
    await client.create(ref, map("one"));
    api.forgetHistory();
    await caughtUp(cache, api);
    expect(heard).toEqual(["added", "deleted", "added"]);
  });

  test("freezes objects when told to", async () => {
    const api = new MemoryApi();
    const { cache, client } = start(api);
    await client.create(ref, map("one", { a: "b" }));
    await caughtUp(cache, api);
    const object = cache.get({ namespace: "a", name: "one" });
    expect(() => ((object as unknown as { data: Record<string, string> }).data["a"] = "c")).toThrow(TypeError);
  });

  test("equals a list after any writes, cuts and losses of history", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("put"), name: fc.constantFrom("a", "b", "c"), value: fc.string() }),
      fc.record({ do: fc.constant("delete"), name: fc.constantFrom("a", "b", "c"), value: fc.constant("") }),
      fc.record({ do: fc.constantFrom("cut", "forget"), name: fc.constant(""), value: fc.constant("") }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const api = new MemoryApi();
        const { cache, client } = start(api);
        for (const { do: action, name, value } of steps) {
          if (action === "cut" || action === "forget") api.cutWatches();
          if (action === "forget") api.forgetHistory();
          else if (action === "delete") await client.delete(ref, { namespace: "a", name }).catch(() => {});
          else if (action === "put")
            await client
              .create(ref, map(name, { value }))
              .catch(() => client.patch(ref, { namespace: "a", name }, "merge", { data: { value } }));
        }
        await cache.synced();
        await caughtUp(cache, api);
        const { items } = await client.list(ref);
        const byName = (objects: readonly UnknownObject[]) =>
          [...objects].sort((x, y) => (x.metadata.name! < y.metadata.name! ? -1 : 1));
        expect(byName(cache.list())).toEqual(byName(items));
      }),
      { numRuns: 30 },
    );
  });
});
