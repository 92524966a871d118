import fc from "fast-check";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Disk, nodeDisk } from "./disk.ts";
import { Log, type LogEntry, SyncFailedError } from "./log.ts";
import { StorageError } from "./transaction.ts";

const root = mkdtempSync(join(tmpdir(), "capstan-log-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;
const freshDirectory = () => join(root, String(++directories));

const entry = (index: number, data = `entry ${index}`, term = 1): LogEntry => ({
  index,
  term,
  kind: 1,
  data: Buffer.from(data),
});
const shown = (log: Log, from = log.firstIndex) =>
  [...log.entriesFrom(from)].map(({ index, term, data }) => [index, term, Buffer.from(data).toString()]);
const files = (directory: string) => readdirSync(directory).map((name) => join(directory, name));

/** A disk whose next writes or syncs fail. */
function faultyDisk(): Disk & { failWriteAfterBytes?: number; failSync?: boolean; failTruncate?: boolean } {
  const failure = (code: string) => Object.assign(new Error(code), { code });
  return {
    ...nodeDisk,
    write(file, bytes, position) {
      if (this.failWriteAfterBytes === undefined) return nodeDisk.write(file, bytes, position);
      if (this.failWriteAfterBytes === 0) throw failure("ENOSPC");
      const some = nodeDisk.write(file, bytes.subarray(0, this.failWriteAfterBytes), position);
      this.failWriteAfterBytes = 0;
      return some;
    },
    sync(file) {
      if (this.failSync === true) throw failure("EIO");
      nodeDisk.sync(file);
    },
    truncate(file, length) {
      if (this.failTruncate === true) throw failure("EIO");
      nodeDisk.truncate(file, length);
    },
  };
}

describe("log", () => {
  it("gives back after reopening what was appended, over many segments", () => {
    const directory = freshDirectory();
    const log = new Log(nodeDisk, directory, 200);
    for (let index = 1; index <= 30; index += 3) log.append([entry(index), entry(index + 1), entry(index + 2)]);
    log.close();
    expect(files(directory).length).toBeGreaterThan(3);
    const again = new Log(nodeDisk, directory, 200);
    expect(shown(again)).toEqual(Array.from({ length: 30 }, (_, at) => [at + 1, 1, `entry ${at + 1}`]));
    expect([again.firstIndex, again.lastIndex, again.lastTerm]).toEqual([1, 30, 1]);
    again.append([entry(31, "more", 2)]);
    expect(shown(again, 30)).toEqual([
      [30, 1, "entry 30"],
      [31, 2, "more"],
    ]);
    again.close();
  });

  it("drops a torn last record wherever the tear is, and never more", () => {
    const directory = freshDirectory();
    const log = new Log(nodeDisk, directory);
    log.append([entry(1)]);
    const [path = ""] = files(directory);
    const whole = statSync(path).size;
    log.append([entry(2), entry(3)]);
    log.close();
    const content = readFileSync(path);
    for (let length = whole + 1; length < content.length; length++) {
      writeFileSync(path, content.subarray(0, length));
      const torn = new Log(nodeDisk, directory);
      expect(torn.lastIndex).toBe(1);
      torn.append([entry(2, "again")]);
      expect(shown(torn)).toEqual([
        [1, 1, "entry 1"],
        [2, 1, "again"],
      ]);
      torn.close();
    }
    // Blocks that were allocated and never written read as zeros.
    writeFileSync(path, content);
    truncateSync(path, whole);
    appendFileSync(path, Buffer.alloc(5000));
    expect(new Log(nodeDisk, directory).lastIndex).toBe(1);
    expect(statSync(path).size).toBe(whole);
  });

  it("refuses any flipped bit before the last record", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), (position, bit) => {
        const directory = freshDirectory();
        const log = new Log(nodeDisk, directory);
        log.append([entry(1), entry(2)]);
        const [path = ""] = files(directory);
        const answered = statSync(path).size;
        log.append([entry(3)]);
        log.close();
        const content = readFileSync(path);
        const at = position % answered;
        content[at] = (content[at] ?? 0) ^ (1 << bit);
        writeFileSync(path, content);
        expect(() => new Log(nodeDisk, directory)).toThrow(StorageError);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses a log with a segment missing, and drops a segment whose making was interrupted", () => {
    const directory = freshDirectory();
    const log = new Log(nodeDisk, directory, 60);
    for (let index = 1; index <= 6; index++) log.append([entry(index)]);
    log.close();
    const [, second = ""] = files(directory);
    writeFileSync(join(directory, "0000000000000007.log"), Buffer.from("CAPS"));
    const again = new Log(nodeDisk, directory, 60);
    expect(again.lastIndex).toBe(6);
    again.close();
    rmSync(second);
    expect(() => new Log(nodeDisk, directory, 60)).toThrow("are missing");
  });

  it("truncates in the middle of a record and goes on from there", () => {
    for (let keep = 0; keep <= 9; keep++) {
      const directory = freshDirectory();
      const log = new Log(nodeDisk, directory, 120);
      for (let index = 1; index <= 9; index += 3) log.append([entry(index), entry(index + 1), entry(index + 2)]);
      log.truncateAfter(keep);
      expect(log.lastIndex).toBe(keep);
      expect(log.lastTerm).toBe(keep === 0 ? 0 : 1);
      log.append([entry(keep + 1, "new", 2)]);
      log.close();
      const again = new Log(nodeDisk, directory, 120);
      expect(shown(again, 1)).toEqual([
        ...Array.from({ length: keep }, (_, at) => [at + 1, 1, `entry ${at + 1}`]),
        [keep + 1, 2, "new"],
      ]);
      again.close();
    }
  });

  it("removes only whole segments before an index, and never the newest", () => {
    const directory = freshDirectory();
    const log = new Log(nodeDisk, directory, 60);
    for (let index = 1; index <= 10; index++) log.append([entry(index)]);
    log.removeThrough(5);
    expect(log.firstIndex).toBeLessThanOrEqual(6);
    expect(log.firstIndex).toBeGreaterThan(1);
    log.removeThrough(100);
    expect(log.lastIndex).toBe(10);
    log.append([entry(11)]);
    log.close();
    expect(new Log(nodeDisk, directory, 60).lastIndex).toBe(11);
  });

  it("no space: the append is refused, nothing of it stays, and the next one goes in", () => {
    for (const failAt of [0, 1, 13, 20]) {
      const directory = freshDirectory();
      const disk = faultyDisk();
      const log = new Log(disk, directory);
      log.append([entry(1)]);
      disk.failWriteAfterBytes = failAt;
      expect(() => log.append([entry(2)])).toThrow("the log could not be written: Error: ENOSPC");
      delete disk.failWriteAfterBytes;
      log.append([entry(2, "second try")]);
      log.close();
      expect(shown(new Log(nodeDisk, directory))).toEqual([
        [1, 1, "entry 1"],
        [2, 1, "second try"],
      ]);
    }
  });

  it("no space for a new segment: the append is refused and leaves no file", () => {
    const directory = freshDirectory();
    const disk = faultyDisk();
    const log = new Log(disk, directory, 40);
    log.append([entry(1)]);
    disk.failWriteAfterBytes = 3;
    expect(() => log.append([entry(2)])).toThrow("a log segment could not be made");
    expect(files(directory)).toHaveLength(1);
    delete disk.failWriteAfterBytes;
    log.append([entry(2)]);
    expect(log.lastIndex).toBe(2);
    log.close();
  });

  it("is read-only when a partial record cannot be taken back", () => {
    const disk = faultyDisk();
    const directory = freshDirectory();
    const log = new Log(disk, directory);
    log.append([entry(1)]);
    Object.assign(disk, { failWriteAfterBytes: 5, failTruncate: true });
    expect(() => log.append([entry(2)])).toThrow(StorageError);
    delete disk.failWriteAfterBytes;
    expect(() => log.append([entry(2)])).toThrow("the log is read-only");
    expect(shown(log)).toEqual([[1, 1, "entry 1"]]);
  });

  it("a failed sync ends the log", () => {
    const disk = faultyDisk();
    const log = new Log(disk, freshDirectory());
    log.append([entry(1)]);
    disk.failSync = true;
    expect(() => log.append([entry(2)])).toThrow(SyncFailedError);
    disk.failSync = false;
    expect(() => log.append([entry(2)])).toThrow("the log is read-only");
  });
});
