/**
 * Watchers of one kind, each of which sees every event: a burst of 300 Secrets of 1.5 KiB to 1,000 watchers, and a steady
 * rate of 20,000 deliveries a second to 5,000 watchers. The delay is from the moment before the write is sent until the
 * event has been read by the client, which runs on the same cores. Watches share connections, as client-go's do.
 */
import type { KubernetesObject } from "#api/object.ts";
import http2, { type ClientHttp2Session } from "node:http2";
import { type BenchServer, startBenchServer } from "./support/bench-server.ts";
import { goFigures } from "./support/go-figures.ts";
import { count, line, percentile } from "./support/report.ts";

const secretsPath = "/api/v1/namespaces/default/secrets";
const watchesPerConnection = 100;
const padding = "x".repeat(1300);
const newline = 10;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** All watches of one bench. The n-th line of each is the event of the n-th revision. */
class Audience {
  readonly #group: string;
  readonly #watchers: number;
  readonly #sessions: ClientHttp2Session[];
  readonly #sent: { at: number; revision: number }[] = [];
  /** When each watcher read its n-th event: a row a watcher. */
  readonly #readAt: Float64Array[];
  deliveries = 0;
  /** Watches that the server ended. */
  cut = 0;

  private constructor(server: BenchServer, group: string, watchers: number, events: number) {
    this.#group = group;
    this.#watchers = watchers;
    this.#readAt = Array.from({ length: watchers }, () => new Float64Array(events));
    this.#sessions = Array.from({ length: Math.ceil(watchers / watchesPerConnection) }, () =>
      http2.connect(server.base, { ca: server.ca, settings: { initialWindowSize: 8 << 20 } }),
    );
    for (const session of this.#sessions) session.on("connect", () => session.setLocalWindowSize(64 << 20));
  }

  static async open(server: BenchServer, group: string, watchers: number, events: number): Promise<Audience> {
    const audience = new Audience(server, group, watchers, events);
    await Promise.all(audience.#readAt.map((readAt, at) => audience.#openWatch(server, at, readAt)));
    await sleep(1000);
    return audience;
  }

  #openWatch({ token }: BenchServer, at: number, readAt: Float64Array): Promise<void> {
    const stream = this.#sessions[at % this.#sessions.length]!.request({
      ":path": `${secretsPath}?watch=1&resourceVersion=0&labelSelector=group%3D${this.#group}`,
      authorization: `Bearer ${token}`,
    });
    let next = 0;
    stream.on("data", (chunk: Buffer) => {
      const now = performance.now();
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, end + 1)) {
        readAt[next++] = now;
        this.deliveries += 1;
      }
    });
    for (const event of ["end", "error"]) stream.on(event, () => (this.cut += 1));
    return new Promise((resolve) => stream.once("response", () => resolve()));
  }

  async write({ client }: BenchServer, number: number): Promise<void> {
    const at = performance.now();
    const metadata = { name: `${this.#group}-${number}`, labels: { group: this.#group } };
    const body = { metadata, stringData: { value: padding } };
    const written = (await client.call({ method: "POST", path: secretsPath, body })) as KubernetesObject;
    this.#sent.push({ at, revision: Number(written.metadata.resourceVersion) });
  }

  /** Resolves when every watcher has all that was written, a watch was cut off, or a minute passed. */
  async hasAll(): Promise<void> {
    const deadline = performance.now() + 60_000;
    const wanted = this.#sent.length * this.#watchers;
    while (this.deliveries < wanted && this.cut === 0 && performance.now() < deadline) await sleep(2);
  }

  /** From sending a write to reading its event, of each delivery, in ascending order. */
  delaysMs(): Float64Array {
    const sentAt = this.#sent.toSorted((one, other) => one.revision - other.revision).map(({ at }) => at);
    const delays = this.#readAt.flatMap((row) => [...row].map((at, event) => at - sentAt[event]!));
    return Float64Array.from(delays).sort();
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

const server = await startBenchServer();
await benchBurst(server, 1000, 300, 32);
await benchSteady(server, 5000, 20_000, 15);
await server.stop();
process.exit(0);

async function benchBurst(server: BenchServer, watchers: number, events: number, writers: number): Promise<void> {
  const audience = await Audience.open(server, "burst", watchers, events);
  const [cpuBefore, from] = [server.cpuMs(), performance.now()];
  let next = 0;
  const writer = async () => {
    for (let number = next++; number < events; number = next++) await audience.write(server, number);
  };
  await Promise.all(Array.from({ length: writers }, writer));
  await audience.hasAll();
  const rate = audience.deliveries / ((performance.now() - from) / 1000);
  report(`burst of ${events} Secrets to ${count(watchers)} watchers`, server, audience, rate, cpuBefore);
  line(
    "",
    "",
    `${count(goFigures.burstDeliveriesPerSecond)}/s, all cut off`,
    rate / goFigures.burstDeliveriesPerSecond,
  );
  audience.close();
}

async function benchSteady(server: BenchServer, watchers: number, perSecond: number, seconds: number): Promise<void> {
  const eventsPerSecond = perSecond / watchers;
  const events = eventsPerSecond * seconds;
  const audience = await Audience.open(server, "steady", watchers, events);
  const [cpuBefore, from] = [server.cpuMs(), performance.now()];
  const writes: Promise<void>[] = [];
  for (let number = 0; number < events; number += 1) {
    await sleep(Math.max(1, from + (number * 1000) / eventsPerSecond - performance.now()));
    writes.push(audience.write(server, number));
  }
  await Promise.all(writes);
  await audience.hasAll();
  const rate = audience.deliveries / ((performance.now() - from) / 1000);
  report(`steady ${count(perSecond)}/s to ${count(watchers)} watchers`, server, audience, rate, cpuBefore);
  audience.close();
}

function report(title: string, server: BenchServer, audience: Audience, rate: number, cpuBefore: number): void {
  const delays = audience.delaysMs();
  const cpuMicroseconds = ((server.cpuMs() - cpuBefore) * 1000) / audience.deliveries;
  const delay = `delay p50 ${count(percentile(delays, 0.5))} ms  p99 ${count(percentile(delays, 0.99))} ms`;
  line(title, `${count(rate)} deliveries/s, ${audience.cut} cut off, ${delay}`);
  line("", `${cpuMicroseconds.toFixed(1)} µs CPU a delivery, memory ${server.residentMegabytes()} MB`);
}
