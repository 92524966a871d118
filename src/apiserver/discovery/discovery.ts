/**
 * What is served, told to clients: version lists, groups, resources, and all of it at once (aggregated discovery v2,
 * with an ETag). Made once and again after every change of the catalogue.
 */
import { createHash } from "node:crypto";
import { pathNotFound } from "#api/status-catalogue.ts";
import { type Answer, objectAnswer, pageNotFound } from "#apiserver/answer.ts";
import type { Catalogue } from "#apiserver/catalogue.ts";
import { type Caller, type Dispatched, isPretty, methodNotAllowed } from "#apiserver/dispatch.ts";
import { checkRoute, negotiate } from "#apiserver/http/negotiate.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";
import type { ApiResource, RemoteVersion } from "./api-resource.ts";
import { apiResources, servedGroups, type ServedGroup } from "./api-resources.ts";

/** What is served by others behind this server. */
export interface OtherServers {
  versions(): readonly RemoteVersion[];
  onChange(listener: () => void): void;
}

export interface Discovery {
  answer(caller: Caller): Dispatched;
  /** Of every group and version. */
  paths(): string[];
}

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

export function createDiscovery(
  catalogue: Catalogue,
  virtual: readonly VirtualResource[],
  serverAddress: () => string,
  others?: OtherServers,
): Discovery {
  const cached = new Map<string, { body: unknown; etag: string }>();
  catalogue.onChange(() => cached.clear());
  others?.onChange(() => cached.clear());
  const groups = () => servedGroups(catalogue, virtual, others?.versions());
  const other = (group: string, version: string) =>
    others?.versions().find((one) => one.group === group && one.version === version);
  const resources = (group: string, version: string) =>
    other(group, version)?.resources ?? apiResources(catalogue, virtual, group, version);
  const freshness = (group: string, version: string) =>
    other(group, version)?.isAvailable === false ? "Stale" : "Current";

  function aggregated(path: "/api" | "/apis", request: Caller["request"]): Answer {
    let document = cached.get(path);
    if (document === undefined) {
      const list = path === "/api" ? [{ name: "", versions: ["v1"] }] : groups();
      const items = list.map((group) => groupDiscovery(group, resources, freshness));
      const body = { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
      const etag = `"${createHash("sha512").update(JSON.stringify(body)).digest("hex").toUpperCase()}"`;
      cached.set(path, (document = { body, etag }));
    }
    const headers = { etag: document.etag, vary: "Accept", "cache-control": "public" };
    if (request.header("if-none-match") === document.etag) return { type: "text", code: 304, text: "", headers };
    return { ...objectAnswer(document.body), headers, contentType: aggregatedType };
  }

  return {
    paths: () => [
      "/api",
      "/api/v1",
      "/apis",
      "/apis/",
      ...groups().flatMap(({ name, versions }) => [
        `/apis/${name}`,
        ...versions.map((version) => `/apis/${name}/${version}`),
      ]),
    ],
    answer(caller) {
      const { request, info } = caller;
      const accept = request.header("accept");
      const parts = info.path.split("/").filter((part) => part !== "");
      const isRoot = parts.length === 1;
      if (request.method !== "GET" && !(isRoot && request.method === "POST")) throw methodNotAllowed();
      checkRoute(accept, false);
      const form = negotiate(accept, isPretty(request), { as: isRoot ? ["APIGroupDiscoveryList"] : [] });
      if (form.as === "APIGroupDiscoveryList") {
        const answer = aggregated(parts[0] === "api" ? "/api" : "/apis", request);
        return { answer, form };
      }
      return { answer: plain(parts), form };
    },
  };

  function plain(parts: readonly string[]): Answer {
    const [prefix, group, version] = parts;
    if (prefix === "api") {
      if (group === undefined) return objectAnswer(apiVersions(serverAddress()));
      if (group !== "v1") throw pathNotFound();
      return objectAnswer({ kind: "APIResourceList", groupVersion: "v1", resources: resources("", "v1").map(legacy) });
    }
    if (group === undefined)
      return objectAnswer({ kind: "APIGroupList", apiVersion: "v1", groups: groups().map(groupEntry) });
    const served = groups().find(({ name }) => name === group);
    if (served === undefined) return pageNotFound();
    if (version === undefined) return objectAnswer({ kind: "APIGroup", apiVersion: "v1", ...groupEntry(served) });
    if (!served.versions.includes(version)) throw pathNotFound();
    const groupVersion = `${group}/${version}`;
    return objectAnswer({
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion,
      resources: resources(group, version).map(legacy),
    });
  }
}

/** The old lists name a group and version only where they are not the list's own: a custom resource's are. */
function legacy({ isOwnKind, group, version, ...rest }: ApiResource): Partial<ApiResource> {
  return isOwnKind === true ? rest : { ...rest, ...(group && { group }), ...(version && { version }) };
}

function apiVersions(serverAddress: string) {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

function groupEntry({ name, versions }: ServedGroup) {
  const list = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0] };
}

function groupDiscovery(
  { name, versions }: ServedGroup,
  resources: (group: string, version: string) => readonly ApiResource[],
  freshness: (group: string, version: string) => string,
) {
  return {
    metadata: name === "" ? {} : { name },
    versions: versions.map((version) => ({
      version,
      resources: nested(resources(name, version)),
      freshness: freshness(name, version),
    })),
  };
}

/** Subresources under their resources. */
function nested(list: readonly ApiResource[]) {
  const main = list.filter(({ name }) => !name.includes("/"));
  return main.map(
    ({ name, singularName, namespaced, group = "", version = "", kind, verbs, shortNames, categories }) => {
      const subresources = list
        .filter((one) => one.name.startsWith(`${name}/`))
        .map((one) => ({
          subresource: one.name.slice(name.length + 1),
          responseKind: { group: one.group ?? "", version: one.version ?? "", kind: one.kind },
          verbs: one.verbs,
        }));
      return {
        resource: name,
        responseKind: { group, version, kind },
        scope: namespaced ? "Namespaced" : "Cluster",
        singularResource: singularName,
        verbs,
        ...(shortNames === undefined ? {} : { shortNames }),
        ...(categories === undefined ? {} : { categories }),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    },
  );
}
