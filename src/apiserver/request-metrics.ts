/** How many requests of each sort there were, how they ended and how long they took. Upstream: endpoints/metrics. */
import type { RequestInfo } from "./request-info.ts";

/** Upper bounds of the histogram's buckets, in seconds: upstream's. */
const bounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
/** Sorts of requests that are told apart; what comes after is counted as one sort. */
export const requestSeriesMax = 2000;

interface Series {
  labels: string;
  /** Requests by code and dryRun. */
  ends: Map<string, number>;
  /** Requests in each bucket, the last for what took longer than all. */
  buckets: number[];
  seconds: number;
}

export interface RequestEnd {
  info: RequestInfo;
  contentType: string | undefined;
  code: number;
  dryRun: string;
  seconds: number;
}

export class RequestMetrics {
  readonly #series = new Map<string, Series>();
  readonly #inFlight = { readOnly: 0, mutating: 0 };

  begun(method: string): void {
    this.#inFlight[kindOf(method)] += 1;
  }

  ended(method: string, end: RequestEnd | undefined): void {
    this.#inFlight[kindOf(method)] -= 1;
    if (end === undefined) return;
    const series = this.#seriesOf(end);
    const how = `code="${end.code}",dry_run="${end.dryRun === "All" ? "All" : ""}"`;
    series.ends.set(how, (series.ends.get(how) ?? 0) + 1);
    const at = bounds.findIndex((bound) => end.seconds <= bound);
    series.buckets[at < 0 ? bounds.length : at]! += 1;
    series.seconds += end.seconds;
  }

  #seriesOf({ info, contentType }: RequestEnd): Series {
    const { group, version, resource, subresource } = info;
    const verb = verbOf(info, contentType);
    const scope = scopeOf(info);
    const key = `${verb} ${group}/${version}/${resource}/${subresource} ${scope}`;
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    if (this.#series.size >= requestSeriesMax) return this.#add("", labelsOf("other", "", "", "", "", ""));
    return this.#add(key, labelsOf(verb, group, version, resource, subresource, scope));
  }

  #add(key: string, labels: string): Series {
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = { labels, ends: new Map(), buckets: [...bounds, Infinity].map(() => 0), seconds: 0 };
    this.#series.set(key, series);
    return series;
  }

  /** Counts begin anew; what is in flight stays. */
  reset(): void {
    this.#series.clear();
  }

  /** In Prometheus' text form. */
  text(): string {
    const all = [...this.#series.values()];
    const totals = all.flatMap(({ labels, ends }) =>
      [...ends].map(([how, count]) => `apiserver_request_total{${how},${labels}} ${count}\n`),
    );
    const inFlight = Object.entries(this.#inFlight).map(
      ([kind, count]) => `apiserver_current_inflight_requests{request_kind="${kind}"} ${count}\n`,
    );
    return [
      head("apiserver_request_total", "counter", "Requests by verb, resource and code."),
      ...totals,
      head("apiserver_request_duration_seconds", "histogram", "Time until the answer was there, in seconds."),
      ...all.filter(({ labels }) => !labels.includes('verb="WATCH"')).flatMap(histogram),
      head("apiserver_current_inflight_requests", "gauge", "Requests that are being answered."),
      ...inFlight,
    ].join("");
  }
}

const head = (name: string, type: string, help: string): string => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;

function histogram({ labels, buckets, seconds }: Series): string[] {
  const name = "apiserver_request_duration_seconds";
  let count = 0;
  const lines = buckets.map((one, at) => {
    count += one;
    return `${name}_bucket{${labels},le="${bounds[at] ?? "+Inf"}"} ${count}\n`;
  });
  return [...lines, `${name}_sum{${labels}} ${seconds}\n`, `${name}_count{${labels}} ${count}\n`];
}

function labelsOf(...values: readonly string[]): string {
  const [verb, group, version, resource, subresource, scope] = values.map((value) => JSON.stringify(value));
  return `component="apiserver",group=${group},resource=${resource},scope=${scope},subresource=${subresource},verb=${verb},version=${version}`;
}

const kindOf = (method: string): "readOnly" | "mutating" =>
  method === "GET" || method === "HEAD" ? "readOnly" : "mutating";

const verbs: Readonly<Record<string, string>> = { create: "POST", update: "PUT" };
const connected = new Set(["attach", "exec", "portforward", "proxy"]);

/** HTTP's methods, told apart as upstream does. */
function verbOf({ verb, subresource }: RequestInfo, contentType: string | undefined): string {
  if (connected.has(subresource)) return "CONNECT";
  if (verb === "patch" && contentType?.startsWith("application/apply-patch") === true) return "APPLY";
  return verbs[verb] ?? verb.toUpperCase();
}

function scopeOf({ isResource, name, namespace, verb }: RequestInfo): string {
  if (!isResource) return "";
  if (name !== "" || verb === "create") return "resource";
  return namespace === "" ? "cluster" : "namespace";
}
