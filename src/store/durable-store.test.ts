import fc from "fast-check";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it } from "vitest";
import { type DurableStore, openStore, waitingWritesMax } from "./durable-store.ts";
import { createMemoryStore } from "./memory-store.ts";
import type { Store, StoredValue } from "./store.ts";
import { StoreFullError } from "./transaction.ts";
import { describeStore, transactionsArbitrary } from "./store-suite.ts";

const root = mkdtempSync(join(tmpdir(), "capstan-store-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;
const freshDirectory = () => join(root, String(++directories));

describeStore("durable store", () => openStore({ directory: freshDirectory() }), 4);

const everything = async (store: Store, revision?: number) =>
  (await store.range({ prefix: "", ...(revision === undefined ? {} : { revision }) })).values.map((stored) => ({
    ...stored,
    value: Buffer.from(stored.value).toString("latin1"),
  }));

async function reopened(store: DurableStore, directory: string): Promise<DurableStore> {
  await store.close();
  return openStore({ directory });
}

const value = (text: string): Uint8Array => Buffer.from(text);

describe("durable store: reopening", () => {
  it("gives what the plain model gives, at every revision that is left, and the same hash", async () => {
    await fc.assert(
      fc.asyncProperty(transactionsArbitrary, fc.nat(), async (transactions, pick) => {
        const directory = freshDirectory();
        const model = createMemoryStore();
        const store = await openStore({ directory });
        const results = await Promise.all(transactions.map((writes) => store.write(writes)));
        for (const [at, writes] of transactions.entries()) {
          const { ok, revision } = await model.write(writes);
          expect(results[at]).toMatchObject({ ok, revision });
        }
        const compacted = 1 + (pick % model.revision);
        await Promise.all([model.compact(compacted), store.compact(compacted)]);
        const { hash } = await store.contentHash();
        const again = await reopened(store, directory);
        expect([again.revision, again.compactedRevision]).toEqual([model.revision, compacted]);
        for (let revision = compacted; revision <= model.revision; revision++)
          expect(await everything(again, revision)).toEqual(await everything(model, revision));
        expect((await again.contentHash()).hash).toBe(hash);
        await again.close();
      }),
      { numRuns: 3 },
    );
  });

  it("serves a watch from before its start out of the files, in whole revisions", async () => {
    const directory = freshDirectory();
    let store = await openStore({ directory });
    await Promise.all(
      Array.from({ length: 1500 }, (_, at) =>
        store.write([
          { key: `/${at % 7}`, value: value(`${at}`) },
          { key: `/x${at}`, value: value("x") },
        ]),
      ),
    );
    store = await reopened(store, directory);
    const revisions: number[] = [];
    let seen = 0;
    await new Promise<void>((resolve, reject) => {
      store.watch("", 1, {
        onEvents(events, revision) {
          seen += events.length;
          revisions.push(...events.map((event) => event.revision));
          expect(events.at(-1)?.revision).toBe(revision);
          if (revision === store.revision) resolve();
        },
        onEnd: (error) => reject(error ?? new Error("ended")),
      });
    });
    expect(seen).toBe(3000);
    expect(revisions).toEqual(Array.from({ length: 3000 }, (_, at) => 2 + Math.floor(at / 2)));
    await store.close();
  });

  it("replays the log when SQLite lost everything", async () => {
    const directory = freshDirectory();
    const store = await openStore({ directory });
    for (let at = 0; at < 20; at++) await store.write([{ key: `/${at % 3}`, value: value(`${at}`) }]);
    const before = await everything(store);
    await store.close();
    for (const name of readdirSync(directory)) if (name.startsWith("state.db")) rmSync(join(directory, name));
    const again = await openStore({ directory });
    expect(await everything(again)).toEqual(before);
    expect(again.revision).toBe(21);
    await again.close();
  });

  it("refuses a directory that is in use", async () => {
    const directory = freshDirectory();
    const store = await openStore({ directory });
    await expect(openStore({ directory })).rejects.toThrow("is in use by another process");
    await store.close();
  });

  it("refuses a log that is damaged in the middle, and one that was taken away", async () => {
    const directory = freshDirectory();
    const store = await openStore({ directory });
    for (let at = 0; at < 5; at++) await store.write([{ key: `/${at}`, value: value("some value") }]);
    await store.close();
    const path = join(directory, "log", readdirSync(join(directory, "log"))[0] ?? "");
    const content = readFileSync(path);
    const damaged = Buffer.from(content);
    damaged[Math.floor(content.length / 2)] = (damaged[Math.floor(content.length / 2)] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    await expect(openStore({ directory })).rejects.toThrow("a record is damaged");
    rmSync(path);
    await expect(openStore({ directory })).rejects.toThrow("the log ends at entry 0");
    writeFileSync(path, content);
    const again = await openStore({ directory });
    expect(again.revision).toBe(6);
    await again.close();
  });

  it("removes log segments and write-ahead log once SQLite has them on disk", async () => {
    const directory = freshDirectory();
    const store = await openStore({ directory });
    const large = new Uint8Array(256 * 1024).fill(7);
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 16 }, (_, at) => store.write([{ key: `/${at}`, value: large }])));
    await store.compact(store.revision);
    const logBytes = () =>
      readdirSync(join(directory, "log")).reduce((sum, name) => sum + statSync(join(directory, "log", name)).size, 0);
    await store.close();
    expect(logBytes()).toBeLessThan(30 * 1024 * 1024);
    const again = await openStore({ directory });
    expect((await everything(again)).length).toBe(16);
    await again.close();
  });
});

describe("durable store: limits", () => {
  it("takes only so many writes at once, and more as soon as some are answered", async () => {
    const store = await openStore({ directory: freshDirectory() });
    const all = Array.from({ length: waitingWritesMax }, () => store.write([{ key: "/k", value: undefined }]));
    await expect(store.write([{ key: "/one-too-many", value: value("x") }])).rejects.toThrow(StoreFullError);
    await Promise.all(all);
    expect(await store.write([{ key: "/again", value: value("x") }])).toEqual({ ok: true, revision: 2 });
    await store.close();
  });
});

describe("durable store: kill -9", () => {
  it("keeps every answered write and no half transaction", async () => {
    const directory = freshDirectory();
    for (let round = 0; round < 2; round++) {
      const { answered, lastStarted } = await writeUntilKilled(directory, round, 150 + 120 * round);
      const store = await openStore({ directory });
      for (const number of answered) {
        const stored = await Promise.all(["a", "b"].map((half) => store.get(`/${round}/${number}/${half}`)));
        expect(stored.map((half) => half?.modRevision === undefined)).toEqual([false, false]);
      }
      const kept = (await store.range({ prefix: `/${round}/` })).values;
      expectWholeTransactions(kept);
      expect(kept.length / 2).toBeLessThanOrEqual(lastStarted + 1);
      expect(answered.length).toBeGreaterThan(0);
      await store.close();
    }
  }, 20_000);
});

function expectWholeTransactions(values: readonly StoredValue[]): void {
  const halves = Map.groupBy(values, ({ modRevision }) => modRevision);
  for (const [, both] of halves) expect(both.map(({ key }) => key.at(-1))).toEqual(["a", "b"]);
}

/** Runs a writer in a process of its own, and kills it some time after its first answer. */
async function writeUntilKilled(
  directory: string,
  round: number,
  afterMs: number,
): Promise<{ answered: number[]; lastStarted: number }> {
  const program = `
    import { openStore } from ${JSON.stringify(new URL("./durable-store.ts", import.meta.url).href)};
    const store = await openStore({ directory: ${JSON.stringify(directory)} });
    let next = 0;
    const write = async () => {
      for (;;) {
        const number = next++;
        const value = Buffer.alloc(number % 5000, number);
        await store.write(["a", "b"].map((half) => ({ key: "/${round}/" + number + "/" + half, value })));
        process.stdout.write(number + " " + next + "\\n");
      }
    };
    await Promise.all(Array.from({ length: 16 }, write));`;
  const file = join(root, `writer-${round}.mts`);
  writeFileSync(file, program);
  const child = spawn(process.execPath, [file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const answered: number[] = [];
  let lastStarted = 0;
  for await (const line of createInterface(child.stdout)) {
    const [number, next] = line.split(" ").map(Number);
    if (answered.length === 0) setTimeout(() => child.kill("SIGKILL"), afterMs);
    if (number === undefined || next === undefined) break;
    answered.push(number);
    lastStarted = Math.max(lastStarted, next);
  }
  await exited;
  return { answered, lastStarted };
}
