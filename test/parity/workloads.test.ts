/** Deployments, sets, autoscalers and disruption budgets, as the API server keeps them: no controller runs here. */
import {
  create,
  get,
  mergePatch,
  put,
  storyServer,
  strategicPatch,
  type Story,
  update,
  type Written,
} from "#test/support/story.ts";
import {
  autoscaler,
  cronJob,
  daemonSet,
  deployment,
  disruptionBudget,
  job,
  replicaSet,
  statefulSet,
  template,
} from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const invalid = (claim: string, object: Written, text: string): Story => [claim, create(object).isInvalid(text)];
const otherLabels = template({}, { app: "b" });
const mismatch =
  'spec.template.metadata.labels: Invalid value: {"app":"b"}: `selector` does not match template `labels`';

stories("defaults", [
  [
    "of a deployment",
    create(deployment("a"))
      .shows({
        metadata: { generation: 1 },
        spec: {
          replicas: 1,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
          revisionHistoryLimit: 10,
          progressDeadlineSeconds: 600,
          template: { spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 30 } },
        },
      })
      .has("status", {}),
  ],
  ["of a replica set", create(replicaSet("a")).has("spec.replicas", 1).has("status", { replicas: 0 })],
  [
    "of a stateful set",
    create(statefulSet("a")).shows({
      spec: {
        replicas: 1,
        podManagementPolicy: "OrderedReady",
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      },
    }),
  ],
  [
    "of a daemon set",
    create(daemonSet("a"))
      .shows({
        spec: {
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
          revisionHistoryLimit: 10,
        },
      })
      .has("metadata.annotations", { "deprecated.daemonset.template.generation": "1" }),
  ],
  [
    "of a job, whose selector is its uid",
    create(job("a"))
      .saves("uid", "metadata.uid")
      .shows({
        spec: {
          parallelism: 1,
          completions: 1,
          backoffLimit: 6,
          completionMode: "NonIndexed",
          suspend: false,
          podReplacementPolicy: "TerminatingOrFailed",
          selector: { matchLabels: {} },
        },
      }),
    get("jobs/a").has("spec.selector", { matchLabels: { "batch.kubernetes.io/controller-uid": "{uid}" } }),
  ],
  [
    "of a job of indexes with a limit each",
    create(job("a", { completionMode: "Indexed", completions: 2, backoffLimitPerIndex: 1 })).has(
      "spec.backoffLimit",
      2147483647,
    ),
  ],
  [
    "of a cron job",
    create(cronJob("a"))
      .shows({
        spec: { concurrencyPolicy: "Allow", suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
      })
      .has("status", {}),
  ],
  [
    "of an autoscaler",
    create(
      autoscaler("a", {
        spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 5 },
      }),
    )
      .shows({
        spec: {
          minReplicas: 1,
          metrics: [
            { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
          ],
        },
      })
      .lacks("metadata.generation"),
  ],
]);

stories("a workload is invalid", [
  invalid(
    "without anything",
    { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a" } },
    "[spec.selector: Required value, spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`, spec.template.spec.containers: Required value]",
  ),
  invalid(
    "with a selector that misses its own pods: a deployment",
    deployment("a", { template: otherLabels }),
    mismatch,
  ),
  invalid(
    "with a selector that misses its own pods: a daemon set",
    daemonSet("a", { template: otherLabels }),
    mismatch,
  ),
  invalid(
    "with fewer than no replicas",
    deployment("a", { replicas: -1 }),
    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
  ),
  invalid(
    "with more than all unavailable",
    deployment("a", { strategy: { rollingUpdate: { maxUnavailable: "101%" } } }),
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
  ),
  invalid(
    "with more than all unavailable: a daemon set",
    daemonSet("a", { updateStrategy: { rollingUpdate: { maxUnavailable: "200%" } } }),
    'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "200%": must not be greater than 100%',
  ),
  invalid(
    "with pods that end",
    deployment("a", { template: template({ restartPolicy: "Never" }) }),
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ),
  invalid(
    "with a restart policy that is none",
    statefulSet("a", { template: template({ restartPolicy: "Sometimes" }) }),
    '[spec.template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never", spec.template.spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always"]',
  ),
  invalid(
    "with debug containers in a template",
    deployment("a", { template: template({ ephemeralContainers: [{ name: "d", image: "x" }] }) }),
    "spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template",
  ),
  invalid(
    "with a container without an image",
    replicaSet("a", { template: template({ containers: [{ name: "c" }] }) }),
    "spec.template.spec.containers[0].image: Required value",
  ),
]);

stories("a workload keeps", [
  [
    "its selector",
    create(deployment("a")),
    mergePatch("deployments/a", {
      spec: { selector: { matchLabels: { app: "b" } }, template: { metadata: { labels: { app: "b" } } } },
    }).answers(
      422,
      'Deployment.apps "a" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
    ),
  ],
  [
    "most of a stateful set",
    create(statefulSet("a")),
    mergePatch("statefulsets/a", { spec: { serviceName: "other" } }).answers(
      422,
      `StatefulSet.apps "a" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden`,
    ),
  ],
  [
    "the template of a job",
    create(job("a")),
    strategicPatch("jobs/a", { spec: { template: { spec: { containers: [{ name: "c", image: "other" }] } } } }).answers(
      422,
    ),
  ],
  [
    "its status from the object's own writes",
    create(deployment("a")),
    mergePatch("deployments/a", { status: { replicas: 5 } }).has("status", {}),
  ],
  [
    "its spec from writes of the status",
    create(deployment("a")),
    mergePatch("deployments/a/status", { spec: { replicas: 7 }, status: { replicas: 2 } }).shows({
      spec: { replicas: 1 },
      status: { replicas: 2 },
    }),
  ],
]);

stories("a generation", [
  [
    "of a deployment grows with spec and annotations, not with labels",
    create(deployment("a")),
    mergePatch("deployments/a", { metadata: { labels: { l: "1" } } }).has("metadata.generation", 1),
    mergePatch("deployments/a", { metadata: { annotations: { n: "1" } } }).has("metadata.generation", 2),
    mergePatch("deployments/a", { spec: { replicas: 2 } }).has("metadata.generation", 3),
  ],
  [
    "of others grows with the spec alone",
    create(statefulSet("a")),
    mergePatch("statefulsets/a", { metadata: { annotations: { n: "1" } } }).has("metadata.generation", 1),
    mergePatch("statefulsets/a", { spec: { replicas: 2 } }).has("metadata.generation", 2),
  ],
  [
    "of a daemon set's template is kept in an annotation",
    create(daemonSet("a")),
    strategicPatch("daemonsets/a", {
      spec: { template: { spec: { containers: [{ name: "c", image: "app:2" }] } } },
    }).has("metadata.annotations", { "deprecated.daemonset.template.generation": "2" }),
  ],
]);

stories("a status", [
  [
    "has no negative numbers, and no more parts than the whole",
    create(replicaSet("a")),
    mergePatch("replicasets/a/status", { status: { replicas: 1, readyReplicas: 2 } }).answers(
      422,
      'ReplicaSet.apps "a" is invalid: status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas',
    ),
    mergePatch("replicasets/a/status", { status: { observedGeneration: -1 } }).answers(
      422,
      'ReplicaSet.apps "a" is invalid: status.observedGeneration: Invalid value: -1: must be greater than or equal to 0',
    ),
  ],
]);

const scale = (replicas: number) => ({
  apiVersion: "autoscaling/v1",
  kind: "Scale",
  metadata: { name: "a", namespace: "{ns}" },
  spec: { replicas },
});
stories("the scale of a deployment", [
  [
    "tells numbers and the selector as text",
    create(deployment("a", { replicas: 2 })),
    get("deployments/a/scale")
      .shows({ kind: "Scale", apiVersion: "autoscaling/v1", spec: { replicas: 2 } })
      .has("status", { replicas: 0, selector: "app=a" }),
  ],
  [
    "sets the number",
    create(deployment("a")),
    put("deployments/a/scale", scale(4)).has("spec", { replicas: 4 }),
    get("deployments/a").shows({ spec: { replicas: 4 }, metadata: { generation: 2 } }),
  ],
  [
    "is not negative",
    create(deployment("a")),
    put("deployments/a/scale", scale(-1)).answers(
      422,
      'Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ),
  ],
]);

const scaled = (fields: Fields) =>
  autoscaler("a", {
    spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 5, ...fields },
  });
const cpu = (fields: Fields) => ({ metrics: [{ type: "Resource", resource: { name: "cpu", target: fields } }] });
stories("an autoscaler", [
  invalid(
    "has one target for a resource",
    scaled(cpu({ type: "Utilization", averageUtilization: 1, averageValue: "1" })),
    "spec.metrics[0].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization",
  ),
  invalid(
    "chooses among its policies",
    scaled({ behavior: { scaleUp: { selectPolicy: "Most" } } }),
    'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Most": supported values: "Disabled", "Max", "Min"',
  ),
  [
    "of version 1 is the same object",
    create(scaled(cpu({ type: "Utilization", averageUtilization: 50 }))),
    get("/apis/autoscaling/v1/namespaces/{ns}/horizontalpodautoscalers/a")
      .shows({ apiVersion: "autoscaling/v1", spec: { targetCPUUtilizationPercentage: 50 } })
      .lacks("spec.metrics"),
  ],
]);
stories("a disruption budget", [
  invalid(
    "has one number",
    disruptionBudget("a", { spec: { minAvailable: "half", selector: {} } }),
    `spec.minAvailable: Invalid value: "half": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
  ),
  [
    "is never written blindly",
    create(disruptionBudget("a", { spec: { minAvailable: 1, selector: {} } })),
    update(disruptionBudget("a", { spec: { minAvailable: 2, selector: {} } })).answers(
      422,
      'poddisruptionbudgets.policy "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ),
  ],
]);
