import { decode, encode } from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DnsRecord } from "./lookup.ts";
import { encodeQuery, encodeReply, parseQuestion, type Question, rcodes, readName, readReplyFacts } from "./message.ts";

const query = (name: string, more: object = {}): Buffer =>
  encode({ type: "query", id: 7, flags: 0x0100, questions: [{ type: "A", name }], ...more });
const asked = (name: string, more: object = {}): Question => parseQuestion(query(name, more)) as Question;
const address = (name: string, last: number): DnsRecord => ({
  name,
  type: "A",
  ttlSeconds: 5,
  data: { address: `10.42.0.${last}` },
});
const edns = { additionals: [{ type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0x8000 }] };

describe("questions", () => {
  test("are read with name, type and EDNS", () => {
    expect(asked("Web.default.svc.cluster.local", edns)).toMatchObject({
      id: 7,
      name: "Web.default.svc.cluster.local",
      type: 1,
      class: 1,
      isRecursionDesired: true,
      edns: { udpBytes: 1232, version: 0, isDnssecOk: true },
    });
  });

  test("that cannot be read are malformed, and answers are no questions", () => {
    expect(parseQuestion(Buffer.alloc(5))).toBeUndefined();
    expect(parseQuestion(encode({ type: "response", id: 7, questions: [{ type: "A", name: "a" }] }))).toBeUndefined();
    expect(parseQuestion(query("a").subarray(0, 14))).toEqual({ malformed: 7 });
    expect(parseQuestion(encode({ type: "query", id: 7, questions: [] }))).toEqual({ malformed: 7 });
  });

  test("no bytes make the reader fail or hang", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        parseQuestion(Buffer.concat([Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]), bytes]));
      }),
    );
  });

  test("a name that points at itself is refused", () => {
    expect(() => readName(Buffer.from([0xc0, 0]), 0)).toThrow(RangeError);
    expect(() => readName(Buffer.from([1, 97, 0xc0, 0]), 0)).toThrow(RangeError);
  });
});

describe("answers", () => {
  const reply = (answers: DnsRecord[]) => ({ rcode: rcodes.ok, isAuthoritative: true, answers }) as const;

  test("are read by others as they are meant", () => {
    const name = "Web.default.svc.cluster.local";
    const records: DnsRecord[] = [
      address(name, 1),
      { name, type: "AAAA", ttlSeconds: 5, data: { address: "fd00::1" } },
      { name, type: "CNAME", ttlSeconds: 5, data: { target: "other.default.svc.cluster.local" } },
      { name, type: "SRV", ttlSeconds: 5, data: { target: name, port: 80, priority: 0, weight: 100 } },
      { name: "dns-version.cluster.local", type: "TXT", ttlSeconds: 5, data: { text: "1.1.0" } },
    ];
    const decoded = decode(encodeReply(asked(name, edns), reply(records), 4_096));
    expect(decoded).toMatchObject({ id: 7, rcode: "NOERROR", flag_aa: true, questions: [{ name }] });
    expect(decoded.answers).toMatchObject([
      { name, type: "A", ttl: 5, data: "10.42.0.1" },
      { type: "AAAA", data: "fd00::1" },
      { type: "CNAME", data: "other.default.svc.cluster.local" },
      { type: "SRV", data: { target: name, port: 80, priority: 0, weight: 100 } },
      { name: "dns-version.cluster.local", type: "TXT", data: [Buffer.from("1.1.0")] },
    ]);
    expect(decoded.additionals).toMatchObject([{ type: "OPT" }]);
  });

  test("write a name once", () => {
    const name = "a-rather-long-name-of-a-service.default.svc.cluster.local";
    const records = Array.from({ length: 25 }, (_, index) => address(name, index));
    expect(encodeReply(asked(name), reply(records), 512).length).toBeLessThan(500);
  });

  test("never are longer than allowed, and say so when they are cut", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.constantFrom(512, 1_232), (count, bytesMax) => {
        const records = Array.from({ length: count }, (_, index) => address("web.default.svc.cluster.local", index));
        const message = encodeReply(asked("web.default.svc.cluster.local"), reply(records), bytesMax);
        expect(message.length).toBeLessThanOrEqual(bytesMax);
        const decoded = decode(message) as { flag_tc?: boolean; answers?: unknown[] };
        expect(decoded.flag_tc).toBe((decoded.answers ?? []).length < count);
      }),
    );
  });
});

describe("replies of others", () => {
  const answer = { type: "A", name: "a.example", data: "203.0.113.1" } as const;
  test("live as long as their shortest answer, negative ones as their zone says", () => {
    const positive = encode({
      type: "response",
      questions: [],
      answers: [
        { ...answer, ttl: 60 },
        { ...answer, ttl: 20 },
      ],
    });
    expect(readReplyFacts(positive)).toMatchObject({ rcode: 0, ttlSeconds: 20, isTruncated: false });
    const soa = { mname: "ns", rname: "h", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 9 };
    const negative = encode({
      type: "response",
      flags: 3,
      authorities: [{ type: "SOA", name: "example", ttl: 60, data: soa }],
    });
    expect(readReplyFacts(negative)).toMatchObject({ rcode: 3, ttlSeconds: 9 });
    expect(readReplyFacts(encode({ type: "response", flags: 2 })).ttlSeconds).toBeUndefined();
    expect(() => readReplyFacts(positive.subarray(0, -3))).toThrow(RangeError);
  });

  test("our own question is one", () => {
    expect(parseQuestion(encodeQuery(9, "outside.example", 28))).toMatchObject({
      id: 9,
      name: "outside.example",
      type: 28,
    });
  });
});
