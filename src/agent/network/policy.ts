/** Enforces NetworkPolicies on this node's pods: follows them, pods and namespaces, and keeps our table equal to the plan. */
import type { V1Namespace, V1NetworkPolicy, V1Pod } from "#api/generated/types.ts";
import type { Logger } from "#lib/log.ts";
import type { Family } from "./address.ts";
import { runCommand, type RunCommand } from "./command.ts";
import { changeScript, diffContents, presentChains, replaceScript, runNft, type TableContents } from "./nftables.ts";
import type { ObjectSource } from "./object-source.ts";
import { planPolicies, policyLayout } from "./policy-plan.ts";
import { startSyncLoop } from "./sync-loop.ts";

export interface PolicyOptions {
  readonly nodeName: string;
  readonly families: readonly Family[];
  readonly networkPolicies: ObjectSource<V1NetworkPolicy>;
  readonly namespaces: ObjectSource<V1Namespace>;
  /** The pods of the whole cluster; asked for only once there is a policy. */
  readonly allPods: () => ObjectSource<V1Pod>;
  readonly log: Logger;
  readonly run?: RunCommand;
}

export interface RunningPolicies {
  /** Resolves when all that was seen so far is in the kernel. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const noContents: TableContents = { chains: new Map(), elements: new Map() };

export async function startPolicies(options: PolicyOptions, signal?: AbortSignal): Promise<RunningPolicies> {
  const { networkPolicies, namespaces, families, nodeName, log, run = runCommand } = options;
  await Promise.all([networkPolicies.synced(signal), namespaces.synced(signal)]);
  const stops: (() => void)[] = [];
  const have = new Map<Family, TableContents>();
  let pods: ObjectSource<V1Pod> | undefined;

  /** Pods are watched from the first policy on. */
  const podsNow = async (): Promise<readonly V1Pod[]> => {
    if (pods === undefined && networkPolicies.list().length === 0) return [];
    if (pods === undefined) {
      pods = options.allPods();
      await pods.synced(signal);
      stops.push(
        pods.onChange(({ type, object, old }) => {
          if (type !== "modified" || podText(object) !== podText(old)) loop.request();
        }),
      );
    }
    return pods.list();
  };
  const sync = async (full: boolean): Promise<void> => {
    const known = await podsNow();
    const input = { policies: networkPolicies.list(), pods: known, namespaces: namespaces.list(), nodeName };
    for (const family of families) {
      const layout = policyLayout(family);
      const want = planPolicies(family, input);
      const script = full
        ? replaceScript(layout, want)
        : changeScript(layout, diffContents(have.get(family) ?? noContents, want));
      await runNft(script, run);
      have.set(family, want);
    }
  };
  const check = async (): Promise<boolean> => {
    for (const family of families) if ((await presentChains(policyLayout(family), run)) === undefined) return false;
    return true;
  };
  const loop = startSyncLoop({ sync, check, log });
  stops.push(
    networkPolicies.onChange(() => loop.request()),
    namespaces.onChange(({ type, object, old }) => {
      if (type !== "modified" || labelText(object) !== labelText(old)) loop.request();
    }),
  );
  loop.request();
  return {
    settled: async () => await loop.settled(),
    async stop() {
      for (const stop of stops) stop();
      await loop.stop();
    },
  };
}

/** The part of a pod that plans depend on; "" for one that is not there. */
function podText(pod: V1Pod | undefined): string {
  if (pod === undefined) return "";
  const { metadata, spec, status } = pod;
  const isOver = status?.phase === "Succeeded" || status?.phase === "Failed";
  return JSON.stringify([
    metadata.labels,
    metadata.deletionTimestamp,
    spec?.nodeName,
    status?.podIPs,
    status?.podIP,
    isOver,
  ]);
}

function labelText(namespace: V1Namespace | undefined): string {
  return namespace === undefined ? "" : JSON.stringify(namespace.metadata.labels ?? {});
}
