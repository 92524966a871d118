/** What an aggregated API server says that it serves, asked of it and kept. Upstream: handler_discovery.go. */
import type { Readable } from "node:stream";
import type { ApiResource } from "#apiserver/discovery/api-resource.ts";
import type { RemoteServer } from "./remote-server.ts";

const timeoutMs = 5_000;
/** What one version may say that it serves is never larger. */
export const answerBytesMax = 4 * 1024 * 1024;

interface ResourceList {
  resources?: readonly (Omit<ApiResource, "verbs"> & { verbs?: readonly string[] })[];
}

/** undefined: it did not say. */
export async function remoteResources(server: RemoteServer): Promise<ApiResource[] | undefined> {
  const { group = "", version = "" } = server.service.spec ?? {};
  try {
    const answer = await server.get(`/apis/${group}/${version}`, { timeoutMs });
    const body = await textOf(answer);
    if (answer.statusCode !== 200) return undefined;
    const { resources = [] } = JSON.parse(body) as ResourceList;
    return resources.map((one) => ({ group, version, ...one, verbs: one.verbs ?? [] }));
  } catch {
    return undefined;
  }
}

async function textOf(answer: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > answerBytesMax) throw new Error(`an answer of more than ${answerBytesMax} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
