/** What /metrics says, in Prometheus' text form: the state of the process and how many objects there are. */
import type { ClusterCache } from "./cache/cluster-cache.ts";
import type { Catalogue } from "./catalogue.ts";
import { serverVersion } from "./version.ts";

export function metricsText(cache: ClusterCache, catalogue: Catalogue): string {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const stored = catalogue.all().filter(({ conversion }) => conversion === undefined);
  const { gitVersion, major, minor, platform } = serverVersion;
  const build = `{git_version="${gitVersion}",major="${major}",minor="${minor}",platform="${platform}"}`;
  return [
    metric("kubernetes_build_info", "gauge", "What this server is and behaves like; always 1.", [[build, 1]]),
    metric("process_start_time_seconds", "gauge", "When the process began, in seconds since the epoch.", [
      ["", (Date.now() - process.uptime() * 1000) / 1000],
    ]),
    metric("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", [["", rss]]),
    metric("nodejs_heap_used_bytes", "gauge", "Bytes of the heap in use.", [["", heapUsed]]),
    metric("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", [
      ["", (user + system) / 1e6],
    ]),
    metric("capstan_store_revision", "gauge", "Revision up to which the cache has followed the store.", [
      ["", cache.revision],
    ]),
    metric(
      "apiserver_storage_objects",
      "gauge",
      "Number of stored objects, by resource.",
      stored.map(({ plural, group, cache: resource }) => [
        `{resource="${group === "" ? plural : `${plural}.${group}`}"}`,
        resource.entries.size,
      ]),
    ),
  ].join("");
}

function metric(
  name: string,
  type: string,
  help: string,
  values: readonly (readonly [labels: string, value: number])[],
): string {
  const lines = values.map(([labels, value]) => `${name}${labels} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
