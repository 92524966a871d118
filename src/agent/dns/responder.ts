/** From the bytes of a question to the bytes of its answer, by the cluster's zone or by the node's resolvers. */
import { decode } from "dns-packet";
import type { Random } from "#lib/random.ts";
import { type Answer, type DnsRecord, lookup, type Zone } from "./lookup.ts";
import {
  classInternet,
  encodeFormatError,
  encodeQuery,
  encodeReply,
  parseQuestion,
  type Question,
  rcodes,
  type Reply,
  typeNumbers,
  udpBytesOffered,
} from "./message.ts";
import type { DnsIndex } from "./service-index.ts";
import type { Transport, Upstream } from "./upstream.ts";

export interface ResponderOptions {
  readonly index: DnsIndex;
  readonly zone: () => Zone;
  readonly upstream: Upstream;
  readonly random: Random;
}

const udpBytesPlain = 512;
const tcpBytesMax = 65_535;
const typeNames = new Map(Object.entries(typeNumbers).map(([name, number]) => [number, name]));

/** The answer to one message; undefined: none is due. */
export async function respond(
  options: ResponderOptions,
  message: Buffer,
  transport: Transport,
): Promise<Buffer | undefined> {
  const question = parseQuestion(message);
  if (question === undefined) return undefined;
  if ("malformed" in question) return encodeFormatError(question.malformed);
  const refused = refusal(question);
  const bytesMax = transport === "tcp" ? tcpBytesMax : udpBytes(question);
  if (refused !== undefined) return encodeReply(question, { rcode: refused, isAuthoritative: false }, bytesMax);
  const answer = lookup(options.index, options.zone(), question.name, typeNames.get(question.type) ?? "other");
  if (answer.kind === "forward") return await forward(options, question, message, transport, bytesMax);
  return encodeReply(question, await makeReply(options, question, answer, transport), bytesMax);
}

function refusal({ opcode, type, edns, class: asked }: Question): Reply["rcode"] | undefined {
  if (opcode !== 0) return rcodes.notImplemented;
  if (edns !== undefined && edns.version !== 0) return rcodes.ok;
  return type === typeNumbers.AXFR || type === typeNumbers.IXFR || asked !== classInternet ? rcodes.refused : undefined;
}

function udpBytes({ edns }: Question): number {
  return edns === undefined ? udpBytesPlain : Math.min(Math.max(edns.udpBytes, udpBytesPlain), udpBytesOffered);
}

async function makeReply(
  options: ResponderOptions,
  question: Question,
  answer: Exclude<Answer, { kind: "forward" }>,
  transport: Transport,
): Promise<Reply> {
  if (answer.kind !== "found") {
    const rcode = answer.kind === "missing" ? rcodes.missing : rcodes.ok;
    return { rcode, isAuthoritative: true, authority: [answer.soa] };
  }
  const { records, additional, follow } = answer;
  const further = follow === undefined ? [] : await followAlias(options, follow, question, transport);
  return {
    rcode: rcodes.ok,
    isAuthoritative: true,
    answers: [...shuffled(records, options.random), ...further],
    additional,
  };
}

/** What the node's resolvers know of an ExternalName's target: most clients expect it in the same answer. */
async function followAlias(
  { upstream }: ResponderOptions,
  target: string,
  { type }: Question,
  transport: Transport,
): Promise<DnsRecord[]> {
  const query = encodeQuery(0, target, type);
  const reply = await upstream.ask(query, `${target.toLowerCase()} ${type} follow`, transport);
  if (reply === undefined) return [];
  try {
    return (decode(reply).answers ?? []).flatMap((record): DnsRecord[] => {
      const { name, ttl: ttlSeconds = 0 } = record as { name: string; ttl?: number };
      if (record.type === "A" || record.type === "AAAA")
        return [{ name, type: record.type, ttlSeconds, data: { address: record.data } }];
      return record.type === "CNAME" ? [{ name, type: "CNAME", ttlSeconds, data: { target: record.data } }] : [];
    });
  } catch {
    // What another server sent cannot be read: the alias alone is a full answer too.
    return [];
  }
}

async function forward(
  { upstream }: ResponderOptions,
  question: Question,
  message: Buffer,
  transport: Transport,
  bytesMax: number,
): Promise<Buffer> {
  const { name, type, edns, isRecursionDesired, isCheckingDisabled } = question;
  const flags = `${isRecursionDesired} ${isCheckingDisabled} ${edns?.isDnssecOk} ${edns?.udpBytes}`;
  const reply = await upstream.ask(message, `${name.toLowerCase()} ${type} ${flags}`, transport);
  if (reply !== undefined && reply.length <= bytesMax) return withSpelling(reply, question);
  if (reply !== undefined) return encodeReply(question, { rcode: rcodes.ok, isAuthoritative: false }, 0);
  return encodeReply(question, { rcode: rcodes.serverFailure, isAuthoritative: false }, bytesMax);
}

/** The asker's own spelling of the name: some check that it comes back. */
function withSpelling(reply: Buffer, { section }: Question): Buffer {
  if (reply.readUInt16BE(4) !== 1 || reply.length < 12 + section.length) return reply;
  const copy = Buffer.from(reply);
  copy.set(section, 12);
  return copy;
}

/** Records of one name and type in another order each time, so that clients that take the first spread out. */
function shuffled(records: readonly DnsRecord[], random: Random): readonly DnsRecord[] {
  if (records.length < 2) return records;
  const fixed = records.filter(({ type }) => type === "CNAME");
  const free = records.filter(({ type }) => type !== "CNAME");
  for (let index = free.length - 1; index > 0; index--) {
    const other = Math.floor(random.next() * (index + 1));
    [free[index], free[other]] = [free[other]!, free[index]!];
  }
  return [...fixed, ...free];
}
