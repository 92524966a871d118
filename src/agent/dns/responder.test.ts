import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decode, encode, type DecodedPacket } from "dns-packet";
import { afterEach, describe, expect, test } from "vitest";
import { seededRandom } from "#lib/random.ts";
import type { Zone } from "./lookup.ts";
import { respond } from "./responder.ts";
import { ServiceIndex } from "./service-index.ts";
import { Upstream } from "./upstream.ts";

const zone: Zone = { domain: "cluster.local", serverIps: ["10.43.0.10"], reverseCidrs: [], serial: 1 };
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A real resolver on a free loopback port. */
async function resolver(answers: object[], rcode = 0): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    asked += 1;
    const { id = 0, questions = [] } = decode(message);
    const reply = encode({ type: "response", id, flags: 0x0180 | rcode, questions, answers: answers as never });
    socket.send(reply, from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  stops.push(() => socket.close());
  return { port: socket.address().port, asked: () => asked };
}

function make(ports: readonly number[]) {
  let now = 1_000_000;
  const resolvers = ports.map((port) => ({ address: "127.0.0.1", port }));
  const upstream = new Upstream({ resolvers: () => resolvers, clock: { now: () => now } });
  stops.push(() => upstream.stop());
  const index = new ServiceIndex();
  const options = { index, zone: () => zone, upstream, random: seededRandom(1) };
  const ask = async (name: string, more: object = {}): Promise<DecodedPacket> => {
    const query = encode({ type: "query", id: 7, flags: 0x0100, questions: [{ type: "A", name }], ...more });
    return decode((await respond(options, query, "udp"))!);
  };
  return { ask, index, options, later: (ms: number) => (now += ms) };
}

const outside = { type: "A", name: "outside.example", ttl: 20, data: "203.0.113.7" };

describe("other names", () => {
  test("are asked of the node's resolvers, once for as long as the answer lives, with falling TTL", async () => {
    const { port, asked } = await resolver([outside]);
    const { ask, later } = make([port]);
    expect(await ask("outside.example")).toMatchObject({ id: 7, answers: [{ ttl: 20, data: "203.0.113.7" }] });
    later(5_000);
    expect(await ask("OUTSIDE.example")).toMatchObject({
      questions: [{ name: "OUTSIDE.example" }],
      answers: [{ ttl: 15 }],
    });
    expect(asked()).toBe(1);
    later(15_000);
    await ask("outside.example");
    expect(asked()).toBe(2);
  });

  test("are asked once for all who ask at one time", async () => {
    const { port, asked } = await resolver([]);
    const { ask } = make([port]);
    await Promise.all(Array.from({ length: 20 }, async () => await ask("outside.example")));
    expect(asked()).toBe(1);
  });

  test("are asked of the next resolver when one fails", async () => {
    const broken = await resolver([], 2);
    const good = await resolver([outside]);
    const { ask } = make([broken.port, good.port]);
    expect(await ask("outside.example")).toMatchObject({ rcode: "NOERROR", answers: [{ data: "203.0.113.7" }] });
  });

  test("leave a resolver aside that answers nothing of use", async () => {
    const broken = createSocket("udp4");
    let asked = 0;
    broken.on("message", (message, from) => {
      asked += 1;
      // Promises an answer that is not there.
      message.writeUInt16BE(0x8180, 2);
      message.writeUInt16BE(1, 6);
      broken.send(message, from.port, from.address);
    });
    broken.bind(0, "127.0.0.1");
    await once(broken, "listening");
    stops.push(() => broken.close());
    const good = await resolver([outside]);
    const { ask } = make([broken.address().port, good.port]);
    expect(await ask("outside.example")).toMatchObject({ rcode: "NOERROR" });
    expect(await ask("elsewhere.example")).toMatchObject({ rcode: "NOERROR" });
    expect(asked).toBe(1);
  });

  test("cannot be answered without resolvers", async () => {
    expect(await make([]).ask("outside.example")).toMatchObject({ rcode: "SERVFAIL" });
  });
});

describe("the cluster's names", () => {
  test("are answered with authority, missing ones with the zone's SOA", async () => {
    const answer = await make([]).ask("none.default.svc.cluster.local");
    expect(answer).toMatchObject({
      rcode: "NXDOMAIN",
      flag_aa: true,
      authorities: [{ type: "SOA", name: "cluster.local" }],
    });
  });

  test("an ExternalName comes with what other servers say of its target", async () => {
    const { port } = await resolver([outside]);
    const { ask, index } = make([port]);
    index.setNamespace("default", { metadata: {} });
    index.setService("default/out", {
      metadata: { name: "out", namespace: "default" },
      spec: { type: "ExternalName", externalName: "outside.example" },
    });
    expect((await ask("out.default.svc.cluster.local")).answers).toMatchObject([
      { type: "CNAME", data: "outside.example" },
      { type: "A", name: "outside.example", data: "203.0.113.7" },
    ]);
  });
});

describe("questions that are refused", () => {
  test.each([
    ["zone transfers", { questions: [{ type: "AXFR", name: "cluster.local" }] }, "REFUSED"],
    ["other classes", { questions: [{ type: "A", name: "cluster.local", class: "CH" }] }, "REFUSED"],
    ["other operations", { flags: 0x2800 }, "NOTIMP"],
  ])("%s", async (_name, more, rcode) => {
    expect(await make([]).ask("cluster.local", more)).toMatchObject({ rcode });
  });

  test("what cannot be read is a format error, and answers are never answered", async () => {
    const { options } = make([]);
    const broken = encode({ type: "query", id: 9, questions: [{ type: "A", name: "a" }] }).subarray(0, 14);
    expect(decode((await respond(options, broken, "udp"))!)).toMatchObject({ id: 9, rcode: "FORMERR" });
    expect(await respond(options, encode({ type: "response", questions: [] }), "udp")).toBeUndefined();
  });
});
