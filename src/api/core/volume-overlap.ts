/** Files of one volume that hide each other. Upstream: warningsForOverlappingVirtualPaths. */
import { trimEnd } from "#lib/trim.ts";
import type { V1Volume, V1VolumeProjection } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";

interface Written {
  path: string;
  source: string;
}

const written = (items: readonly { path: string }[] | undefined, source: string): Written[] =>
  (items ?? []).map(({ path }) => ({ path: trimEnd(path, "/"), source }));

const shown = ({ path, source }: Written) => (source === "" ? goQuote(path) : `${goQuote(path)} (${source})`);

/** A directory: the files written at this path, and the directories in it. */
interface Directory {
  files: number[];
  entries: Map<string, Directory>;
}

/** Of one volume: more than anyone is told. */
export const overlapsMax = 4096;

/** Each file with those before it that it covers or lies in; an empty path covers nothing. */
function overlapTexts(files: readonly Written[]): string[] {
  const root: Directory = { files: [], entries: new Map() };
  const texts: string[] = [];
  for (const [index, file] of files.entries()) {
    if (texts.length >= overlapsMax) break;
    if (file.path === "") continue;
    for (const earlier of addFile(root, file.path, index)) texts.push(`${shown(file)} with ${shown(files[earlier]!)}`);
  }
  return texts;
}

/** Indexes of the files before that overlap, in order. */
function addFile(root: Directory, path: string, index: number): number[] {
  const overlapping: number[] = [];
  let at = root;
  for (const segment of path.split("/")) {
    const next = at.entries.get(segment) ?? { files: [], entries: new Map() };
    at.entries.set(segment, next);
    at = next;
    for (const file of at.files) overlapping.push(file);
  }
  const inside = [...at.entries.values()];
  for (const directory of inside) {
    for (const file of directory.files) overlapping.push(file);
    for (const entry of directory.entries.values()) inside.push(entry);
  }
  at.files.push(index);
  return overlapping.sort((a, b) => a - b);
}

export function overlapWarnings(volumes: readonly V1Volume[]): string[] {
  return volumes.flatMap(({ name, configMap, secret, downwardAPI, projected }) => {
    const warn = (what: string, files: readonly Written[]) =>
      overlapTexts(files).map((text) => `volume ${goQuote(name)} (${what}): overlapping paths: ${text}`);
    return [
      ...warn(`ConfigMap ${goQuote(configMap?.name ?? "")}`, written(configMap?.items, "")),
      ...warn(`Secret ${goQuote(secret?.secretName ?? "")}`, written(secret?.items, "")),
      ...warn("DownwardAPI", written(downwardAPI?.items, "")),
      ...(projected?.sources ?? [])
        .filter((source) => Object.keys(source).length === 0)
        .map(() => `volume ${goQuote(name)} (Projected) has no sources provided`),
      ...warn("Projected", (projected?.sources ?? []).flatMap(projectedFiles)),
    ];
  });
}

function projectedFiles({ configMap, secret, downwardAPI, serviceAccountToken }: V1VolumeProjection): Written[] {
  if (configMap !== undefined) return written(configMap.items, `ConfigMap ${goQuote(configMap.name ?? "")}`);
  if (secret !== undefined) return written(secret.items, `Secret ${goQuote(secret.name ?? "")}`);
  if (downwardAPI !== undefined) return written(downwardAPI.items, "DownwardAPI");
  return serviceAccountToken === undefined ? [] : written([serviceAccountToken], "ServiceAccountToken");
}
