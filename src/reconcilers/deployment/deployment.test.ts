import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Deployment } from "#api/apps/deployment.ts";
import { ReplicaSet } from "#api/apps/replica-set.ts";
import { Pod } from "#api/core/pod.ts";
import { Client } from "#client/client.ts";
import { replicaSetReconciler } from "#reconcilers/replica-set.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { settle, step } from "#test/support/settle.ts";
import { deploymentReconciler } from "./deployment.ts";
import { maxSurge, maxUnavailable } from "./replica-counts.ts";
import { nextRevision } from "./revision.ts";

const now = Date.parse("2024-06-01T00:00:00Z");
const both = [deploymentReconciler, replicaSetReconciler] as never[];

type Strategy = NonNullable<NonNullable<Deployment["spec"]>["strategy"]>;
const rolling = (surge: number | string, unavailable: number | string): Strategy => ({
  type: "RollingUpdate",
  rollingUpdate: { maxSurge: surge as never, maxUnavailable: unavailable as never },
});

function deployment(replicas: number, strategy: Strategy, version = "one"): Deployment {
  return {
    metadata: { name: "web", namespace: "a" },
    spec: {
      replicas,
      strategy,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 2,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web", version } }, spec: { containers: [] } },
    },
  };
}

const pods = (api: MemoryApi) => api.objects("/pods/") as unknown as Pod[];
const sizes = (api: MemoryApi) =>
  (api.objects("/replicasets/") as unknown as ReplicaSet[])
    .sort((a, b) =>
      a.metadata.annotations!["deployment.kubernetes.io/revision"]!.localeCompare(
        b.metadata.annotations!["deployment.kubernetes.io/revision"]!,
      ),
    )
    .map(({ spec }) => spec?.replicas);
const live = (api: MemoryApi) => api.objects("/deployments/")[0] as unknown as Deployment;
const conditions = (api: MemoryApi) =>
  (live(api).status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);

async function makeReady(api: MemoryApi): Promise<void> {
  const ready = [{ type: "Ready", status: "True", lastTransitionTime: "2024-01-01T00:00:00Z" }];
  for (const pod of pods(api))
    await new Client(api).updateStatus(Pod, { ...pod, status: { phase: "Running", conditions: ready } });
}

async function deployed(replicas: number, strategy: Strategy): Promise<{ api: MemoryApi; client: Client }> {
  const api = new MemoryApi();
  const client = new Client(api);
  await client.create(Deployment, deployment(replicas, strategy));
  await settle(api, both, now);
  await makeReady(api);
  await settle(api, both, now);
  return { api, client };
}

const changeTo = (client: Client, spec: unknown) =>
  client.patch(Deployment, { namespace: "a", name: "web" }, "merge", { spec });
const version = (name: string) => ({ template: { metadata: { labels: { version: name } } } });

describe("deployment", () => {
  test.each([
    ["0", "one", 'DeploymentRollback: Rolled back deployment "web" to revision 1'],
    ["1", "one", 'DeploymentRollback: Rolled back deployment "web" to revision 1'],
    ["2", "two", "DeploymentRollbackTemplateUnchanged: The rollback revision contains the same template"],
    ["7", "two", "DeploymentRollbackRevisionNotFound: Unable to find the revision to rollback to."],
  ])("asked for revision %s by its annotation it has template %s, and says so once", async (revision, wished, said) => {
    const { api, client } = await deployed(1, rolling(1, 0));
    await changeTo(client, version("two"));
    await settle(api, both, now);
    const annotations = { "deprecated.deployment.rollback.to": revision };
    await client.patch(Deployment, { namespace: "a", name: "web" }, "merge", { metadata: { annotations } });
    const { events } = await settle(api, both, now);
    expect(live(api).spec?.template.metadata?.labels?.["version"]).toBe(wished);
    expect(live(api).spec?.template.metadata?.labels).not.toHaveProperty("pod-template-hash");
    expect(live(api).metadata.annotations).not.toHaveProperty("deprecated.deployment.rollback.to");
    const rollbacks = events.filter((event) => event.startsWith("DeploymentRollback"));
    expect(rollbacks).toEqual([expect.stringContaining(said)]);
  });

  test("creates one replica set and reports it complete once its pods are available", async () => {
    const { api } = await deployed(3, rolling("25%", "25%"));
    expect(sizes(api)).toEqual([3]);
    expect(conditions(api)).toEqual([
      "Available=True MinimumReplicasAvailable",
      "Progressing=True NewReplicaSetAvailable",
    ]);
    expect(live(api).metadata.annotations).toMatchObject({ "deployment.kubernetes.io/revision": "1" });
  });

  test("counts revisions on from an adopted one, in 64 bits", () => {
    const old: ReplicaSet = {
      metadata: { annotations: { "deployment.kubernetes.io/revision": "3546343826724305832" } },
    };
    expect(nextRevision([old as unknown as ReplicaSet])).toBe(3546343826724305833n);
  });

  const firstSteps: readonly [
    replicas: number,
    surge: number | string,
    unavailable: number | string,
    sizes: number[],
  ][] = [
    [4, "25%", "25%", [3, 2]],
    [3, 0, 1, [2, 1]],
    [3, 1, 0, [3, 1]],
    [2, "100%", 0, [2, 2]],
    [2, 0, "100%", [0, 2]],
    [1, "25%", "25%", [1, 1]],
    [10, "25%", "25%", [8, 5]],
  ];
  test.each(firstSteps)(
    "%i replicas, surge %s, unavailable %s: a change stops at %j until pods are ready",
    async (...row) => {
      const [replicas, surge, unavailable, wanted] = row;
      const { api, client } = await deployed(replicas, rolling(surge, unavailable));
      await changeTo(client, version("two"));
      await settle(api, both, now);
      expect(sizes(api)).toEqual(wanted);
    },
  );

  test("scaling during a rollout keeps the shares of both replica sets", async () => {
    const { api, client } = await deployed(5, rolling(2, 1));
    await changeTo(client, version("two"));
    await settle(api, both, now);
    expect(sizes(api)).toEqual([4, 3]);
    await changeTo(client, { replicas: 10 });
    await settle(api, both, now);
    expect(sizes(api)).toEqual([7, 5]);
  });

  test("scaling down does not count on pods that are about to go", async () => {
    const { api, client } = await deployed(6, rolling(3, 0));
    await changeTo(client, version("two"));
    await settle(api, both, now);
    expect(sizes(api)).toEqual([6, 3]);
    await changeTo(client, { replicas: 3 });
    // The replica sets have not been looked at yet: what they report is old.
    await settle(api, [deploymentReconciler] as never[], now);
    expect(sizes(api)[0]).toBeGreaterThanOrEqual(3);
    await settle(api, both, now);
    expect(sizes(api)).toEqual([3, 3]);
  });

  test("Recreate has no new pod before the last old one is gone", async () => {
    const { api, client } = await deployed(3, { type: "Recreate" });
    await changeTo(client, version("two"));
    for (let busy = true; busy; busy = await step(api, both, now)) {
      const versions = new Set(pods(api).map(({ metadata }) => metadata.labels?.["version"]));
      expect(versions.size).toBeLessThanOrEqual(1);
    }
    expect(pods(api).every(({ metadata }) => metadata.labels?.["version"] === "two")).toBe(true);
  });

  test("going back to an old template makes its replica set the newest revision", async () => {
    const { api, client } = await deployed(1, rolling(1, 0));
    for (const name of ["two", "one"]) {
      await changeTo(client, version(name));
      await settle(api, both, now);
      await makeReady(api);
      await settle(api, both, now);
    }
    expect(live(api).metadata.annotations).toMatchObject({ "deployment.kubernetes.io/revision": "3" });
    expect(sizes(api)).toEqual([0, 1]);
  });

  test("old replica sets beyond the history limit go", async () => {
    const { api, client } = await deployed(0, rolling(1, 0));
    for (const name of ["two", "three", "four", "five"]) {
      await changeTo(client, version(name));
      await settle(api, both, now);
    }
    expect(sizes(api)).toHaveLength(3);
  });

  test("a rollout without progress fails its deadline", async () => {
    const { api, client } = await deployed(1, rolling(1, 0));
    await changeTo(client, version("two"));
    await settle(api, both, now);
    await settle(api, both, now + 601_000);
    expect(conditions(api)).toContain("Progressing=False ProgressDeadlineExceeded");
  });

  test("a paused deployment changes nothing but its size", async () => {
    const { api, client } = await deployed(2, rolling(1, 0));
    await changeTo(client, { paused: true, replicas: 4, ...version("two") });
    await settle(api, both, now);
    expect(sizes(api)).toEqual([4]);
    expect(conditions(api)).toContain("Progressing=Unknown DeploymentPaused");
  });

  test("a rolling update never has too many pods, nor too few available ones, and it ends", async () => {
    const amount = fc.oneof(fc.nat(3), fc.constantFrom("10%", "50%", "100%"));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), amount, amount, async (replicas, surge, unavailable) => {
        const { api, client } = await deployed(replicas, rolling(surge, unavailable));
        const object = deployment(replicas, rolling(surge, unavailable));
        const most = replicas + maxSurge(object);
        const least = replicas - maxUnavailable(object);
        await changeTo(client, version("two"));
        for (let round = 0; round < 20; round += 1) {
          for (let busy = true; busy; busy = await step(api, both, now)) {
            expect(pods(api).length).toBeLessThanOrEqual(most);
            const available = pods(api).filter(({ status }) => status?.conditions !== undefined);
            expect(available.length).toBeGreaterThanOrEqual(Math.min(least, replicas));
          }
          await makeReady(api);
        }
        await settle(api, both, now);
        expect(sizes(api)).toEqual([0, replicas]);
      }),
      { numRuns: 15 },
    );
  });
});
