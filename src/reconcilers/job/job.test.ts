import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pod } from "#api/core/pod.ts";
import { Client } from "#client/client.ts";
import { Job } from "#reconcilers/kinds.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { settle } from "#test/support/settle.ts";
import { formatIndexes, indexOf, parseIndexes } from "./indexes.ts";
import { failureCountAnnotation, isTracked } from "./job-pod.ts";
import { jobReconciler } from "./job.ts";
import { judgeFailure, nextTryAt } from "./pod-failures.ts";

const start = Date.parse("2024-06-01T00:00:00Z");
const all = [jobReconciler] as never[];
const pods = (api: MemoryApi) => api.objects("/pods/") as unknown as Pod[];
const live = (api: MemoryApi) => api.objects("/jobs/")[0] as unknown as Job;
const conditions = (api: MemoryApi) =>
  (live(api).status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`);
const open = (api: MemoryApi) => pods(api).filter(({ status }) => status === undefined);

const failJob = { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [1] } }] };

async function made(spec: Partial<Job["spec"]>): Promise<MemoryApi> {
  const api = new MemoryApi();
  await new Client(api).create(Job, {
    metadata: { name: "task", namespace: "a" },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 2,
      selector: { matchLabels: { job: "task" } },
      template: { metadata: { labels: { job: "task" } }, spec: { containers: [], restartPolicy: "Never" } },
      ...spec,
    },
  });
  await settle(api, all, start);
  return api;
}

async function end(api: MemoryApi, pod: Pod, phase: "Succeeded" | "Failed", now = start): Promise<void> {
  const finishedAt = new Date(now).toISOString();
  const exitCode = phase === "Failed" ? 1 : 0;
  const state = { terminated: { exitCode, finishedAt } };
  const containerStatuses = [{ name: "main", state, image: "", imageID: "", ready: false, restartCount: 0 }];
  await new Client(api).updateStatus(Pod, { ...pod, status: { phase, containerStatuses } });
  await settle(api, all, now);
}

describe("job", () => {
  test("completes when enough pods have succeeded, and lets them go", async () => {
    const api = await made({ completions: 2, parallelism: 2 });
    for (const pod of open(api)) await end(api, pod, "Succeeded");
    expect(live(api).status).toMatchObject({ succeeded: 2, uncountedTerminatedPods: {} });
    expect(conditions(api)).toEqual(["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"]);
    expect(pods(api).some(isTracked)).toBe(false);
  });

  test("tries again after a pause that doubles, and gives up at the limit", async () => {
    const api = await made({ backoffLimit: 1 });
    await end(api, open(api)[0]!, "Failed");
    expect(open(api)).toHaveLength(0);
    await settle(api, all, start + 10_000);
    expect(open(api)).toHaveLength(1);
    await end(api, open(api)[0]!, "Failed", start + 20_000);
    expect(conditions(api)).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
  });

  test.each([
    ["a rule that fails it", { podReplacementPolicy: "Failed", podFailurePolicy: failJob }, "PodFailurePolicy"],
    ["its limit", { podReplacementPolicy: "Failed", backoffLimit: 0 }, "BackoffLimitExceeded"],
  ])("by %s a job stops its other pods and counts them as failed, however they end", async (_, spec, reason) => {
    const api = await made({ completions: 3, parallelism: 3, ...spec });
    await end(api, open(api)[0]!, "Failed");
    expect(open(api)).toEqual([]);
    expect(live(api).status?.failed).toBe(3);
    expect(conditions(api)).toEqual([`FailureTarget ${reason}`, `Failed ${reason}`]);
  });

  test("a job without any time makes no pod", async () => {
    const api = await made({ activeDeadlineSeconds: 0 });
    expect(pods(api)).toEqual([]);
    expect(conditions(api)).toEqual(["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
  });

  test("a job that is being deleted holds no pod", async () => {
    const api = await made({ podReplacementPolicy: "Failed" });
    const { uid } = live(api).metadata;
    await new Client(api).patch(Job, { namespace: "a", name: "task" }, "merge", {
      metadata: { uid, finalizers: ["x"] },
    });
    await new Client(api).delete(Job, { namespace: "a", name: "task" });
    await settle(api, all, start);
    expect(pods(api).some(isTracked)).toBe(false);
  });

  test("a rule names the first of the pod's conditions that it looks for", () => {
    const condition = (type: string) => ({ type, status: "True" });
    const onPodConditions = [condition("First"), condition("Second")];
    const spec = { podFailurePolicy: { rules: [{ action: "FailJob", onPodConditions }] } } as Job["spec"];
    const pod: Pod = {
      metadata: { name: "p", namespace: "a" },
      status: { phase: "Failed", conditions: [condition("Second"), condition("First")] },
    };
    expect(judgeFailure({ metadata: { name: "task" }, spec }, pod)).toEqual({
      action: "FailJob",
      message: "Pod a/p has condition Second matching FailJob rule at index 0",
    });
  });

  test("a suspended job has no pods and has not failed", async () => {
    const api = await made({ parallelism: 2, completions: 2 });
    await new Client(api).patch(Job, { namespace: "a", name: "task" }, "merge", { spec: { suspend: true } });
    await settle(api, all, start);
    expect(pods(api)).toHaveLength(0);
    expect(live(api).status?.failed).toBeUndefined();
    expect(conditions(api)).toEqual(["Suspended JobSuspended"]);
  });

  test("an indexed job runs each index until it has succeeded", async () => {
    const api = await made({ completions: 3, parallelism: 2, completionMode: "Indexed" });
    const ran: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const pod = open(api)[0]!;
      ran.push(pod.metadata.annotations!["batch.kubernetes.io/job-completion-index"]!);
      await end(api, pod, "Succeeded");
    }
    expect(ran.sort()).toEqual(["0", "1", "2"]);
    expect(live(api).status).toMatchObject({ completedIndexes: "0-2", succeeded: 3 });
  });

  test("a pod failure policy can end the job at once, or count nothing", async () => {
    const onExitCodes = { operator: "In", values: [1] };
    const failing = await made({ podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes }] } });
    await end(failing, open(failing)[0]!, "Failed");
    expect(conditions(failing)).toEqual(["FailureTarget PodFailurePolicy", "Failed PodFailurePolicy"]);
    const ignoring = await made({ backoffLimit: 0, podFailurePolicy: { rules: [{ action: "Ignore", onExitCodes }] } });
    await end(ignoring, open(ignoring)[0]!, "Failed");
    expect(conditions(ignoring)).toEqual([]);
  });

  test("every pod is counted exactly once, whatever becomes of it", async () => {
    const fates = fc.array(fc.constantFrom("Succeeded", "Failed"), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fates, fc.integer({ min: 1, max: 3 }), async (ends, parallelism) => {
        const api = await made({ completions: 5, parallelism, backoffLimit: 100 });
        let now = start;
        const counts = { Succeeded: 0, Failed: 0 };
        for (const phase of ends) {
          now += 1_000_000;
          await settle(api, all, now);
          const pod = open(api)[0];
          if (pod === undefined) break;
          counts[phase] += 1;
          await end(api, pod, phase, now);
          expect(live(api).status?.succeeded ?? 0).toBe(counts.Succeeded);
          expect(live(api).status?.failed ?? 0).toBe(counts.Failed);
        }
      }),
      { numRuns: 15 },
    );
  });

  test("each index has a pause of its own, and its last failed pod is held until the next one has its count", async () => {
    const indexed = { completionMode: "Indexed", completions: 2, parallelism: 2, backoffLimitPerIndex: 2 };
    const api = await made({ ...indexed, backoffLimit: undefined });
    const ofIndex = (index: number) => open(api).filter((pod) => indexOf(pod) === index);
    await end(api, ofIndex(0)[0]!, "Failed");
    expect(pods(api).filter(isTracked)).toHaveLength(2);
    expect(live(api).status?.failed).toBeUndefined();
    await settle(api, all, start + 10_000);
    expect(ofIndex(0)[0]!.metadata.annotations?.[failureCountAnnotation]).toBe("1");
    expect(live(api).status?.failed).toBe(1);
    await end(api, ofIndex(0)[0]!, "Failed", start + 10_000);
    await settle(api, all, start + 29_000);
    expect(ofIndex(0)).toHaveLength(0);
    await settle(api, all, start + 30_000);
    expect(ofIndex(0)[0]!.metadata.annotations?.[failureCountAnnotation]).toBe("2");
    await end(api, ofIndex(0)[0]!, "Failed", start + 30_000);
    expect(live(api).status).toMatchObject({ failed: 3, failedIndexes: "0" });
  });

  test.each([
    [0, 1],
    [2, 2],
  ])("with a limit of %i the job fails when its containers were started again %i times", async (limit, restarts) => {
    const template = { metadata: { labels: { job: "task" } }, spec: { containers: [], restartPolicy: "OnFailure" } };
    const api = await made({ backoffLimit: limit, template });
    const restarted = async (restartCount: number) => {
      const status = { name: "main", image: "", imageID: "", ready: false, restartCount };
      const pod = pods(api)[0]!;
      await new Client(api).updateStatus(Pod, { ...pod, status: { phase: "Running", containerStatuses: [status] } });
      await settle(api, all, start);
    };
    await restarted(restarts - 1);
    expect(conditions(api)).toEqual([]);
    await restarted(restarts);
    expect(conditions(api)).toContain("FailureTarget BackoffLimitExceeded");
  });

  test("index lists are read as they are written", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(30)), (numbers) => {
        const indexes = new Set(numbers);
        expect([...parseIndexes(formatIndexes(indexes), 31)].sort()).toEqual([...indexes].sort());
      }),
    );
    expect(formatIndexes(new Set([0, 1, 2, 4, 6, 7]))).toBe("0-2,4,6,7");
  });

  test("the pause counts failures since the last success", () => {
    const ended = (phase: string, at: number): Pod => ({
      metadata: { name: "p" },
      status: {
        phase,
        containerStatuses: [
          {
            name: "c",
            image: "",
            imageID: "",
            ready: false,
            restartCount: 0,
            state: { terminated: { exitCode: 1, finishedAt: new Date(at).toISOString() } },
          },
        ],
      },
    });
    const [first, second, third] = [start, start + 1_000, start + 2_000];
    expect(nextTryAt([ended("Failed", first), ended("Failed", second)])).toBe(second + 20_000);
    expect(nextTryAt([ended("Failed", first)], second, 3)).toBe(second + 40_000);
    expect(nextTryAt([ended("Failed", first), ended("Succeeded", second), ended("Failed", third)])).toBe(
      third + 10_000,
    );
    expect(nextTryAt([ended("Failed", first), ended("Succeeded", second)])).toBe(0);
  });
});
