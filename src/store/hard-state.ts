/** What a member of the log's quorum must never forget: its term and its vote. On disk before anything follows from it. */
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { CorruptionError } from "./log.ts";
import { type Disk, replaceFile } from "./disk.ts";

export interface HardState {
  /** The newest term that this member has seen. */
  term: number;
  /** Whom it voted for in that term; 0: nobody. */
  vote: number;
}

const fileName = "hard-state";

/** The stored state, or term 0 for a new member. Throws CorruptionError if the file's checksum does not match. */
export function readHardState(disk: Disk, directory: string): HardState {
  const path = join(directory, fileName);
  if (!disk.exists(path)) return { term: 0, vote: 0 };
  const [body = "", checksum] = disk.readFile(path).toString("utf8").trim().split("\n");
  if (String(crc32(body)) !== checksum) throw new CorruptionError(`${path}: the checksum does not match`);
  return JSON.parse(body) as HardState;
}

export function writeHardState(disk: Disk, directory: string, { term, vote }: HardState): void {
  const body = JSON.stringify({ term, vote });
  replaceFile(disk, directory, fileName, Buffer.from(`${body}\n${crc32(body)}\n`));
}
