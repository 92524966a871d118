import { describe, expect, test } from "vitest";
import { Client } from "#client/client.ts";
import { CronJob, Job } from "#reconcilers/kinds.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { moment, settle, viewOfApi } from "#test/support/settle.ts";
import { cronJobReconciler } from "./cron-job.ts";
import { missedMax, missedTimes, parseSchedule } from "./schedule.ts";

const at = (time: string): number => Date.parse(`2024-06-01T${time}Z`);
const all = [cronJobReconciler] as never[];
const jobs = (api: MemoryApi) => api.objects("/jobs/") as unknown as Job[];

const api = (world: MemoryApi) => world.objects("/cronjobs/")[0] as unknown as CronJob;

async function made(spec: Partial<CronJob["spec"]> = {}): Promise<MemoryApi> {
  const api = new MemoryApi();
  const jobTemplate = { metadata: {}, spec: { template: { metadata: {}, spec: { containers: [] } } } };
  await new Client(api).create(CronJob, {
    metadata: { name: "tick", namespace: "a", creationTimestamp: "2024-06-01T00:00:30Z" },
    spec: { schedule: "*/5 * * * *", concurrencyPolicy: "Allow", successfulJobsHistoryLimit: 1, jobTemplate, ...spec },
  });
  return api;
}

async function finish(api: MemoryApi): Promise<void> {
  for (const job of jobs(api)) {
    const conditions = [{ type: "Complete", status: "True" }];
    const time = job.metadata.name!.replace("tick-", "");
    const startTime = new Date(Number(time) * 60_000).toISOString();
    await new Client(api).updateStatus(Job, { ...job, status: { conditions, startTime } });
  }
}

describe("cronjob", () => {
  test("makes one job for each time, named for it", async () => {
    const api = await made();
    await settle(api, all, at("00:04:59"));
    expect(jobs(api)).toHaveLength(0);
    for (const time of ["00:05:01", "00:05:30", "00:10:00"]) await settle(api, all, at(time));
    expect(jobs(api).map(({ metadata }) => metadata.name)).toEqual([
      `tick-${at("00:05:00") / 60_000}`,
      `tick-${at("00:10:00") / 60_000}`,
    ]);
  });

  test("Forbid waits for the job before, Replace ends it", async () => {
    const forbid = await made({ concurrencyPolicy: "Forbid" });
    await settle(forbid, all, at("00:05:00"));
    const again = cronJobReconciler.reconcile(api(forbid), viewOfApi(forbid), moment(at("00:10:00")));
    expect(again).toContainEqual(
      expect.objectContaining({ event: expect.objectContaining({ reason: "JobAlreadyActive" }) }),
    );
    expect(again.some(({ type }) => type === "create")).toBe(false);
    const replace = await made({ concurrencyPolicy: "Replace" });
    await settle(replace, all, at("00:05:00"));
    await settle(replace, all, at("00:10:00"));
    expect(jobs(replace).map(({ metadata }) => metadata.name)).toEqual([`tick-${at("00:10:00") / 60_000}`]);
  });

  test("a job that somebody else made for it neither counts nor is ended nor is listed", async () => {
    const world = await made({ concurrencyPolicy: "Forbid" });
    const { uid } = api(world).metadata;
    const ownerReferences = [{ apiVersion: "batch/v1", kind: "CronJob", name: "tick", uid: uid!, controller: true }];
    await new Client(world).create(Job, { metadata: { name: "by-hand", namespace: "a", ownerReferences } });
    const plan = cronJobReconciler.reconcile(api(world), viewOfApi(world), moment(at("00:05:00")));
    expect(plan.filter(({ type }) => type === "create")).toHaveLength(1);
    const told = plan.flatMap((change) => (change.type === "event" ? [change.event.message] : []));
    expect(told).toEqual(["Saw a job that the controller did not create or forgot: by-hand"]);
  });

  test("a listed job that is gone is missed, one that merely is nobody's now is not", async () => {
    const world = await made();
    await settle(world, all, at("00:05:00"));
    const [job] = jobs(world);
    const told = () =>
      cronJobReconciler
        .reconcile(api(world), viewOfApi(world), moment(at("00:06:00")))
        .flatMap((change) => (change.type === "event" ? [change.event.message] : []));
    await new Client(world).patch(Job, job!.metadata, "merge", { metadata: { ownerReferences: null } });
    expect(told()).toEqual([]);
    await new Client(world).delete(Job, job!.metadata);
    expect(told()).toEqual([`Active job went missing: ${job!.metadata.name}`]);
  });

  test("only the latest of several missed times is made up for, and none after its deadline", async () => {
    const api = await made();
    await settle(api, all, at("01:02:00"));
    expect(jobs(api)).toHaveLength(1);
    const strict = await made({ startingDeadlineSeconds: 60 });
    await settle(strict, all, at("01:02:00"));
    expect(jobs(strict)).toHaveLength(0);
  });

  test("a schedule that never comes is told as invalid", async () => {
    const world = await made({ schedule: "59 23 31 2 *" });
    const changes = cronJobReconciler.reconcile(api(world), viewOfApi(world), moment(at("01:00:00")));
    const message = "invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second";
    const event = expect.objectContaining({ type: "Warning", reason: "InvalidSchedule", message });
    expect(changes).toEqual([expect.objectContaining({ event })]);
  });

  test("old finished jobs go", async () => {
    const api = await made();
    for (const time of ["00:05:00", "00:10:00", "00:15:00"]) {
      await settle(api, all, at(time));
      await finish(api);
    }
    await settle(api, all, at("00:15:10"));
    expect(jobs(api)).toHaveLength(1);
  });
});

describe("schedule", () => {
  const table: readonly [text: string, zone: string | undefined, after: string, next: string][] = [
    ["0 0 * * *", undefined, "2024-06-01T00:00:00Z", "2024-06-02T00:00:00Z"],
    ["0 12 * * *", "Europe/Berlin", "2024-06-01T00:00:00Z", "2024-06-01T10:00:00Z"],
    ["TZ=Asia/Tokyo 0 9 * * *", undefined, "2024-06-01T00:00:00Z", "2024-06-02T00:00:00Z"],
    ["@hourly", undefined, "2024-06-01T00:30:00Z", "2024-06-01T01:00:00Z"],
    ["@every 1h30m", undefined, "2024-06-01T00:00:10Z", "2024-06-01T01:30:10Z"],
    ["0 0 1 * 1", undefined, "2024-06-01T00:00:00Z", "2024-06-03T00:00:00Z"],
    ["0 0 */2 * 1", undefined, "2024-06-01T00:00:00Z", "2024-06-03T00:00:00Z"],
    ["0 0 ? * 0", undefined, "2024-06-01T00:00:00Z", "2024-06-02T00:00:00Z"],
    ["5/15 * * * *", undefined, "2024-06-01T00:05:00Z", "2024-06-01T00:20:00Z"],
    ["1, * * * *", undefined, "2024-06-01T00:05:00Z", "2024-06-01T01:01:00Z"],
    ["0 0 29 feb *", undefined, "2024-06-01T00:00:00Z", "2028-02-29T00:00:00Z"],
    ["@weekly", undefined, "2024-06-01T00:00:00Z", "2024-06-02T00:00:00Z"],
    ["@every .5h", undefined, "2024-06-01T00:00:10Z", "2024-06-01T00:30:10Z"],
    // Clocks go from 02:00 to 03:00: there is no 02:30 that day, and the day after begins at midnight.
    ["30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T06:30:00Z"],
    ["0 0 9 3 *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T04:00:00Z"],
    // Clocks go back to 01:00: there are two times 01:30.
    ["30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"],
  ];
  test.each(table)("%s in %s after %s fires at %s", (text, zone, after, next) => {
    const found = parseSchedule(text, zone).next(Date.parse(after));
    expect(new Date(found ?? 0).toISOString()).toBe(next.replace("Z", ".000Z"));
  });

  test("a day that never comes is not waited for", () => {
    expect(parseSchedule("0 0 30 2 *", undefined).next(at("00:00:00"))).toBeUndefined();
  });

  test.each(["", "* * *", "61 * * * *", "@every", "@every 1x"])("%j is no schedule", (text) => {
    expect(() => parseSchedule(text, undefined)).toThrow();
  });

  test("a long absence costs no long count", () => {
    const missed = missedTimes(parseSchedule("* * * * *", undefined), 0, at("00:00:30"));
    expect(missed).toEqual({ latest: at("00:00:00"), count: missedMax + 1 });
  });
});
