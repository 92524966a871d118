/**
 * Puts endpoints into slices with as few writes as possible. Upstream: staging/src/k8s.io/endpointslice/reconciler.go.
 */
import { EndpointSlice } from "#api/discovery/endpoint-slice.ts";
import type { DiscoveryV1EndpointPort, V1Endpoint } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { controllerOf } from "#client/view.ts";
import { controllerReference } from "#reconcilers/ownership.ts";
import { create, remove, update, type AnyRef, type Change } from "#reconcilers/reconciler.ts";
import { canonical } from "#reconcilers/template-hash.ts";
import { goDigest } from "./pod-endpoints.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
/** Endpoints in one slice; upstream's default. */
export const sliceEndpointsMax = 100;

export interface EndpointGroup {
  ports: DiscoveryV1EndpointPort[];
  endpoints: V1Endpoint[];
}

export interface PackingOptions {
  owner: KubernetesObject;
  ownerRef: AnyRef;
  addressType: string;
  /** What every slice says beside its endpoints. */
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  /** Annotations that are set when a slice is written, but are no reason to write it. */
  notes: Readonly<Record<string, string>>;
  /** A service without endpoints still has one, empty slice. */
  placeholder: boolean;
}

/** The changes that make `existing` slices hold exactly these endpoints. */
export function packed(
  groups: readonly EndpointGroup[],
  existing: readonly EndpointSlice[],
  options: PackingOptions,
): Change[] {
  const wanted = new Map(groups.map((group) => [portsKey(group.ports), group]));
  const updates: EndpointSlice[] = [];
  const leftovers: EndpointSlice[] = [];
  const creates: EndpointGroup[] = [];
  let kept = 0;
  const byPorts = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = portsKey(slice.ports ?? []);
    if (wanted.has(key) && isOurs(slice, options)) byPorts.set(key, [...(byPorts.get(key) ?? []), slice]);
    else leftovers.push(slice);
  }
  for (const [key, group] of wanted) {
    const result = packGroup(group, byPorts.get(key) ?? [], options);
    updates.push(...result.updates);
    leftovers.push(...result.leftovers);
    creates.push(...result.creates);
    kept += result.kept;
  }
  if (options.placeholder && kept + updates.length + creates.length === 0) return keepPlaceholder(leftovers, options);
  return finished(updates, creates, leftovers, options);
}

function isOurs(slice: EndpointSlice, { owner, addressType }: PackingOptions): boolean {
  return slice.addressType === addressType && controllerOf(slice)?.uid === owner.metadata.uid;
}

/** Keeps what is right, takes out what is not wanted, puts what is missing where there is room. */
function packGroup({ ports, endpoints }: EndpointGroup, slices: readonly EndpointSlice[], options: PackingOptions) {
  const missing = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const states = slices.map((slice) => {
    const held: V1Endpoint[] = [];
    let changed = !hasFacts(slice, options);
    for (const endpoint of slice.endpoints ?? []) {
      const wished = missing.get(endpointKey(endpoint));
      if (wished === undefined) changed = true;
      else {
        if (canonical(wished) !== canonical(endpoint)) changed = true;
        missing.delete(endpointKey(endpoint));
        held.push(wished);
      }
    }
    return { slice, held, changed };
  });
  const waiting = [...missing.values()];
  // Slices that are written anyway are filled first, the fullest before others; then the fullest that has room for all.
  const written = states.filter(({ changed, held }) => changed && held.length > 0);
  for (const { held } of written.sort((a, b) => b.held.length - a.held.length)) fill(held, waiting);
  const creates: EndpointGroup[] = [];
  while (waiting.length >= sliceEndpointsMax) creates.push({ ports, endpoints: waiting.splice(0, sliceEndpointsMax) });
  if (waiting.length > 0) {
    const open = states
      .filter(({ held }) => held.length > 0 && held.length + waiting.length <= sliceEndpointsMax)
      .sort((a, b) => b.held.length - a.held.length)[0];
    if (open === undefined) creates.push({ ports, endpoints: waiting });
    else {
      fill(open.held, waiting);
      open.changed = true;
    }
  }
  const full = states.filter(({ held }) => held.length > 0);
  const updates = full.filter(({ changed }) => changed).map(({ slice, held }) => ({ ...slice, endpoints: held }));
  const leftovers = states.filter(({ held }) => held.length === 0).map(({ slice }) => slice);
  return { updates, leftovers, creates, kept: full.length - updates.length };
}

function fill(held: V1Endpoint[], waiting: V1Endpoint[]): void {
  held.push(...waiting.splice(0, sliceEndpointsMax - held.length));
}

/** An empty slice that is there already stays as it is. */
function keepPlaceholder(leftovers: readonly EndpointSlice[], options: PackingOptions): Change[] {
  const isEmpty = ({ endpoints, ports }: EndpointSlice): boolean =>
    (endpoints ?? []).length === 0 && (ports ?? []).length === 0;
  const placeholder = leftovers.find((slice) => isOurs(slice, options) && isEmpty(slice) && hasFacts(slice, options));
  const others = leftovers.filter((slice) => slice !== placeholder);
  return finished([], placeholder === undefined ? [{ ports: [], endpoints: [] }] : [], others, options);
}

/** A slice that would be deleted takes the content of one that would be created. */
function finished(
  updates: readonly EndpointSlice[],
  creates: readonly EndpointGroup[],
  leftovers: readonly EndpointSlice[],
  options: PackingOptions,
): Change[] {
  const reusable = leftovers.filter((slice) => isOurs(slice, options));
  const changes = updates.map((slice) => update(EndpointSlice, withFacts(slice, options)));
  const created: Change[] = [];
  for (const group of creates) {
    const reused = reusable.shift();
    if (reused === undefined) created.push(create(EndpointSlice, newSlice(group, options)));
    else changes.push(update(EndpointSlice, withFacts({ ...reused, ...content(group) }, options)));
  }
  const going = leftovers.filter((slice) => !isOurs(slice, options) || reusable.includes(slice));
  const deleted = going
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((slice) => remove(EndpointSlice, slice));
  return [...changes, ...created, ...deleted];
}

function content({ ports, endpoints }: EndpointGroup): Pick<EndpointSlice, "endpoints" | "ports"> {
  return { endpoints, ports };
}

function newSlice(group: EndpointGroup, options: PackingOptions): EndpointSlice {
  const { owner, ownerRef, addressType } = options;
  const { name, namespace } = owner.metadata;
  const slice: EndpointSlice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      namespace: namespace!,
      ownerReferences: [controllerReference(owner, ownerRef)],
    },
    addressType,
    ...content(group),
  };
  return withFacts(slice, options);
}

function withFacts(slice: EndpointSlice, { labels, annotations, notes }: PackingOptions): EndpointSlice {
  const all = { ...annotations, ...notes };
  const { annotations: _, ...metadata } = slice.metadata;
  const noted = Object.keys(all).length === 0 ? {} : { annotations: all };
  return { ...slice, metadata: { ...metadata, labels: { ...labels }, ...noted } };
}

function hasFacts({ metadata }: EndpointSlice, { labels, annotations, notes }: PackingOptions): boolean {
  const rest = Object.entries(metadata.annotations ?? {}).filter(([name]) => !(name in notes));
  return (
    canonical(metadata.labels ?? {}) === canonical(labels) &&
    canonical(Object.fromEntries(rest)) === canonical(annotations)
  );
}

/** Ports in upstream's order. */
export function sortedPorts(ports: readonly DiscoveryV1EndpointPort[]): DiscoveryV1EndpointPort[] {
  const digest = ({ name, protocol, port, appProtocol }: DiscoveryV1EndpointPort): string =>
    goDigest("v1.EndpointPort", [
      ["Name", "*string", name],
      ["Protocol", "*v1.Protocol", protocol],
      ["Port", "*int32", port],
      ["AppProtocol", "*string", appProtocol],
    ]);
  const digests = new Map(ports.map((port) => [port, digest(port)]));
  return [...ports].sort((a, b) => (digests.get(a)! < digests.get(b)! ? -1 : 1));
}

const portsKey = (ports: readonly DiscoveryV1EndpointPort[]): string => ports.map(canonical).sort().join("\n");

/** Two endpoints with one address and one target are the same endpoint. */
function endpointKey({ addresses, targetRef }: V1Endpoint): string {
  return [targetRef?.kind, targetRef?.namespace, targetRef?.name, targetRef?.uid, ...[...addresses].sort()].join("\0");
}
