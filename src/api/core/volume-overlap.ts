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
const overlaps = (a: string, b: string) =>
  a !== "" && b !== "" && (a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`));

function overlapTexts(files: readonly Written[]): string[] {
  return files.flatMap((file, index) =>
    files
      .slice(0, index)
      .filter((earlier) => overlaps(earlier.path, file.path))
      .map((earlier) => `${shown(file)} with ${shown(earlier)}`),
  );
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
