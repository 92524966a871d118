/** What every store must keep, whichever way it is made. Each implementation's test file runs this suite. */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  CompactedError,
  FutureRevisionError,
  type Store,
  type StoredValue,
  type StoreEvent,
  type Write,
} from "./store.ts";
import { InvalidWriteError, StoreClosedError, transactionWritesMax } from "./transaction.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (stored: StoredValue | undefined): string | undefined =>
  stored === undefined ? undefined : Buffer.from(stored.value).toString();
const put = (key: string, value = key, expectedModRevision?: number): Write =>
  expectedModRevision === undefined ? { key, value: bytes(value) } : { key, value: bytes(value), expectedModRevision };
const remove = (key: string, expectedModRevision?: number): Write =>
  expectedModRevision === undefined ? { key, value: undefined } : { key, value: undefined, expectedModRevision };

const plain = ({ key, value, createRevision, modRevision, version }: StoredValue) => ({
  key,
  value: Buffer.from(value).toString(),
  createRevision,
  modRevision,
  version,
});

/** Collects the events of a watch until it has seen a revision, in the batches they came in. */
function record(store: Store, prefix: string, afterRevision: number) {
  const events: StoreEvent[] = [];
  const batches: number[] = [];
  const waiting: (() => void)[] = [];
  let ended: { error: Error | undefined } | undefined;
  const wake = () => waiting.splice(0).forEach((resume) => resume());
  const stop = store.watch(prefix, afterRevision, {
    onEvents(batch, revision) {
      events.push(...batch);
      batches.push(revision);
      wake();
    },
    onEnd(error) {
      ended = { error };
      wake();
    },
  });
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resume) => waiting.push(resume));
  };
  return {
    events,
    batches,
    stop,
    seen: (revision: number) => until(() => (batches.at(-1) ?? 0) >= revision),
    async end() {
      await until(() => ended !== undefined);
      return ended?.error;
    },
  };
}

const keyArbitrary = fc.constantFrom("/a/1", "/a/2", "/a/3", "/b/1", "/b/2", "/c");
const writeArbitrary: fc.Arbitrary<Write> = fc.record(
  {
    key: keyArbitrary,
    value: fc.oneof(
      fc.constant(undefined),
      fc.string({ maxLength: 12 }).map((value) => bytes(value)),
    ),
    expectedModRevision: fc.nat(6),
  },
  { requiredKeys: ["key", "value"] },
);
const transactionArbitrary = fc.uniqueArray(writeArbitrary, {
  selector: ({ key }) => key,
  minLength: 1,
  maxLength: 3,
});
const transactionsArbitrary = fc.array(transactionArbitrary, { minLength: 1, maxLength: 25 });

/** The list at some revision, changed by the events that follow it. */
function replayed(list: readonly StoredValue[], events: readonly StoreEvent[]) {
  const state = new Map(list.map((stored) => [stored.key, plain(stored)]));
  for (const event of events) {
    const { key, revision, createRevision } = event;
    const before = state.get(key);
    expect(event.previous === undefined ? undefined : plain(event.previous)).toEqual(before);
    if (event.type === "delete") state.delete(key);
    else
      state.set(key, {
        key,
        value: Buffer.from(event.value).toString(),
        createRevision,
        modRevision: revision,
        version: (before?.version ?? 0) + 1,
      });
  }
  return [...state.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

export function describeStore(name: string, open: () => Promise<Store>, runs = 30): void {
  const opened: Store[] = [];
  const fresh = async () => {
    const store = await open();
    opened.push(store);
    return store;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  describe(`${name}: writes`, () => {
    it("a fresh store is at revision 1 and empty", async () => {
      const store = await fresh();
      expect(store.revision).toBe(1);
      expect(await store.range({ prefix: "" })).toEqual({ values: [], remaining: 0, revision: 1 });
      expect(await store.get("/a")).toBeUndefined();
    });

    it("each transaction is one revision, and versions count from creation", async () => {
      const store = await fresh();
      expect(await store.write([put("/a"), put("/b")])).toEqual({ ok: true, revision: 2 });
      expect(await store.write([put("/a", "2")])).toEqual({ ok: true, revision: 3 });
      expect(plain((await store.get("/a")) as StoredValue)).toEqual({
        key: "/a",
        value: "2",
        createRevision: 2,
        modRevision: 3,
        version: 2,
      });
      await store.write([remove("/a")]);
      await store.write([put("/a", "3")]);
      expect(await store.get("/a")).toMatchObject({ createRevision: 5, modRevision: 5, version: 1 });
      expect(store.revision).toBe(5);
    });

    it("deletes of missing keys alone make no revision", async () => {
      const store = await fresh();
      expect(await store.write([remove("/a"), remove("/b")])).toEqual({ ok: true, revision: 1 });
      expect(await store.write([remove("/a"), put("/b")])).toEqual({ ok: true, revision: 2 });
      expect(await store.write([])).toEqual({ ok: true, revision: 2 });
    });

    it("a failed expectation writes nothing and shows what is there", async () => {
      const store = await fresh();
      await store.write([put("/a", "1")]);
      const cases: [Write[], string][] = [
        [[put("/a", "x", 0)], "/a"],
        [[put("/b", "x"), put("/a", "x", 7)], "/a"],
        [[put("/b", "x", 2)], "/b"],
        [[remove("/c", 2)], "/c"],
      ];
      for (const [writes, failedKey] of cases) {
        const result = await store.write(writes);
        expect(result).toMatchObject({ ok: false, failedKey, revision: 2 });
        expect(text((result as { current: StoredValue | undefined }).current)).toBe(
          failedKey === "/a" ? "1" : undefined,
        );
      }
      expect(store.revision).toBe(2);
      expect(await store.get("/b")).toBeUndefined();
      expect(await store.write([put("/a", "2", 2), put("/b", "b", 0)])).toEqual({ ok: true, revision: 3 });
      expect(await store.write([remove("/a", 3)])).toEqual({ ok: true, revision: 4 });
      expect(await store.write([remove("/a", 0)])).toEqual({ ok: true, revision: 4 });
    });

    it("of many writers with the same expectation one wins", async () => {
      const store = await fresh();
      const results = await Promise.all(Array.from({ length: 50 }, (_, at) => store.write([put("/a", `${at}`, 0)])));
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      expect(results[0]).toEqual({ ok: true, revision: 2 });
      for (const result of results.slice(1)) {
        expect(result).toMatchObject({ ok: false, failedKey: "/a", revision: 2 });
        expect(text((result as { current: StoredValue | undefined }).current)).toBe("0");
      }
    });

    it("a write is visible, and its event delivered, before its promise resolves", async () => {
      const store = await fresh();
      const watch = record(store, "", 1);
      await store.write([put("/x")]);
      await watch.seen(2);
      await Promise.all(
        Array.from({ length: 20 }, async (_, at) => {
          const result = await store.write([put(`/a/${at}`)]);
          expect(store.revision).toBeGreaterThanOrEqual(result.revision);
          expect(watch.batches.at(-1)).toBeGreaterThanOrEqual(result.revision);
          expect(text(await store.get(`/a/${at}`))).toBe(`/a/${at}`);
        }),
      );
    });

    it("refuses what breaks a limit, and a key twice", async () => {
      const store = await fresh();
      const tooMany = Array.from({ length: transactionWritesMax + 1 }, (_, at) => put(`/${at}`));
      const refused = [[put("")], [put("/a"), put("/a")], [put("/".repeat(5000))], [put("\ud800")], tooMany];
      for (const writes of refused) await expect(store.write(writes)).rejects.toThrow(InvalidWriteError);
      expect(store.revision).toBe(1);
      expect(await store.write(tooMany.slice(1))).toEqual({ ok: true, revision: 2 });
      expect((await store.range({ prefix: "/", limit: 10 })).remaining).toBe(transactionWritesMax - 10);
    });

    it("keeps empty values apart from none, and any bytes", async () => {
      const store = await fresh();
      const all = Uint8Array.from({ length: 256 }, (_, at) => at);
      await store.write([put("/empty", ""), { key: "/all", value: all }, put("/ключ/🎉", "x")]);
      expect((await store.get("/empty"))?.value.byteLength).toBe(0);
      expect([...((await store.get("/all"))?.value ?? [])]).toEqual([...all]);
      expect(text(await store.get("/ключ/🎉"))).toBe("x");
    });
  });

  describe(`${name}: ranges and old revisions`, () => {
    it("pages through a prefix in key order with one revision", async () => {
      const store = await fresh();
      const keys = Array.from({ length: 25 }, (_, at) => `/p/${String(at).padStart(2, "0")}`);
      for (const key of keys.toReversed()) await store.write([put(key)]);
      await store.write([put("/o"), put("/q"), put("/p0")]);
      const { revision } = store;
      const found: string[] = [];
      for (let after: string | undefined; ;) {
        const page = await store.range({
          prefix: "/p/",
          limit: 10,
          revision,
          ...(after === undefined ? {} : { after }),
        });
        found.push(...page.values.map(({ key }) => key));
        expect(page.remaining).toBe(25 - found.length);
        expect(page.revision).toBe(revision);
        if (page.remaining === 0) break;
        after = found.at(-1);
        // Later writes do not move the pages.
        await store.write([put(`/p/${found.length}x`), remove(`/p/${24 - found.length}`)]);
      }
      expect(found).toEqual(keys);
    });

    it("refuses the future and the compacted past", async () => {
      const store = await fresh();
      for (const value of ["1", "2", "3"]) await store.write([put("/a", value)]);
      await store.compact(3);
      await expect(store.get("/a", 2)).rejects.toThrow(CompactedError);
      await expect(store.range({ prefix: "", revision: 2 })).rejects.toThrow("required revision has been compacted");
      await expect(store.get("/a", 9)).rejects.toThrow(FutureRevisionError);
      await expect(store.range({ prefix: "", revision: 9 })).rejects.toThrow(
        "revision 9 is a future revision (current 4)",
      );
      await expect(store.compact(9)).rejects.toThrow(FutureRevisionError);
      expect(text(await store.get("/a", 3))).toBe("2");
      expect(text(await store.get("/a", 4))).toBe("3");
      await store.compact(2);
      expect(store.compactedRevision).toBe(3);
    });
  });

  describe(`${name}: watches`, () => {
    it("a watch on the compacted past ends with CompactedError, one from the compacted revision goes on", async () => {
      const store = await fresh();
      for (const key of ["/a", "/b", "/c"]) await store.write([put(key)]);
      await store.compact(3);
      expect(await record(store, "", 2).end()).toBeInstanceOf(CompactedError);
      const watch = record(store, "", 3);
      await watch.seen(4);
      expect(watch.events.map(({ key }) => key)).toEqual(["/c"]);
    });

    it("a watch of the future begins after its revision", async () => {
      const store = await fresh();
      const watch = record(store, "", 3);
      for (const key of ["/a", "/b", "/c"]) await store.write([put(key)]);
      await watch.seen(4);
      expect(watch.events.map(({ revision }) => revision)).toEqual([4]);
    });

    it("a stopped watch hears nothing more, and closing ends the others", async () => {
      const store = await fresh();
      const stopped = record(store, "", 1);
      const other = record(store, "", 1);
      await store.write([put("/a")]);
      stopped.stop();
      await store.write([put("/b")]);
      expect(stopped.events.map(({ key }) => key)).toEqual(["/a"]);
      await store.close();
      expect(await other.end()).toBeUndefined();
      await expect(store.write([put("/c")])).rejects.toThrow(StoreClosedError);
    });

    it("a watcher that throws is ended and harms nobody", async () => {
      const store = await fresh();
      let end: Error | undefined;
      store.watch("", 1, {
        onEvents() {
          throw new Error("broken");
        },
        onEnd: (error) => (end = error),
      });
      const other = record(store, "", 1);
      await store.write([put("/a")]);
      await other.seen(2);
      expect(end?.message).toBe("broken");
    });
  });

  describe(`${name}: properties`, () => {
    it("a watch from r replayed on the list at r equals the list now", async () => {
      await fc.assert(
        fc.asyncProperty(
          transactionsArbitrary,
          fc.nat(),
          fc.constantFrom("", "/a/", "/b/1"),
          async (transactions, pick, prefix) => {
            const store = await open();
            const start = 1 + (pick % (transactions.length + 1));
            const early = record(store, prefix, start);
            await Promise.all(transactions.map((writes) => store.write(writes)));
            const from = Math.min(start, store.revision);
            await store.write([put("/a/end"), put("/b/1")]);
            const late = record(store, prefix, from);
            if (start < store.revision) await early.seen(store.revision);
            await late.seen(store.revision);
            const before = await store.range({ prefix, revision: from });
            const now = (await store.range({ prefix })).values.map(plain);
            for (const { events, batches } of [early, late]) {
              expect(events.filter(({ revision }) => revision <= from)).toEqual([]);
              expect(events.map(({ revision }) => revision)).toEqual(
                events.map(({ revision }) => revision).toSorted((a, b) => a - b),
              );
              expect(batches).toEqual([...new Set(batches)].toSorted((a, b) => a - b));
              if (from === start) expect(replayed(before.values, events)).toEqual(now);
            }
            await store.close();
          },
        ),
        { numRuns: runs },
      );
    });

    it("compaction at c changes nothing that can be read from c on", async () => {
      await fc.assert(
        fc.asyncProperty(transactionsArbitrary, fc.nat(), async (transactions, pick) => {
          const store = await open();
          for (const writes of transactions) await store.write(writes);
          const at = 1 + (pick % store.revision);
          const revisions = Array.from({ length: store.revision - at + 1 }, (_, more) => at + more);
          const lists = () =>
            Promise.all(
              revisions.map(async (revision) => (await store.range({ prefix: "", revision })).values.map(plain)),
            );
          const before = await lists();
          await store.compact(at);
          expect(await lists()).toEqual(before);
          expect((await store.range({ prefix: "" })).values.map(plain)).toEqual(before.at(-1));
          if (at > 1) await expect(store.range({ prefix: "", revision: at - 1 })).rejects.toThrow(CompactedError);
          await store.close();
        }),
        { numRuns: runs },
      );
    });
  });
}

export { transactionsArbitrary };
