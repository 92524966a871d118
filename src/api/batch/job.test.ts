import { describe, expect, test } from "vitest";
import type { V1Job, V1JobSpec, V1PodSpec } from "#api/generated/types.ts";
import type { RequestContext } from "#api/resource.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { Job } from "./job.ts";

const context: RequestContext = { now: 0, user: { name: "u", groups: [] }, dryRun: false };
const uid = "11111111-1111-1111-1111-111111111111";

function job(spec: Partial<V1JobSpec> = {}, pod: Partial<V1PodSpec> = {}, status: V1Job["status"] = {}): V1Job {
  const made: V1Job = {
    metadata: { name: "work", namespace: "a", uid },
    spec: {
      ...spec,
      template: {
        metadata: {},
        ...spec.template,
        spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }], ...pod },
      },
    },
    status,
  };
  Job.defaults!(made);
  Job.prepareCreate!(made, context);
  made.status = status;
  return made;
}

const texts = (now: V1Job, old?: V1Job) => Job.validate!(now, old, context).map(fieldErrorText);

describe("job", () => {
  test("a selector that does not fit is told with what was added to it, in order", () => {
    expect(texts(job({ selector: { matchLabels: { z: "1" } } }))[0]).toBe(
      `spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"${uid}","z":"1"}}: \`selector\` not auto-generated`,
    );
  });

  test("the labels of its pods are its own, old ones first", () => {
    const labels = { "batch.kubernetes.io/job-name": "other", "controller-uid": "x" };
    const path = "spec.template.metadata.labels";
    expect(
      texts(job({ template: { metadata: { labels } } as never })).map((text) => text.replace(/\{.*\}/, "{…}")),
    ).toEqual([
      `${path}[controller-uid]: Invalid value: {…}: must be '${uid}'`,
      `${path}[batch.kubernetes.io/job-name]: Invalid value: {…}: must be 'work'`,
    ]);
  });

  const zone = { required: { nodeSelectorTerms: [] } } as object;
  const pods = { requiredDuringSchedulingIgnoredDuringExecution: [] };
  test.each<[string, Partial<V1PodSpec>, V1Job["status"], string | undefined]>([
    ["a node selector", { nodeSelector: { disk: "ssd" } }, {}, undefined],
    ["an affinity to nodes", { affinity: { nodeAffinity: zone } }, {}, undefined],
    ["an affinity to pods", { affinity: { podAffinity: pods } }, {}, "spec.template.spec"],
    ["resources", { containers: [{ name: "main", image: "busybox", resources: {} }] }, {}, undefined],
    ["an image", { containers: [{ name: "main", image: "other" }] }, {}, "spec.template.spec"],
    ["a node selector while pods run", { nodeSelector: { a: "b" } }, { active: 1 }, "spec.template"],
    [
      "a node selector once begun",
      { nodeSelector: { a: "b" } },
      { startTime: "2024-01-01T00:00:00Z" },
      "spec.template",
    ],
    [
      "a node selector once stopped",
      { nodeSelector: { a: "b" } },
      { startTime: "2024-01-01T00:00:00Z", conditions: [{ type: "Suspended", status: "True" }] },
      undefined,
    ],
  ])("suspended: %s", (_what, pod, status, field) => {
    const old = job({ suspend: true }, {}, status);
    const fields = Job.validate!(job({ suspend: true }, pod, status), old, context).map((error) => error.field);
    expect(fields).toEqual(field === undefined ? [] : [field]);
  });

  test("terminating pods are no less than none", () => {
    const errors = Job.status!.validate!(job({}, {}, { terminating: -1 }), job(), context);
    expect(errors.map(fieldErrorText)).toEqual([
      "status.terminating: Invalid value: -1: must be greater than or equal to 0",
    ]);
  });
});
