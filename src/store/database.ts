/**
 * How the store opens SQLite. WAL, and no sync per commit: the log is the truth. Checkpoints are made by hand, beside the
 * writer, and those sync.
 */
import { loadPackagedAddon } from "#lib/addon.ts";
import Database from "better-sqlite3";
import { join } from "node:path";
import { CorruptionError } from "./log.ts";
import { StorageError } from "./transaction.ts";

/** How long a connection waits for another's lock: longer than any checkpoint takes. */
const lockWaitMs = 60_000;
const pageCacheKiB = 16 * 1024;

/** Loads the addon from any path, also one without a `.node` ending. */
function bindingOptions(nativeBinding: string | undefined): Database.Options {
  const addon = nativeBinding === undefined ? loadPackagedAddon("better_sqlite3.node") : loadAddon(nativeBinding);
  // better-sqlite3 takes the loaded addon as well as a path, which its types do not tell.
  return addon === undefined ? {} : { nativeBinding: addon as unknown as string };
}

function loadAddon(path: string): object {
  const loaded = { exports: {} };
  process.dlopen(loaded, path);
  return loaded.exports;
}

export function openDatabase(directory: string, nativeBinding: string | undefined): Database.Database {
  const path = join(directory, "state.db");
  try {
    const database = new Database(path, { timeout: lockWaitMs, ...bindingOptions(nativeBinding) });
    database.pragma("auto_vacuum = INCREMENTAL");
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = NORMAL");
    database.pragma("wal_autocheckpoint = 0");
    database.pragma(`cache_size = -${pageCacheKiB}`);
    return database;
  } catch (error) {
    throw sqliteFailure(path, error);
  }
}

/** Holds the directory against other processes until it is closed or the process dies. */
export function lockDirectory(directory: string, nativeBinding: string | undefined): Database.Database {
  const lock = new Database(join(directory, "lock"), { timeout: 0, ...bindingOptions(nativeBinding) });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    throw new StorageError(`${directory} is in use by another process`, { cause: error });
  }
}

function sqliteFailure(path: string, error: unknown): StorageError {
  const code = (error as { code?: string }).code ?? "";
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB")
    return new CorruptionError(`${path}: ${String(error)}`);
  return new StorageError(`${path} could not be opened: ${String(error)}`, { cause: error });
}

/** Moves the write-ahead log into the database file and syncs that. Returns whether all of it was moved. */
export function checkpoint(database: Database.Database, mode: "PASSIVE" | "TRUNCATE"): boolean {
  const [result] = database.pragma(`wal_checkpoint(${mode})`) as { busy: number; log: number; checkpointed: number }[];
  return result !== undefined && result.busy === 0 && result.log === result.checkpointed;
}
