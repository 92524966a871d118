/** What an aggregated API server says that it serves, asked of it and kept. Upstream: handler_discovery.go. */
import { text } from "node:stream/consumers";
import type { ApiResource } from "#apiserver/discovery/api-resource.ts";
import type { RemoteServer } from "./remote-server.ts";

const timeoutMs = 5_000;

interface ResourceList {
  resources?: readonly (Omit<ApiResource, "verbs"> & { verbs?: readonly string[] })[];
}

/** undefined: it did not say. */
export async function remoteResources(server: RemoteServer): Promise<ApiResource[] | undefined> {
  const { group = "", version = "" } = server.service.spec ?? {};
  try {
    const answer = await server.get(`/apis/${group}/${version}`, { timeoutMs });
    const body = await text(answer);
    if (answer.statusCode !== 200) return undefined;
    const { resources = [] } = JSON.parse(body) as ResourceList;
    return resources.map((one) => ({ group, version, ...one, verbs: one.verbs ?? [] }));
  } catch {
    return undefined;
  }
}
