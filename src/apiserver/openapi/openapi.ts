/** /openapi/v2 and /openapi/v3: made when first asked for, kept until the catalogue changes, known to clients by hash. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { notAcceptable } from "#apiserver/http/negotiate.ts";
import { type Answer, pageNotFound, oneBytes } from "#apiserver/answer.ts";
import type { Catalogue } from "#apiserver/catalogue.ts";
import { methodNotAllowed } from "#apiserver/dispatch.ts";
import type { ServerRequest } from "#apiserver/request.ts";
import { servedGroups } from "#apiserver/discovery/api-resources.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";
import { documentProtobufType, encodeDocument, wantsProtobuf } from "./document-protobuf.ts";
import { plainThree, versionThree, versionTwo } from "./documents.ts";
import { plainOperation, plainOperations } from "./root-operations.ts";

interface Document {
  bytes: Buffer;
  hash: string;
}

/** undefined: not a path of ours. */
export type OpenApi = (path: string, request: ServerRequest) => Answer | undefined;

export function createOpenApi(catalogue: Catalogue, virtual: readonly VirtualResource[]): OpenApi {
  const kept = new Map<string, Document>();
  catalogue.onChange(() => kept.clear());

  function document(
    key: string,
    make: () => unknown,
    encode: (made: unknown) => Buffer = (made) => Buffer.from(`${JSON.stringify(made)}\n`),
  ): Document {
    let found = kept.get(key);
    if (found === undefined) {
      const bytes = encode(make());
      found = { bytes, hash: createHash("sha512").update(bytes).digest("hex").toUpperCase() };
      kept.set(key, found);
    }
    return found;
  }

  /** Groups that are built in have a document of their own; those of custom resources do not. */
  const builtInGroups = () =>
    servedGroups(catalogue, virtual)
      .map(({ name }) => name)
      .filter((name) => [...catalogue.builtIn(), ...virtual].some(({ group }) => group === name));
  const versions = () => [...catalogue.all(), ...virtual];

  function ofPath(path: string): Document | undefined {
    const match = /^(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path);
    if (match !== null) {
      const [, group = "", version = ""] = match;
      const isServed = versions().some((one) => one.group === group && one.version === version);
      return isServed ? document(path, () => versionThree(catalogue, virtual, group, version)) : undefined;
    }
    const make = plainOperation(path, builtInGroups());
    return make === undefined ? undefined : document(path, () => plainThree(make(), catalogue));
  }

  function index(): unknown {
    const paths = new Set([
      ...Object.keys(plainOperations),
      ...builtInGroups().map((name) => `apis/${name}`),
      ...versions().map(({ group, version }) => (group === "" ? `api/${version}` : `apis/${group}/${version}`)),
    ]);
    const entry = (path: string) => ({ serverRelativeURL: `/openapi/v3/${path}?hash=${ofPath(path)!.hash}` });
    return { paths: Object.fromEntries([...paths].sort().map((path) => [path, entry(path)])) };
  }

  return (path, request) => {
    const match = /^\/openapi\/(v2|v3)(?:\/(.+?))?\/?$/.exec(path);
    if (match === null) return undefined;
    if (request.method !== "GET") throw methodNotAllowed();
    const [, version, rest] = match;
    const accept = request.header("accept");
    if (version === "v2" && rest === undefined && wantsProtobuf(accept)) {
      const encode = (made: unknown) => encodeDocument(made as Parameters<typeof encodeDocument>[0]);
      return served(
        document("v2 protobuf", () => versionTwo(catalogue, virtual), encode),
        request,
        documentProtobufType,
      );
    }
    if (!acceptsJson(accept)) throw notAcceptable(["application/json"]);
    if (version === "v2")
      return rest === undefined
        ? served(
            document("v2", () => versionTwo(catalogue, virtual)),
            request,
          )
        : pageNotFound();
    if (rest === undefined) return served(document("index", index), request);
    const found = ofPath(rest);
    return found === undefined ? pageNotFound() : served(found, request);
  };
}

/** A protobuf form of version 3 exists too; clients that ask for it take JSON as well. */
function acceptsJson(accept: string | undefined): boolean {
  return (
    accept === undefined || accept === "" || /application\/json|\*\/\*/.test(accept) || !accept.includes("protobuf")
  );
}

const yearSeconds = 31_536_000;

function served({ bytes, hash }: Document, request: ServerRequest, contentType?: string): Answer {
  const etag = `"${hash}"`;
  const isPinned = request.query.get("hash") === hash;
  const headers = {
    etag,
    vary: "Accept",
    "cache-control": isPinned ? `public, immutable, max-age=${yearSeconds}` : "no-cache, private",
  };
  if (request.header("if-none-match") === etag) return { type: "text", code: 304, text: "", headers };
  if (contentType !== undefined)
    return {
      type: "stream",
      code: 200,
      headers: { ...headers, "content-type": contentType },
      body: Readable.from([bytes]),
    };
  return { type: "object", code: 200, bytes: oneBytes(bytes), headers };
}
