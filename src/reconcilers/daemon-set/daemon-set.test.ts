import { describe, expect, test } from "vitest";
import { Node } from "#api/core/node.ts";
import { Pod } from "#api/core/pod.ts";
import type { V1PodSpec } from "#api/generated/types.ts";
import { Client } from "#client/client.ts";
import { DaemonSet } from "#reconcilers/kinds.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { settle } from "#test/support/settle.ts";
import { daemonSetReconciler } from "./daemon-set.ts";
import { fitOf } from "./node-fit.ts";

const now = Date.parse("2024-06-01T00:00:00Z");
const all = [daemonSetReconciler] as never[];
const pods = (api: MemoryApi) => api.objects("/pods/") as unknown as Pod[];

async function world(nodes: readonly string[], spec: Partial<DaemonSet["spec"]> = {}): Promise<MemoryApi> {
  const api = new MemoryApi();
  const client = new Client(api);
  for (const name of nodes) await client.create(Node, { metadata: { name } });
  await client.create(DaemonSet, {
    metadata: { name: "agent", namespace: "a" },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: { metadata: { labels: { app: "agent" } }, spec: { containers: [] } },
      ...spec,
    },
  });
  await settle(api, all, now);
  return api;
}

/** Does what a scheduler and a kubelet would do. */
async function run(api: MemoryApi): Promise<void> {
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2024-01-01T00:00:00Z" }];
  for (const pod of pods(api)) {
    const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    const nodeName = terms?.[0]?.matchFields?.[0]?.values?.[0];
    const bound = await new Client(api).update(Pod, { ...pod, spec: { ...pod.spec!, nodeName: nodeName! } });
    await new Client(api).updateStatus(Pod, { ...bound, status: { phase: "Running", conditions } });
  }
  await settle(api, all, now);
}

const nodesOf = (api: MemoryApi) =>
  pods(api)
    .map(({ spec }) => spec?.nodeName)
    .sort();

describe("daemonset", () => {
  test("has one pod on each node, also on one that comes later", async () => {
    const api = await world(["one", "two"]);
    await run(api);
    expect(nodesOf(api)).toEqual(["one", "two"]);
    await new Client(api).create(Node, { metadata: { name: "three" } });
    await settle(api, all, now);
    await run(api);
    expect(nodesOf(api)).toEqual(["one", "three", "two"]);
  });

  test("leaves nodes that a changed template no longer fits", async () => {
    const api = await world(["one", "two"]);
    await run(api);
    await new Client(api).patch(Node, { name: "one" }, "merge", { metadata: { labels: { keep: "yes" } } });
    const spec = { template: { spec: { nodeSelector: { keep: "yes" } } } };
    await new Client(api).patch(DaemonSet, { namespace: "a", name: "agent" }, "merge", { spec });
    for (let round = 0; round < 4; round += 1) {
      await settle(api, all, now);
      await run(api);
    }
    expect(nodesOf(api)).toEqual(["one"]);
  });

  test("an update makes no more pods unavailable at once than it may", async () => {
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } };
    const api = await world(["one", "two", "three"], { updateStrategy });
    await run(api);
    const spec = { template: { metadata: { labels: { version: "two" } } } };
    await new Client(api).patch(DaemonSet, { namespace: "a", name: "agent" }, "merge", { spec });
    for (let updated = 1; updated <= 3; updated += 1) {
      await settle(api, all, now);
      expect(pods(api).filter(({ metadata }) => metadata.labels?.["version"] === "two")).toHaveLength(updated);
      await run(api);
    }
  });

  test("an update counts old pods that serve nobody as unavailable", async () => {
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } };
    const api = await world(["one", "two", "three"], { updateStrategy });
    await run(api);
    const [sick] = pods(api);
    await new Client(api).updateStatus(Pod, { ...sick!, status: { phase: "Running", conditions: [] } });
    const spec = { template: { metadata: { labels: { version: "two" } } } };
    await new Client(api).patch(DaemonSet, { namespace: "a", name: "agent" }, "merge", { spec });
    await settle(api, all, now);
    const old = pods(api).filter(({ metadata }) => metadata.labels?.["version"] === undefined);
    expect(old.map(({ metadata }) => metadata.uid)).toEqual(expect.not.arrayContaining([sick!.metadata.uid]));
    expect(old).toHaveLength(2);
  });

  test("an update that surges has the new pod available before the old one goes", async () => {
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    const api = await world(["one", "two"], { updateStrategy });
    await run(api);
    const spec = { template: { metadata: { labels: { version: "two" } } } };
    await new Client(api).patch(DaemonSet, { namespace: "a", name: "agent" }, "merge", { spec });
    const counts = () => [
      pods(api).length,
      pods(api).filter((pod) => pod.metadata.labels?.["version"] === "two").length,
    ];
    const seen: number[][] = [];
    for (let round = 0; round < 3; round += 1) {
      await settle(api, all, now);
      seen.push(counts());
      await run(api);
    }
    expect(seen).toEqual([
      [3, 1],
      [3, 2],
      [2, 2],
    ]);
  });

  test("an update that surges joins pods that serve nobody at once", async () => {
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    const api = await world(["one", "two", "three"], { updateStrategy });
    const spec = { template: { metadata: { labels: { version: "two" } } } };
    await new Client(api).patch(DaemonSet, { namespace: "a", name: "agent" }, "merge", { spec });
    await settle(api, all, now);
    // Old ones that were never ready have nothing to be kept for once they are joined.
    expect(pods(api).map(({ metadata }) => metadata.labels?.["version"])).toEqual(["two", "two", "two"]);
  });

  const taint = (key: string, effect: string) => ({ key, effect });
  const table: readonly [
    claim: string,
    spec: Partial<V1PodSpec>,
    taints: ReturnType<typeof taint>[],
    fits: [boolean, boolean],
  ][] = [
    ["fits a plain node", {}, [], [true, true]],
    ["stays on a node that keeps new pods away", {}, [taint("own", "NoSchedule")], [false, true]],
    ["leaves a node that evicts", {}, [taint("own", "NoExecute")], [false, false]],
    ["bears with nodes in trouble", {}, [taint("node.kubernetes.io/not-ready", "NoExecute")], [true, true]],
    ["bears with an unschedulable node", {}, [taint("node.kubernetes.io/unschedulable", "NoSchedule")], [true, true]],
    [
      "needs a network unless it uses the host's",
      {},
      [taint("node.kubernetes.io/network-unavailable", "NoSchedule")],
      [false, true],
    ],
    ["tolerates what it says", { tolerations: [{ operator: "Exists" }] }, [taint("own", "NoExecute")], [true, true]],
    ["is not for nodes without its labels", { nodeSelector: { a: "b" } }, [], [false, false]],
  ];
  test.each(table)("a daemon %s", (_, spec, taints, [shouldRun, mayStay]) => {
    const node: Node = { metadata: { name: "one" }, spec: { taints } };
    expect(fitOf({ containers: [], ...spec }, node)).toEqual({ shouldRun, mayStay });
  });
});
