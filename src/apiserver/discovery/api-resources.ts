/** What discovery says of each resource and subresource of a group and version. Upstream: endpoints/installer.go. */
import { createHash } from "node:crypto";
import { allVerbs } from "#api/resource.ts";
import { localPriority, type Priority } from "#apiserver/aggregation/priorities.ts";
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";
import type { ApiResource, RemoteVersion } from "./api-resource.ts";

export interface ServedGroup {
  name: string;
  /** The preferred version first. */
  versions: string[];
}

/** All groups but the core one, by their priorities. */
export function servedGroups(
  catalogue: Catalogue,
  virtual: readonly VirtualResource[],
  others: readonly RemoteVersion[] = [],
): ServedGroup[] {
  const groups = new Map<string, Map<string, Priority>>();
  const add = (group: string, version: string, priority: Priority) => {
    const versions = groups.get(group) ?? new Map<string, Priority>();
    groups.set(group, versions.set(version, priority));
  };
  for (const { group, version } of [...catalogue.all(), ...virtual])
    if (group !== "") add(group, version, localPriority({ group, version }));
  for (const { group, version, groupPriority, versionPriority } of others)
    add(group, version, { group: groupPriority, version: versionPriority });
  const rank = (versions: ReadonlyMap<string, Priority>) =>
    Math.max(...[...versions.values()].map(({ group }) => group));
  return [...groups]
    .sort(([a, left], [b, right]) => rank(right) - rank(left) || (a < b ? -1 : 1))
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a, left], [b, right]) => right.version - left.version || byVersion(a, b))
        .map(([version]) => version),
    }));
}

/** Newest first: v2, v1, v2beta1, v1beta1, v1alpha1; names that are no versions last. Upstream: version.CompareKubeAwareVersionStrings. */
export function byVersion(a: string, b: string): number {
  const left = versionRank(a);
  const right = versionRank(b);
  for (const [index, rank] of left.entries()) if (rank !== right[index]) return right[index]! - rank;
  return a < b ? -1 : a > b ? 1 : 0;
}

function versionRank(version: string): number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [0, 0, 0];
  const stability = match[2] === undefined ? 3 : match[2] === "beta" ? 2 : 1;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}

/** The resources of a version, subresources among them, sorted by name. */
export function apiResources(
  catalogue: Catalogue,
  virtual: readonly VirtualResource[],
  group: string,
  version: string,
): ApiResource[] {
  const stored = catalogue.all().filter((one) => one.group === group && one.version === version);
  const others = virtual.filter((one) => one.group === group && one.version === version);
  const found = [...stored.flatMap(resourcesOf), ...others.map(virtualResource)];
  // A custom resource's subresources stay in the order in which they are made.
  return found.sort((a, b) => (sortName(a) < sortName(b) ? -1 : sortName(a) > sortName(b) ? 1 : 0));
}

const sortName = ({ name, isOwnKind }: ApiResource): string =>
  isOwnKind === true ? (name.split("/")[0] ?? name) : name;

function resourcesOf(served: ServedResource): ApiResource[] {
  const { definition, plural, kind, isNamespaced } = served;
  const { shortNames = [], categories = [], singular = kind.toLowerCase() } = definition;
  const main: ApiResource = {
    name: plural,
    singularName: singular,
    namespaced: isNamespaced,
    ...(served.custom === undefined ? {} : ownKind(served)),
    kind,
    verbs: definition.verbs === undefined ? servedVerbs(served) : [...definition.verbs].sort(),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    storageVersionHash: storageVersionHash(served),
  };
  return [main, ...subresourcesOf(served)];
}

const ownKind = ({ group, version }: { group: string; version: string }) => ({
  group,
  version,
  isOwnKind: true as const,
});

/** Custom resources list their verbs in another order, and fewer of them once their definition is being deleted. */
function servedVerbs({ custom }: ServedResource): readonly string[] {
  if (custom === undefined) return allVerbs;
  if (custom.isTerminating) return ["delete", "deletecollection", "get", "list", "watch"];
  return ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
}

const viewVerbs = ["get", "patch", "update"];

function subresourcesOf({
  definition,
  plural,
  kind,
  isNamespaced,
  custom,
  group,
  version,
}: ServedResource): ApiResource[] {
  const own = custom === undefined ? {} : ownKind({ group, version });
  const entry = (name: string, rest: { kind: string; group?: string; version?: string; verbs: readonly string[] }) => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced: isNamespaced,
    ...rest,
  });
  return [
    ...(definition.status === undefined ? [] : [entry("status", { ...own, kind, verbs: viewVerbs })]),
    ...(definition.scale === undefined
      ? []
      : [entry("scale", { group: "autoscaling", version: "v1", kind: "Scale", verbs: viewVerbs })]),
    ...Object.keys(definition.subresources ?? {}).map((name) => entry(name, { kind, verbs: viewVerbs })),
    ...Object.entries(definition.connects ?? {}).map(([name, connect]) => entry(name, connect)),
  ];
}

function virtualResource({
  plural,
  singular,
  kind,
  isNamespaced,
  verbs,
  shortNames = [],
}: VirtualResource): ApiResource {
  const names = shortNames.length === 0 ? {} : { shortNames };
  return { name: plural, singularName: singular, namespaced: isNamespaced, kind, verbs, ...names };
}

function storageVersionHash({ definition }: ServedResource): string {
  const { group, version, kind, storageVersion = `${group}/${version}` } = definition;
  return createHash("sha256").update(`${storageVersion}/${kind}`).digest().subarray(0, 8).toString("base64");
}
