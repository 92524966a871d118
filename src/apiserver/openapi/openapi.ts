/** /openapi/v2 and /openapi/v3: made when first asked for, kept until the catalogue changes, known to clients by hash. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { parseAccept } from "#apiserver/http/negotiate.ts";
import { type Answer, oneBytes } from "#apiserver/answer.ts";
import type { Clock } from "#lib/clock.ts";
import type { Catalogue } from "#apiserver/catalogue.ts";
import type { OtherServers } from "#apiserver/discovery/discovery.ts";
import type { ServerRequest } from "#apiserver/request.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";
import { documentProtobufAliases, documentProtobufType, encodeDocument } from "./document-protobuf.ts";
import {
  documentThreeProtobufAliases,
  documentThreeProtobufType,
  encodeDocumentThree,
} from "./document-three-protobuf.ts";
import { builtInTwo, customTwo, type PartTwo, plainThree, versionThree, versionTwo } from "./documents.ts";
import type { Schema } from "./schema.ts";
import { plainOperation, plainOperations } from "./root-operations.ts";

interface Document {
  bytes: Buffer;
  hash: string;
  madeMs: number;
}

/** undefined: not a path of ours. */
export type OpenApi = (path: string, request: ServerRequest) => Answer | undefined;

export interface OpenApiParts {
  catalogue: Catalogue;
  virtual: readonly VirtualResource[];
  /** Their documents are asked of them: the index says where. */
  others: OtherServers;
  clock: Clock;
}

export function createOpenApi({ catalogue, virtual, others, clock }: OpenApiParts): OpenApi {
  const kept = new Map<string, Document>();
  let builtIn: PartTwo | undefined;
  const whole = () => versionTwo((builtIn ??= builtInTwo(catalogue, virtual)), customTwo(catalogue));
  /** Of custom resources, now or before. */
  const customPaths = new Set<string>();
  // What is built in stays as it is, but where a custom resource joins it.
  catalogue.onChange(() => {
    for (const one of catalogue.custom()) customPaths.add(pathOf(one));
    for (const path of kept.keys()) if (!builtInPaths.has(path) || customPaths.has(path)) kept.delete(path);
  });
  others.onChange(() => kept.delete("index"));

  function document(
    key: string,
    make: () => unknown,
    encode: (made: unknown) => Buffer = (made) => Buffer.from(`${JSON.stringify(made)}\n`),
  ): Document {
    let found = kept.get(key);
    if (found === undefined) {
      const bytes = encode(make());
      found = { bytes, hash: createHash("sha512").update(bytes).digest("hex").toUpperCase(), madeMs: clock.now() };
      kept.set(key, found);
    }
    return found;
  }

  const fixed = [...catalogue.builtIn(), ...virtual];
  /** Groups that are built in have a document of their own; those of custom resources do not. */
  const builtInGroups = new Set(fixed.map(({ group }) => group).filter((group) => group !== ""));
  const builtInPaths = new Set([
    ...Object.keys(plainOperations),
    ...[...builtInGroups].map((group) => `apis/${group}`),
    ...fixed.map(pathOf),
  ]);
  const versions = () => [...catalogue.all(), ...virtual];

  function ofPath(path: string): Document | undefined {
    const match = /^(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path);
    if (match !== null) {
      const [, group = "", version = ""] = match;
      const isServed = versions().some((one) => one.group === group && one.version === version);
      return isServed ? document(path, () => versionThree(catalogue, virtual, group, version)) : undefined;
    }
    const make = plainOperation(path, builtInGroups);
    return make === undefined ? undefined : document(path, () => plainThree(make(), catalogue));
  }

  function index(): unknown {
    const paths = new Set([...builtInPaths, ...catalogue.custom().map(pathOf)]);
    const remote = new Set(others.versions().flatMap((one) => (one.isAvailable ? [pathOf(one)] : [])));
    const entry = (path: string) => {
      const hash = remote.has(path) ? "" : `?hash=${ofPath(path)!.hash}`;
      return { serverRelativeURL: `/openapi/v3/${path}${hash}` };
    };
    return { paths: Object.fromEntries([...new Set([...paths, ...remote])].sort().map((path) => [path, entry(path)])) };
  }

  return (path, request) => {
    if (path === "/openapi/v2") {
      const type = chosenType(request, [jsonType, documentProtobufType, ...documentProtobufAliases]);
      if (type === undefined) return nothing(notAcceptable);
      if (type === jsonType) return served(document("v2", whole), request);
      const encode = (made: unknown) => encodeDocument(made as Parameters<typeof encodeDocument>[0]);
      const encoded = document("v2 protobuf", whole, encode);
      return served(encoded, request, documentProtobufType);
    }
    if (path === "/openapi/v3") return served(document("index", index), request);
    if (!path.startsWith("/openapi/v3/")) return undefined;
    const rest = path.slice("/openapi/v3/".length);
    const found = ofPath(rest);
    if (found === undefined) return nothing(notFound);
    const type = chosenType(request, [jsonType, documentThreeProtobufType, ...documentThreeProtobufAliases]);
    if (type === undefined) return nothing(notAcceptable);
    const hash = request.query.get("hash") ?? "";
    if (hash !== "" && hash !== found.hash) return moved(`/openapi/v3/${rest}?hash=${found.hash}`);
    if (type === jsonType) return served(found, request);
    const made = () => JSON.parse(found.bytes.toString("utf8")) as unknown;
    const encode = (one: unknown) => encodeDocumentThree(one as Schema);
    const { bytes } = document(`${rest} protobuf`, made, encode);
    // Both forms go by the hash of the JSON, which the index tells.
    return served({ ...found, bytes }, request, documentThreeProtobufType);
  };
}

const pathOf = ({ group, version }: { group: string; version: string }): string =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

const jsonType = "application/json";
const notAcceptable = 406;
const notFound = 404;

/** Without a body, and so without a type. */
const nothing = (code: number): Answer => ({
  type: "stream",
  code,
  headers: { vary: "Accept", "cache-control": "no-cache, private" },
  body: Readable.from([]),
});

const moved = (location: string): Answer => ({
  type: "text",
  code: 301,
  text: `<a href="${location}">Moved Permanently</a>.\n\n`,
  contentType: "text/html; charset=utf-8",
  headers: { location },
});

/** The first of the client's types, best first, that there is a form of. */
function chosenType(request: ServerRequest, types: readonly string[]): string | undefined {
  const accept = request.header("accept") ?? "";
  for (const { type } of parseAccept(accept === "" ? "*/*" : accept)) {
    const found = types.find((one) => type === one || type === "*/*" || type === `${one.split("/")[0]}/*`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const yearMs = 365 * 24 * 3_600_000;

function served({ bytes, hash, madeMs }: Document, request: ServerRequest, contentType?: string): Answer {
  const etag = `"${hash}"`;
  const isPinned = request.query.get("hash") === hash;
  const headers = {
    etag,
    vary: "Accept",
    "last-modified": new Date(madeMs).toUTCString(),
    ...(isPinned
      ? { "cache-control": "public, immutable", expires: new Date(madeMs + yearMs).toUTCString() }
      : { "cache-control": "no-cache, private" }),
  };
  if (isKnown(request.header("if-none-match"), etag)) return { type: "text", code: 304, text: "", headers };
  if (contentType !== undefined)
    return {
      type: "stream",
      code: 200,
      headers: { ...headers, "content-type": contentType },
      body: Readable.from([bytes]),
    };
  return { type: "object", code: 200, bytes: oneBytes(bytes), headers };
}

/** If-None-Match names one tag, several or any, each perhaps as a weak one. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  header.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag);
