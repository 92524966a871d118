/** Which kinds the server serves, custom ones too. Turns apiVersion and kind into what the client needs for calls. */
import { parseApiVersion } from "./api-version.ts";
import type { Client, ResourceRef } from "./client.ts";

export interface DiscoveredResource extends ResourceRef {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Names such as "status", with the verbs of each. */
  readonly subresources: Readonly<Record<string, readonly string[]>>;
  /** True if the server prefers this version of the group. */
  readonly preferred: boolean;
}

interface AggregatedList {
  items?: readonly { metadata?: { name?: string }; versions?: readonly AggregatedVersion[] }[];
}
interface AggregatedVersion {
  version: string;
  freshness?: string;
  resources?: readonly AggregatedResource[];
}
interface AggregatedResource {
  resource: string;
  responseKind?: { kind: string };
  scope: "Namespaced" | "Cluster";
  singularResource?: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  verbs?: readonly string[];
  subresources?: readonly { subresource: string; verbs?: readonly string[] }[];
}

const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
/** A miss asks the server again, but not more often than this. */
const refreshMsMin = 500;

export class Discovery {
  readonly #client: Client;
  #resources: Promise<readonly DiscoveredResource[]> | undefined;
  #readAt = -Infinity;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Everything that is served; from memory unless `fresh`. */
  async resources(fresh = false): Promise<readonly DiscoveredResource[]> {
    if (this.#resources === undefined || fresh) {
      this.#readAt = performance.now();
      const read = readResources(this.#client);
      this.#resources = read;
      read.catch(() => {
        if (this.#resources === read) this.#resources = undefined;
      });
    }
    return await this.#resources;
  }

  /** The resource of a kind; undefined if the server does not serve it (it is asked again before that is said). */
  async resolve(apiVersion: string, kind: string): Promise<DiscoveredResource | undefined> {
    const { group, version } = parseApiVersion(apiVersion);
    return await this.find((r) => r.group === group && r.version === version && r.kind === kind);
  }

  /** The first resource, in the server's order and preferred versions first, for which `test` holds. */
  async find(test: (resource: DiscoveredResource) => boolean): Promise<DiscoveredResource | undefined> {
    const found = pick(await this.resources(), test);
    if (found !== undefined || performance.now() - this.#readAt < refreshMsMin) return found;
    return pick(await this.resources(true), test);
  }

  /** Forgets what was read. */
  invalidate(): void {
    this.#resources = undefined;
  }
}

function pick(
  resources: readonly DiscoveredResource[],
  test: (resource: DiscoveredResource) => boolean,
): DiscoveredResource | undefined {
  const matches = resources.filter(test);
  return matches.find(({ preferred }) => preferred) ?? matches[0];
}

async function readResources(client: Client): Promise<DiscoveredResource[]> {
  const [core, groups] = await Promise.all(
    ["/api", "/apis"].map(async (path) => (await client.call({ method: "GET", path, accept })) as AggregatedList),
  );
  return [...resourcesOf(core), ...resourcesOf(groups)];
}

function resourcesOf(list: AggregatedList | undefined): DiscoveredResource[] {
  return (list?.items ?? []).flatMap(({ metadata, versions = [] }) =>
    versions.flatMap(({ version, resources = [] }, position) =>
      resources
        .filter(({ responseKind }) => responseKind !== undefined && responseKind.kind !== "")
        .map((resource) => discovered(metadata?.name ?? "", version, position === 0, resource)),
    ),
  );
}

function discovered(
  group: string,
  version: string,
  preferred: boolean,
  resource: AggregatedResource,
): DiscoveredResource {
  const subresources = (resource.subresources ?? []).map((sub) => [sub.subresource, sub.verbs ?? []] as const);
  return {
    group,
    version,
    kind: resource.responseKind?.kind ?? "",
    plural: resource.resource,
    scope: resource.scope,
    singular: resource.singularResource ?? "",
    shortNames: resource.shortNames ?? [],
    categories: resource.categories ?? [],
    verbs: resource.verbs ?? [],
    subresources: Object.fromEntries(subresources),
    preferred,
  };
}
