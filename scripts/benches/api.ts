/**
 * Requests to the API server: create, get, update, patch and apply of a small ConfigMap and of a Pod of 2.5 KiB, with 1, 16
 * and 256 in flight, over HTTP/2 and HTTP/1.1 (service-account token, RBAC on, each write durable before its answer). Every
 * write changes something. Arguments narrow it down: `api.ts seconds=4 create h2` runs the lines that name all of them.
 */
import type { KubernetesObject } from "#api/object.ts";
import { type BenchServer, startBenchServer } from "./support/bench-server.ts";
import { exampleConfigMap, examplePod } from "./support/examples.ts";
import { goFigures, goRates } from "./support/go-figures.ts";
import { type LaneRequest, loadLanes, loadSame, type Measured, type Shape } from "./support/load.ts";
import { count, line } from "./support/report.ts";

const words = process.argv.slice(2).filter((word) => !word.includes("="));
const seconds = Number(process.argv.find((word) => word.startsWith("seconds="))?.slice("seconds=".length) ?? 2);
const inFlights = [1, 16, 256];
const lanesMax = Math.max(...inFlights);

interface Subject {
  kind: string;
  collection: string;
  make: (metadata: object, mark?: string) => KubernetesObject;
  patchType: string;
  patch: (mark: string) => object;
}

const subjects: readonly Subject[] = [
  {
    kind: "ConfigMap",
    collection: "/api/v1/namespaces/default/configmaps",
    make: exampleConfigMap,
    patchType: "application/merge-patch+json",
    patch: (mark) => ({ data: { key: mark } }),
  },
  {
    kind: "Pod",
    collection: "/api/v1/namespaces/default/pods",
    make: examplePod,
    patchType: "application/strategic-merge-patch+json",
    patch: (mark) => ({ metadata: { labels: { tier: mark } } }),
  },
];

let marks = 0;
/** Never the same twice, so that every write changes something. */
const nextMark = () => `m-${(marks += 1)}`;

const server = await startBenchServer();
line("start from nothing", `${count(server.startMs)} ms`, `${count(goFigures.startMs)} ms`);
line("memory idle", `${server.residentMegabytes()} MB`, goFigures.idleMegabytes);
for (const subject of subjects) await benchSubject(server, subject);
line("memory after these", `${server.residentMegabytes()} MB`, goFigures.loadedMegabytes);
await server.stop();
process.exit(0);

async function benchSubject(server: BenchServer, subject: Subject): Promise<void> {
  const { kind, collection, make } = subject;
  const named = await makeOnes(server, subject);
  await each(`create ${kind}`, async (shape) =>
    loadSame(server, { path: collection, body: JSON.stringify(make({ generateName: "c-" })) }, shape),
  );
  await each(`get ${kind}`, async (shape) => loadSame(server, { path: `${collection}/one-0` }, shape));
  const requests = { update: updateOf(subject, named), patch: patchOf(subject), apply: applyOf(subject) };
  for (const [verb, request] of Object.entries(requests))
    await each(`${verb} ${kind}`, (shape) => loadLanes(server, request, shape));
}

/** An object for each lane, as it is stored. */
async function makeOnes({ client }: BenchServer, { collection, make }: Subject): Promise<KubernetesObject[]> {
  return await Promise.all(
    Array.from({ length: lanesMax }, async (_, lane) => {
      const body = make({ name: `one-${lane}` });
      return (await client.call({ method: "POST", path: collection, body })) as KubernetesObject;
    }),
  );
}

/** Reads once and then writes the same object with another mark, whatever version there is. */
function updateOf(subject: Subject, stored: readonly KubernetesObject[]): LaneRequest {
  const texts = stored.map((object) => {
    const { resourceVersion: _, ...metadata } = object.metadata;
    const marked = subject.make({}, "MARK");
    const data = "data" in marked ? { data: marked["data"] } : {};
    return JSON.stringify({ ...object, ...data, metadata: { ...metadata, labels: marked.metadata.labels } });
  });
  return {
    method: "PUT",
    contentType: "application/json",
    path: (lane) => `${subject.collection}/one-${lane}`,
    body: (lane) => texts[lane]!.replace("MARK", nextMark()),
  };
}

function patchOf({ collection, patchType, patch }: Subject): LaneRequest {
  return {
    method: "PATCH",
    contentType: patchType,
    path: (lane) => `${collection}/one-${lane}`,
    body: () => JSON.stringify(patch(nextMark())),
  };
}

function applyOf({ collection, make }: Subject): LaneRequest {
  return {
    method: "PATCH",
    contentType: "application/apply-patch+yaml",
    path: (lane) => `${collection}/applied-${lane}?fieldManager=bench&force=true`,
    body: (lane) => JSON.stringify(make({ name: `applied-${lane}` }, nextMark())),
  };
}

async function each(title: string, load: (shape: Shape) => Promise<Measured>): Promise<void> {
  for (const protocol of ["h2", "h1"] as const) {
    if (!words.every((word) => `${title} ${protocol}`.toLowerCase().includes(word.toLowerCase()))) continue;
    for (const inFlight of inFlights) {
      const { perSecond, p50Ms, p99Ms, cpuMicroseconds, bad } = await load({ protocol, inFlight, seconds });
      const theirs = protocol === "h2" ? goRates[title]?.[inFlight] : undefined;
      const rate = `${count(perSecond).padStart(6)}/s  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms`;
      line(
        `${title}, ${inFlight} in flight, ${protocol === "h2" ? "HTTP/2" : "HTTP/1.1"}`,
        `${rate}  ${count(cpuMicroseconds)} µs CPU${bad === 0 ? "" : `  !! ${bad} answers were no success`}`,
        theirs === undefined ? "" : `${count(theirs)}/s`,
        theirs === undefined ? undefined : perSecond / theirs,
      );
    }
  }
}
