/** Files of one volume that hide each other. Upstream: warningsForOverlappingVirtualPaths. */
import { trimEnd } from "#lib/trim.ts";
import type { V1Volume, V1VolumeProjection } from "#api/generated/types.ts";
import { compareText, goQuote } from "#api/go-text.ts";

interface Written {
  path: string;
  source: string;
}

const written = (items: readonly { path: string }[] | undefined, source: string): Written[] =>
  (items ?? []).map(({ path }) => ({ path: trimEnd(path, "/"), source }));

const shown = ({ path, source }: Written) => (source === "" ? goQuote(path) : `${goQuote(path)} (${source})`);

/** Of one volume: more than anyone is told. */
export const overlapsMax = 4096;

interface Overlap {
  /** Index of the later file. */
  file: number;
  text: string;
}

/** Each file with those before it that it covers or lies in; an empty path covers nothing. */
function overlapsOf(files: readonly Written[]): Overlap[] {
  const sorted = files
    .map(({ path }, index) => ({ directory: `${path}/`, index }))
    .filter(({ directory }) => directory !== "/")
    .sort((a, b) => compareText(a.directory, b.directory));
  const pairs: { file: number; earlier: number }[] = [];
  // What contains a file stands right before it, what is in it right behind it.
  const around: typeof sorted = [];
  for (const one of sorted) {
    while (around.length > 0 && !one.directory.startsWith(around.at(-1)!.directory)) around.pop();
    for (const { index } of around.slice(0, overlapsMax - pairs.length))
      pairs.push({ file: Math.max(index, one.index), earlier: Math.min(index, one.index) });
    around.push(one);
  }
  return pairs
    .sort((a, b) => a.file - b.file || a.earlier - b.earlier)
    .map(({ file, earlier }) => ({ file, text: `${shown(files[file]!)} with ${shown(files[earlier]!)}` }));
}

export function overlapWarnings(volumes: readonly V1Volume[]): string[] {
  return volumes.flatMap(({ name, configMap, secret, downwardAPI, projected }) => {
    const warn = (what: string, files: readonly Written[]) =>
      overlapsOf(files).map(({ text }) => `volume ${goQuote(name)} (${what}): overlapping paths: ${text}`);
    return [
      ...warn(`ConfigMap ${goQuote(configMap?.name ?? "")}`, written(configMap?.items, "")),
      ...warn(`Secret ${goQuote(secret?.secretName ?? "")}`, written(secret?.items, "")),
      ...warn("DownwardAPI", written(downwardAPI?.items, "")),
      ...projectedWarnings(name, projected?.sources ?? []),
    ];
  });
}

/** Source by source. Upstream counts the files of the source before for one that lists none. */
function projectedWarnings(name: string, sources: readonly V1VolumeProjection[]): string[] {
  const volume = `volume ${goQuote(name)} (Projected)`;
  const files: Written[] = [];
  const ends: number[] = [];
  let last: Written[] = [];
  for (const source of sources) {
    if (!isEmpty(source)) files.push(...(last = projectedFiles(source) ?? last));
    ends.push(files.length);
  }
  const overlaps = overlapsOf(files);
  let at = 0;
  return sources.flatMap((source, index) => {
    if (isEmpty(source)) return [`${volume} has no sources provided`];
    const from = at;
    while (at < overlaps.length && overlaps[at]!.file < ends[index]!) at++;
    return overlaps.slice(from, at).map(({ text }) => `${volume}: overlapping paths: ${text}`);
  });
}

const isEmpty = (source: V1VolumeProjection) => Object.keys(source).length === 0;

/** Undefined where the source lists no files. */
function projectedFiles(source: V1VolumeProjection): Written[] | undefined {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap?.items !== undefined) return written(configMap.items, `ConfigMap ${goQuote(configMap.name ?? "")}`);
  if (secret?.items !== undefined) return written(secret.items, `Secret ${goQuote(secret.name ?? "")}`);
  if (downwardAPI?.items !== undefined) return written(downwardAPI.items, "DownwardAPI");
  return serviceAccountToken === undefined ? undefined : written([serviceAccountToken], "ServiceAccountToken");
}
