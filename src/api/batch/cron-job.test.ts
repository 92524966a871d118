import { describe, expect, test } from "vitest";
import type { V1CronJob, V1CronJobSpec } from "#api/generated/types.ts";
import type { RequestContext } from "#api/resource.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { CronJob } from "./cron-job.ts";

const context: RequestContext = { now: 0, user: { name: "u", groups: [] }, dryRun: false };

function cronJob(spec: Partial<V1CronJobSpec>): V1CronJob {
  const pod = { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] };
  const made: V1CronJob = {
    metadata: { name: "tick", namespace: "a" },
    spec: {
      schedule: "* * * * *",
      jobTemplate: { metadata: {}, spec: { template: { metadata: {}, spec: pod } } },
      ...spec,
    },
  };
  CronJob.defaults!(made);
  return made;
}

const texts = (now: V1CronJob, old?: V1CronJob) => CronJob.validate!(now, old, context).map(fieldErrorText);
const explicit = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";

describe("cron job", () => {
  test.each([
    ["Local", [explicit]],
    ["local", [explicit, "unknown time zone local"]],
    ["Nowhere/Town", ["unknown time zone Nowhere/Town"]],
    ["../etc", ["unknown time zone ../etc"]],
    ["America/Much_Too_Long_A_Name", ["unknown time zone America/Much_Too_Long_A_Name"]],
  ])("time zone %j: %j", (timeZone, faults) => {
    const expected = faults.map((fault) => `spec.timeZone: Invalid value: ${JSON.stringify(timeZone)}: ${fault}`);
    expect(texts(cronJob({ timeZone }))).toEqual(expected);
    expect(texts(cronJob({ timeZone }), cronJob({ timeZone }))).toEqual([]);
  });
  test("conditions that a template's failure policy looks for are wanted to be true", () => {
    const template = {
      metadata: {},
      spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
    };
    const podFailurePolicy = { rules: [{ action: "Ignore", onPodConditions: [{ type: "A" } as never] }] };
    const { spec } = cronJob({ jobTemplate: { metadata: {}, spec: { template, podFailurePolicy } } });
    expect(spec!.jobTemplate.spec!.podFailurePolicy!.rules[0]!.onPodConditions).toEqual([
      { type: "A", status: "True" },
    ]);
  });
});
