import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { batchBytes, splitBatch } from "./codec.ts";
import { openDatabase } from "./database.ts";
import { type Disk, nodeDisk } from "./disk.ts";
import { Engine } from "./engine.ts";
import { readHardState } from "./hard-state.ts";
import { Log, SyncFailedError } from "./log.ts";
import { StateMachine } from "./state-machine.ts";
import type { Write } from "./store.ts";

const root = mkdtempSync(join(tmpdir(), "capstan-engine-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;

function openEngine(disk: Disk, directory = join(root, String(++directories))) {
  disk.makeDirectory(directory);
  const database = openDatabase(directory, undefined);
  const machine = new StateMachine(database);
  const log = new Log(disk, join(directory, "log"));
  const engine = new Engine(disk, directory, log, machine);
  const propose = (...transactions: Write[][]) => engine.propose(splitBatch(batchBytes(transactions)));
  const close = () => {
    log.close();
    database.close();
  };
  return { engine, machine, log, propose, directory, close };
}

const put = (key: string, expectedModRevision?: number): Write => ({
  key,
  value: Buffer.from(key),
  ...(expectedModRevision === undefined ? {} : { expectedModRevision }),
});

describe("engine", () => {
  it("decides a group in order, each transaction on top of those before it", () => {
    const { propose, machine, log, close } = openEngine(nodeDisk);
    const before = log.lastIndex;
    expect(
      propose(
        [put("/a", 0)],
        [put("/a", 0)],
        [put("/a", 2), put("/b", 0)],
        [{ key: "/c", value: undefined }],
        [{ key: "/b", value: undefined, expectedModRevision: 3 }],
        [put("/b", 0)],
      ),
    ).toEqual([
      { kind: "done", revision: 2 },
      { kind: "failed", place: 0, revision: 2 },
      { kind: "done", revision: 3 },
      { kind: "done", revision: 3 },
      { kind: "done", revision: 4 },
      { kind: "done", revision: 5 },
    ]);
    expect(machine.revision).toBe(5);
    expect(log.lastIndex).toBe(before + 4);
    close();
  });

  it("without space a whole group is refused and the state is as before", () => {
    let isFull = false;
    const disk: Disk = {
      ...nodeDisk,
      write(file, bytes, position) {
        if (isFull) throw new Error("ENOSPC: no space left on device");
        return nodeDisk.write(file, bytes, position);
      },
    };
    const { propose, machine, close } = openEngine(disk);
    propose([put("/a")]);
    const before = machine.contentHash();
    isFull = true;
    for (const decision of propose([put("/b")], [put("/a", 0)]))
      expect(decision).toMatchObject({ kind: "refused", error: { message: expect.stringContaining("ENOSPC") } });
    expect(machine.contentHash()).toEqual(before);
    isFull = false;
    expect(propose([put("/b", 0)])).toEqual([{ kind: "done", revision: 3 }]);
    close();
  });

  it("a failed sync is fatal, and what is on disk decides after reopening", () => {
    let fails = false;
    const disk: Disk = {
      ...nodeDisk,
      sync(file) {
        if (fails) throw new Error("EIO");
        nodeDisk.sync(file);
      },
    };
    const first = openEngine(disk);
    first.propose([put("/a")]);
    fails = true;
    expect(() => first.propose([put("/b")])).toThrow(SyncFailedError);
    first.close();
    const second = openEngine(nodeDisk, first.directory);
    expect(second.machine.read("/a", second.machine.revision)?.modRevision).toBe(2);
    second.close();
  });

  it("equal logs give equal hashes, whenever SQLite takes the rows", () => {
    const one = openEngine(nodeDisk);
    const other = openEngine(nodeDisk);
    for (let at = 0; at < 50; at++) {
      const writes: Write[][] = [
        [put(`/${at % 7}`), { key: `/${(at * 3) % 7}x`, value: undefined }],
        [put(`/${at % 5}x`)],
      ];
      one.propose(...writes);
      one.machine.flush();
      other.propose(...writes);
    }
    expect(one.machine.contentHash()).toEqual(other.machine.contentHash());
    one.close();
    other.close();
  });

  it("SQLite takes whole entries only; the log gives back what it had not taken", () => {
    const first = openEngine(nodeDisk);
    for (let at = 0; at < 10; at++) first.propose([put(`/${at}`), put(`/${at}x`), put(`/${at % 3}y`)]);
    const { appliedIndex, flushedIndex } = first.machine;
    first.machine.flush(7);
    expect(first.machine.flushedIndex).toBe(flushedIndex + 3);
    expect([first.machine.appliedIndex, first.machine.pendingRows]).toEqual([appliedIndex, 24]);
    first.machine.flush(1);
    expect(first.machine.pendingRows).toBe(21);
    const written = openDatabase(first.directory, undefined);
    expect(written.prepare("SELECT count(*) AS rows FROM revisions").get()).toEqual({ rows: 9 });
    written.close();
    first.close();
    const second = openEngine(nodeDisk, first.directory);
    const { values } = second.machine.range("", undefined, second.machine.revision, 100);
    expect(values).toHaveLength(23);
    expect(second.machine.pendingRows).toBe(0);
    second.close();
  });

  it("every opening is a new term, voted for and on disk", () => {
    const first = openEngine(nodeDisk);
    first.close();
    const second = openEngine(nodeDisk, first.directory);
    expect(readHardState(nodeDisk, first.directory)).toEqual({ term: 2, vote: 1 });
    expect(second.log.lastTerm).toBe(2);
    second.close();
  });

  it("compaction removes every row that nobody can ask for, in steps, also after reopening", () => {
    const first = openEngine(nodeDisk);
    for (let at = 0; at < 40; at++) first.propose([put(`/${at % 4}`)]);
    first.propose([{ key: "/0", value: undefined }]);
    first.engine.compact(first.machine.revision);
    first.machine.removeGarbage(10);
    first.close();
    const second = openEngine(nodeDisk, first.directory);
    while (second.machine.removeGarbage(10));
    expect(second.machine.range("", undefined, second.machine.revision, 100).values.map(({ key }) => key)).toEqual([
      "/1",
      "/2",
      "/3",
    ]);
    second.close();
    const database = openDatabase(first.directory, undefined);
    expect(database.prepare("SELECT count(*) AS rows FROM revisions").get()).toEqual({ rows: 3 });
    database.close();
  });
});
