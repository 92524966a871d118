import { expect, test } from "vitest";
import { Query } from "./request.ts";
import { requestInfo } from "./request-info.ts";
import { RequestMetrics, requestSeriesMax } from "./request-metrics.ts";

function metricsOf(...requests: [method: string, path: string, code: number, seconds: number][]): RequestMetrics {
  const metrics = new RequestMetrics();
  for (const [method, path, code, seconds] of requests) {
    const [plain = "", search = ""] = path.split("?");
    const query = new Query(new Map(search === "" ? [] : [[search.split("=")[0]!, [search.split("=")[1]!]]]));
    metrics.begun(method);
    const info = requestInfo(method, plain, query);
    metrics.ended(method, { info, contentType: undefined, code, dryRun: query.get("dryRun") ?? "", seconds });
  }
  return metrics;
}

test("requests are counted by what they ask for and how they end", () => {
  const text = metricsOf(
    ["GET", "/api/v1/namespaces/a/pods", 200, 0.01],
    ["GET", "/api/v1/namespaces/b/pods", 200, 0.01],
    ["POST", "/apis/apps/v1/namespaces/a/deployments?dryRun=All", 201, 0.01],
    ["GET", "/api/v1/namespaces/a/pods/x", 404, 0.01],
  ).text();
  expect(text).toContain(
    'apiserver_request_total{code="200",dry_run="",component="apiserver",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"} 2\n',
  );
  expect(text).toContain(
    'apiserver_request_total{code="201",dry_run="All",component="apiserver",group="apps",resource="deployments",scope="resource",subresource="",verb="POST",version="v1"} 1\n',
  );
  expect(text).toContain('code="404",dry_run="",component="apiserver",group="",resource="pods",scope="resource"');
});

test("buckets of the histogram hold all that took no longer", () => {
  const text = metricsOf(["GET", "/version", 200, 0.03], ["GET", "/version", 200, 100]).text();
  const counts = [...text.matchAll(/_bucket\{.*le="([^"]+)"\} (\d+)/g)].map(([, bound, count]) => [bound, count]);
  expect(counts.slice(0, 3)).toEqual([
    ["0.005", "0"],
    ["0.025", "0"],
    ["0.05", "1"],
  ]);
  expect(counts.at(-1)).toEqual(["+Inf", "2"]);
  expect(text).toMatch(/_sum\{.*\} 100\.03\n/);
});

test("made-up resources do not grow the table without end", () => {
  const metrics = metricsOf();
  for (let at = 0; at < requestSeriesMax + 50; at += 1) {
    metrics.begun("GET");
    const info = requestInfo("GET", `/api/v1/r${at}`, Query.empty);
    metrics.ended("GET", { info, contentType: undefined, code: 404, dryRun: "", seconds: 0 });
  }
  expect(metrics.text().match(/^apiserver_request_total/gm)).toHaveLength(requestSeriesMax + 1);
  expect(metrics.text()).toContain('verb="other",version=""} 50\n');
});
