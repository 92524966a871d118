/**
 * Gives claims their devices on a node: the first choice that satisfies every request, selector and constraint of all
 * claims, found by trying. Pure. Upstream: dynamic-resource-allocation/structured.
 */
import { qualifiedName } from "#api/devices/device-program.ts";
import type {
  ResourceV1ResourceClaim,
  V1AllocationResult,
  V1DeviceAllocationConfiguration,
  V1DeviceConstraint,
  V1DeviceRequest,
  V1DeviceRequestAllocationResult,
  V1DeviceSubRequest,
  V1DeviceToleration,
  V1ExactDeviceRequest,
  V1NodeSelector,
} from "#api/generated/types.ts";
import { parseQuantity } from "#api/quantity.ts";
import type { View } from "#client/view.ts";
import { deviceClassRef } from "#scheduler/kinds.ts";
import type { NodeInfo } from "#scheduler/node-info.ts";
import { PluginFailure } from "#scheduler/plugin.ts";
import { isTolerated, keepsAway } from "#scheduler/tolerations.ts";
import { addTaken, takenOf, type Taken } from "./capacity.ts";
import { selectsDevice } from "./device-selector.ts";
import { deviceId, type DevicePool, devicesFor, type PooledDevice } from "./pools.ts";

/** Steps of one search. Beyond this a node counts as having no room: a claim must not stall the scheduler. */
export const searchStepsMax = 100_000;

/** One request, or one alternative of it. */
interface Wish {
  claim: ResourceV1ResourceClaim;
  /** "r", or "r/alternative". */
  name: string;
  request: V1ExactDeviceRequest | V1DeviceSubRequest;
  expressions: readonly string[];
}

interface Choice {
  wish: Wish;
  device: PooledDevice;
  /** Of a device that others may have too. */
  share: Taken | undefined;
}

export interface DeviceSearch {
  node: NodeInfo;
  objects: View;
  pools: readonly DevicePool[];
  /** Ids of devices that other claims have. */
  taken: ReadonlySet<string>;
  /** Of devices that may be given to several claims what they have, by the device's id. */
  shares: ReadonlyMap<string, Taken>;
}

/** An allocation for each claim (a share's id is left for the writer to give), or undefined if the node has no fitting devices. Throws PluginFailure. */
export function allocateDevices(
  claims: readonly ResourceV1ResourceClaim[],
  search: DeviceSearch,
): V1AllocationResult[] | undefined {
  const choices = new Search(search).solve(claims);
  if (choices === undefined) return undefined;
  return claims.map((claim) =>
    resultOf(
      claim,
      choices.filter(({ wish }) => wish.claim === claim),
      search.objects,
    ),
  );
}

/** The device class that some request names and that does not exist, as upstream says it. */
export function missingClass(claim: ResourceV1ResourceClaim, objects: View): string | undefined {
  for (const request of claim.spec.devices?.requests ?? [])
    for (const { name, deviceClassName } of alternativesOf(request))
      if (objects.get(deviceClassRef, { name: deviceClassName }) === undefined)
        return `request ${name}: device class ${deviceClassName} does not exist`;
  return undefined;
}

function alternativesOf({ name, exactly, firstAvailable }: V1DeviceRequest) {
  if (exactly !== undefined) return [{ name, deviceClassName: exactly.deviceClassName, request: exactly }];
  return (firstAvailable ?? []).map((request) => ({
    name: `${name}/${request.name}`,
    deviceClassName: request.deviceClassName,
    request,
  }));
}

class Search {
  readonly #search: DeviceSearch;
  readonly #devices: readonly PooledDevice[];
  readonly #choices: Choice[] = [];
  readonly #used: Set<string>;
  readonly #shares: Map<string, Taken>;
  #steps = 0;

  constructor(search: DeviceSearch) {
    this.#search = search;
    this.#devices = search.pools.flatMap((pool) => devicesFor(pool, search.node));
    this.#used = new Set(search.taken);
    this.#shares = new Map(search.shares);
  }

  solve(claims: readonly ResourceV1ResourceClaim[]): Choice[] | undefined {
    const requests = claims.flatMap((claim) =>
      (claim.spec.devices?.requests ?? []).map((request) => ({ claim, request })),
    );
    return this.#request(requests, 0) ? this.#choices : undefined;
  }

  /** Serves the requests from this one on. */
  #request(requests: readonly { claim: ResourceV1ResourceClaim; request: V1DeviceRequest }[], at: number): boolean {
    const next = requests[at];
    if (next === undefined) return true;
    return alternativesOf(next.request).some(({ name, deviceClassName, request }) => {
      const selectors = [
        ...(this.#search.objects.get(deviceClassRef, { name: deviceClassName })?.spec.selectors ?? []),
        ...(request.selectors ?? []),
      ];
      const expressions = selectors.flatMap(({ cel }) => cel?.expression ?? []);
      const wish: Wish = { claim: next.claim, name, request, expressions };
      const rest = () => this.#request(requests, at + 1);
      return request.allocationMode === "All" ? this.#all(wish, rest) : this.#some(wish, 0, request.count ?? 1, rest);
    });
  }

  /** Picks `left` devices from this one on, then serves the rest. */
  #some(wish: Wish, from: number, left: number, rest: () => boolean): boolean {
    if (left === 0) return rest();
    for (let at = from; at < this.#devices.length; at++) {
      if (++this.#steps > searchStepsMax) return false;
      const device = this.#devices[at] as PooledDevice;
      if (!this.#fits(wish, device)) continue;
      const undo = this.#take(wish, device);
      if (this.#some(wish, at + 1, left - 1, rest)) return true;
      undo();
    }
    return false;
  }

  /** Every device that matches, and at least one. */
  #all(wish: Wish, rest: () => boolean): boolean {
    const { pools, node } = this.#search;
    const updating = pools.find((pool) => pool.isIncomplete && devicesFor(pool, node).length > 0);
    const { namespace, name } = wish.claim.metadata;
    if (updating !== undefined)
      throw new PluginFailure(
        `claim ${namespace}/${name}, request ${wish.name}: asks for all devices, but resource pool ` +
          `${updating.driver}/${updating.name} is currently being updated`,
      );
    const wanted = this.#devices.filter((device) => this.#isSelected(wish, device));
    const undos: (() => void)[] = [];
    const isServed =
      wanted.length > 0 &&
      wanted.every((device) => {
        if (!this.#fits(wish, device)) return false;
        undos.push(this.#take(wish, device));
        return true;
      }) &&
      rest();
    if (!isServed) for (const undo of undos.toReversed()) undo();
    return isServed;
  }

  #take(wish: Wish, device: PooledDevice): () => void {
    const id = idOf(device);
    const share = isAdmin(wish) ? undefined : this.#shareOf(wish, device);
    const isAlone = share === undefined && !isAdmin(wish);
    this.#choices.push({ wish, device, share });
    if (isAlone) this.#used.add(id);
    const before = this.#shares.get(id);
    if (share !== undefined) this.#shares.set(id, addTaken(before ?? {}, share));
    return () => {
      this.#choices.pop();
      if (isAlone) this.#used.delete(id);
      if (share === undefined) return;
      if (before === undefined) this.#shares.delete(id);
      else this.#shares.set(id, before);
    };
  }

  /** Undefined for a device that is given to one claim only. */
  #shareOf({ request }: Wish, pooled: PooledDevice): Taken | undefined {
    if (pooled.device.allowMultipleAllocations !== true) return undefined;
    return takenOf(pooled.device, request.capacity?.requests, this.#shares.get(idOf(pooled)));
  }

  #hasRoom(wish: Wish, pooled: PooledDevice): boolean {
    if (pooled.device.allowMultipleAllocations === true && !isAdmin(wish))
      return this.#shareOf(wish, pooled) !== undefined;
    const isFree = isAdmin(wish) || !this.#used.has(idOf(pooled));
    return isFree && takenOf(pooled.device, wish.request.capacity?.requests) !== undefined;
  }

  #fits(wish: Wish, device: PooledDevice): boolean {
    return (
      this.#hasRoom(wish, device) &&
      this.#isSelected(wish, device) &&
      isTolerable(device, wish.request.tolerations) &&
      this.#keepsConstraints(wish, device) &&
      this.#hasCounters(device)
    );
  }

  #isSelected({ expressions }: Wish, { driver, device }: PooledDevice): boolean {
    return expressions.every((expression) => selectsDevice(expression, driver, device));
  }

  #keepsConstraints(wish: Wish, device: PooledDevice): boolean {
    return (wish.claim.spec.devices?.constraints ?? []).every((constraint) => {
      if (!speaksOf(constraint, wish.name)) return true;
      const { matchAttribute, distinctAttribute } = constraint;
      const attribute = matchAttribute ?? distinctAttribute;
      if (attribute === undefined) return true;
      const own = attributeOf(device, attribute);
      if (own === undefined) return false;
      const others = this.#choices.filter(
        (choice) => choice.wish.claim === wish.claim && speaksOf(constraint, choice.wish.name),
      );
      return others.every(
        (choice) => (attributeOf(choice.device, attribute) === own) === (matchAttribute !== undefined),
      );
    });
  }

  /** What partitions of the same hardware use of its counters must not exceed them. */
  #hasCounters(wanted: PooledDevice): boolean {
    const consumption = wanted.device.consumesCounters ?? [];
    if (consumption.length === 0) return true;
    const pool = this.#search.pools.find(({ driver, name }) => driver === wanted.driver && name === wanted.pool);
    const inUse = (pool?.slices ?? [])
      .flatMap(({ spec }) => spec.devices ?? [])
      .filter(({ name }) => name !== wanted.device.name)
      .filter(({ name }) => {
        const id = deviceId({ driver: wanted.driver, pool: wanted.pool, device: name });
        return this.#used.has(id) || this.#shares.has(id);
      });
    return consumption.every(({ counterSet, counters }) =>
      Object.entries(counters).every(([counter, { value }]) => {
        const all = (pool?.slices ?? []).flatMap(({ spec }) => spec.sharedCounters ?? []);
        const total = all.find(({ name }) => name === counterSet)?.counters[counter]?.value;
        if (total === undefined) return false;
        const used = inUse.flatMap(({ consumesCounters = [] }) =>
          consumesCounters
            .filter((other) => other.counterSet === counterSet)
            .map((other) => parseQuantity(other.counters[counter]?.value ?? "0").nanos),
        );
        return used.reduce((sum, nanos) => sum + nanos, parseQuantity(value).nanos) <= parseQuantity(total).nanos;
      }),
    );
  }
}

const idOf = ({ driver, pool, device }: PooledDevice): string => deviceId({ driver, pool, device: device.name });
const isAdmin = ({ request }: Wish): boolean => "adminAccess" in request && request.adminAccess === true;

/** A constraint names requests, or requests with the alternative; without names it is about all. */
function speaksOf({ requests = [] }: V1DeviceConstraint, name: string): boolean {
  return requests.length === 0 || requests.includes(name) || requests.includes(name.split("/")[0] ?? "");
}

function attributeOf({ driver, device }: PooledDevice, attribute: string): string | undefined {
  for (const [name, value] of Object.entries(device.attributes ?? {})) {
    const { domain, id } = qualifiedName(name, driver);
    if (`${domain}/${id}` === attribute) return JSON.stringify(value);
  }
  return undefined;
}

function isTolerable({ device }: PooledDevice, tolerations: readonly V1DeviceToleration[] | undefined): boolean {
  return (device.taints ?? []).every((taint) => !keepsAway(taint) || isTolerated(taint, tolerations));
}

function resultOf(claim: ResourceV1ResourceClaim, choices: readonly Choice[], objects: View): V1AllocationResult {
  const results = choices.map(({ wish, device, share }): V1DeviceRequestAllocationResult => {
    const { tolerations } = wish.request;
    return {
      request: wish.name,
      driver: device.driver,
      pool: device.pool,
      device: device.device.name,
      ...(isAdmin(wish) ? { adminAccess: true } : {}),
      ...(tolerations === undefined ? {} : { tolerations }),
      ...(share === undefined ? {} : { shareID: "", consumedCapacity: share }),
    };
  });
  const config = configOf(claim, choices, objects);
  const nodeSelector = commonSelector(choices);
  return {
    devices: { results, ...(config.length === 0 ? {} : { config }) },
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  };
}

/** What classes say about their devices, then what the claim says. */
function configOf(
  claim: ResourceV1ResourceClaim,
  choices: readonly Choice[],
  objects: View,
): V1DeviceAllocationConfiguration[] {
  const wishes = new Map(choices.map(({ wish }) => [wish.name, wish]));
  const ofClasses = [...wishes].flatMap(([name, { request }]) =>
    (objects.get(deviceClassRef, { name: request.deviceClassName })?.spec.config ?? []).map((config) => ({
      source: "FromClass",
      requests: [name],
      ...config,
    })),
  );
  const ofClaim = (claim.spec.devices?.config ?? [])
    .filter(
      ({ requests = [] }) => requests.length === 0 || [...wishes.keys()].some((name) => speaksOf({ requests }, name)),
    )
    .map((config) => ({ source: "FromClaim", ...config }));
  return [...ofClasses, ...ofClaim];
}

/** Nodes that can use all the devices: one that is tied to a node decides, else all conditions at once. */
function commonSelector(choices: readonly Choice[]): V1NodeSelector | undefined {
  const selectors = choices.flatMap(({ device }) => device.nodeSelector ?? []);
  const tied = selectors.find(({ nodeSelectorTerms: [term] }) => term?.matchFields !== undefined);
  if (tied !== undefined || selectors.length <= 1) return tied ?? selectors[0];
  const matchExpressions = selectors.flatMap(({ nodeSelectorTerms: [term] }) => term?.matchExpressions ?? []);
  const unique = new Map(matchExpressions.map((expression) => [JSON.stringify(expression), expression]));
  return { nodeSelectorTerms: [{ matchExpressions: [...unique.values()] }] };
}
