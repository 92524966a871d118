/** The devices that drivers publish, pool by pool, as far as a node can use them. Upstream: structured/pools.go. */
import type { V1Device, V1NodeSelector, V1ResourceSlice } from "#api/generated/types.ts";
import type { View } from "#client/view.ts";
import { resourceSliceRef } from "#scheduler/kinds.ts";
import type { NodeInfo } from "#scheduler/node-info.ts";
import { nodeSelectorMatcher } from "#scheduler/node-selector.ts";

export interface PooledDevice {
  driver: string;
  pool: string;
  device: V1Device;
  /** Which nodes can use it, where that is not all. */
  nodeSelector: V1NodeSelector | undefined;
}

export interface DevicePool {
  driver: string;
  name: string;
  /** Some of its slices are not there yet. */
  isIncomplete: boolean;
  slices: readonly V1ResourceSlice[];
}

export const deviceId = ({ driver, pool, device }: { driver: string; pool: string; device: string }): string =>
  `${driver}/${pool}/${device}`;

/** Pools with the slices of their newest generation, in a settled order. */
export function devicePools(objects: View): DevicePool[] {
  const pools = Map.groupBy(objects.list(resourceSliceRef), ({ spec }) => `${spec.driver}/${spec.pool.name}`);
  return [...pools]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, slices]) => {
      const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation));
      const current = slices
        .filter(({ spec }) => spec.pool.generation === newest)
        .toSorted((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
      const { driver = "", pool } = current[0]?.spec ?? {};
      return {
        driver,
        name: pool?.name ?? "",
        isIncomplete: current.length !== pool?.resourceSliceCount,
        slices: current,
      };
    });
}

/** The devices of a pool that the node can use. */
export function devicesFor(pool: DevicePool, node: NodeInfo): PooledDevice[] {
  return pool.slices.flatMap(({ spec }) =>
    (spec.devices ?? []).flatMap((device) => {
      const place = spec.perDeviceNodeSelection === true ? device : spec;
      if (!isUsable(place, node)) return [];
      return { driver: pool.driver, pool: pool.name, device, nodeSelector: selectorOf(place) };
    }),
  );
}

interface Place {
  nodeName?: string;
  nodeSelector?: V1NodeSelector;
  allNodes?: boolean;
}

function isUsable({ nodeName, nodeSelector, allNodes }: Place, node: NodeInfo): boolean {
  if (nodeName !== undefined && nodeName !== "") return nodeName === node.name;
  if (allNodes === true) return true;
  return nodeSelector !== undefined && nodeSelectorMatcher(nodeSelector)(node);
}

function selectorOf({ nodeName, nodeSelector }: Place): V1NodeSelector | undefined {
  if (nodeName === undefined || nodeName === "") return nodeSelector;
  return {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] }],
  };
}
