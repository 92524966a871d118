/** The few file operations that the log and the vote need, synchronous, so that tests can hand in a disk that fails. */
import * as fs from "node:fs";
import { join } from "node:path";

export interface Disk {
  makeDirectory(path: string): void;
  /** Names in a directory, sorted. */
  list(path: string): string[];
  exists(path: string): boolean;
  readFile(path: string): Buffer;
  /** Opens for reading and writing, creates the file if needed. */
  open(path: string): number;
  close(file: number): void;
  /** Bytes written at `position`: may be fewer than given. */
  write(file: number, bytes: Uint8Array, position: number): number;
  truncate(file: number, length: number): void;
  /** The data and the length are on disk when this returns. */
  sync(file: number): void;
  /** Names made, renamed or removed in the directory are on disk when this returns. */
  syncDirectory(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
}

export const nodeDisk: Disk = {
  makeDirectory: (path) => void fs.mkdirSync(path, { recursive: true, mode: 0o700 }),
  list: (path) => fs.readdirSync(path).toSorted(),
  exists: (path) => fs.existsSync(path),
  readFile: (path) => fs.readFileSync(path),
  open: (path) => fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600),
  close: (file) => fs.closeSync(file),
  write: (file, bytes, position) => fs.writeSync(file, bytes, 0, bytes.byteLength, position),
  truncate: (file, length) => fs.ftruncateSync(file, length),
  sync: (file) => fs.fdatasyncSync(file),
  syncDirectory(path) {
    const directory = fs.openSync(path, fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  },
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path),
};

/** Writes all bytes, however many calls that takes. */
export function writeFully(disk: Disk, file: number, bytes: Uint8Array, position: number): void {
  let written = 0;
  while (written < bytes.byteLength) written += disk.write(file, bytes.subarray(written), position + written);
}

/** Replaces a file so that after a crash it has either the old or the new content. */
export function replaceFile(disk: Disk, directory: string, name: string, content: Uint8Array): void {
  const temporary = join(directory, `${name}.new`);
  const file = disk.open(temporary);
  try {
    disk.truncate(file, 0);
    writeFully(disk, file, content, 0);
    disk.sync(file);
  } finally {
    disk.close(file);
  }
  disk.rename(temporary, join(directory, name));
  disk.syncDirectory(directory);
}
