/** Jobs and cron jobs, as the API server keeps them: no controller runs here. */
import { create, mergePatch, storyServer, type Story, type Written } from "#test/support/story.ts";
import { cronJob, job } from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const invalid = (claim: string, object: Written, text: string): Story => [claim, create(object).isInvalid(text)];

const runs = (spec: Fields = {}) => ({
  template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "x" }], ...spec } },
});
stories("a job is invalid", [
  invalid(
    "that restarts always",
    job("a", { template: { spec: { containers: [{ name: "c", image: "x" }] } } }),
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ),
  invalid(
    "of indexes without a number",
    job("a", { completionMode: "Indexed", parallelism: 1 }),
    "spec.completions: Required value: when completion mode is Indexed",
  ),
  invalid(
    "of too many indexes at once",
    job("a", { completionMode: "Indexed", completions: 200_000, parallelism: 100_001 }),
    "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
  ),
  invalid(
    "with a rule of failure that asks nothing",
    job("a", {
      ...runs(),
      podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [] } }] },
    }),
    "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []: at least one value is required",
  ),
  invalid(
    "with an unknown way to replace pods",
    job("a", { podReplacementPolicy: "Whenever" }),
    'spec.podReplacementPolicy: Unsupported value: "Whenever": supported values: "Failed", "TerminatingOrFailed"',
  ),
  invalid(
    "that succeeds with more than its indexes",
    job("a", {
      completionMode: "Indexed",
      completions: 4,
      successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 3 }] },
    }),
    "spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)",
  ),
]);

const schedule = (text: string): Story => [`${text} is fine`, create(cronJob("a", { schedule: text }), "?dryRun=All")];
const badSchedule = (text: string, why: string): Story => [
  `${text} is not`,
  create(cronJob("a", { schedule: text })).isInvalid(`spec.schedule: Invalid value: "${text}": ${why}`),
];
stories("a schedule", [
  schedule("*/5 * * * *"),
  schedule("0 0 30 2 *"),
  schedule("@annually"),
  schedule("@every 0s"),
  schedule("0 9 * jan mon-fri"),
  badSchedule("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
  badSchedule("@every 1x", 'failed to parse duration @every 1x: time: unknown unit "x" in duration "1x"'),
  badSchedule("0 0 * * 7", "end of range (7) above maximum (6): 7"),
  badSchedule("*/0 * * * *", "step of range should be a positive number: */0"),
]);
stories("a time zone", [
  ["of the database is fine", create(cronJob("a", { timeZone: "Europe/Berlin" }))],
  [
    "of one's own machine is not",
    create(cronJob("a", { timeZone: "Local" })).isInvalid(
      'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    ),
  ],
  ["has no characters of its own", create(cronJob("a", { timeZone: "Europe/New York" })).answers(422)],
  [
    "is no abbreviation that the database lacks",
    create(cronJob("a", { timeZone: "PST" })).isInvalid('spec.timeZone: Invalid value: "PST": unknown time zone PST'),
  ],
  ["is not hidden in the schedule", create(cronJob("a", { schedule: "TZ=UTC * * * * *" })).answers(422)],
]);

const suspended = (spec: Fields = {}) => job("a", { suspend: true, ...spec });
stories("a suspended job", [
  [
    "may be moved to other nodes",
    create(suspended()),
    mergePatch("jobs/a", { spec: { template: { spec: { nodeSelector: { disk: "ssd" } } } } }).has(
      "spec.template.spec.nodeSelector",
      { disk: "ssd" },
    ),
  ],
  [
    "that has pods may not",
    create(suspended()),
    mergePatch("jobs/a/status", { status: { active: 1 } }),
    mergePatch("jobs/a", { spec: { template: { spec: { nodeSelector: { disk: "ssd" } } } } }).answers(422),
  ],
]);
