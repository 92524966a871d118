/**
 * Files that come with Capstan: read from the source tree, or from inside the single executable. Names are paths below
 * src/, e.g. "api/generated/schema.json"; scripts/build.ts packs what its list names.
 */
import { readFileSync } from "node:fs";
import sea from "node:sea";

/** Whether this process is the packaged binary. */
export const isPackaged: boolean = sea.isSea();

export function readAsset(name: string): Buffer {
  if (isPackaged) return Buffer.from(sea.getRawAsset(name));
  return readFileSync(new URL(`../${name}`, import.meta.url));
}
