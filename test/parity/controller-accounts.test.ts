/** What controllers count and tell, where it is easy to count or tell something else. */
import { create, get, mergePatch, remove, storyServer } from "#test/support/story.ts";
import { podsBecomeReady, podsExist } from "#test/support/story-actors.ts";
import {
  autoscaler,
  deployment,
  job,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  replicaSet,
  service,
  statefulSet,
} from "#test/support/story-objects.ts";

const stories = storyServer("controllers");

/** Nothing schedules here, so that pods stay where they are put. */
const unscheduled = (more = {}) => ({
  metadata: { labels: { app: "a" } },
  spec: { schedulerName: "nobody", containers: [{ name: "c", image: "app:1" }], ...more },
});
const work = (spec = {}) => job("task", { template: unscheduled({ restartPolicy: "Never" }), ...spec });
const failed = (reason: string, count: number) =>
  get("jobs/task")
    .shows({
      status: {
        failed: count,
        terminating: 0,
        conditions: [
          { type: "FailureTarget", reason },
          { type: "Failed", reason },
        ],
      },
    })
    .lacks("status.active")
    .eventually();
/** The events of this kind, "Reason: message", are these and no others; generated names end in "…". */
const told = (kind: string, ...wanted: string[]) =>
  get(`events?fieldSelector=involvedObject.kind=${kind}`)
    .meets(({ items }) => {
      const texts = (items as { reason: string; message: string }[])
        .map(({ reason, message }) => `${reason}: ${message.replace(/-[a-z0-9]{5}$/, "-…")}`)
        .sort();
      if (texts.join("\n") !== [...wanted].sort().join("\n")) throw new Error(texts.join("\n"));
    })
    .eventually();
const fails = (name: string) =>
  mergePatch(`pods/${name}/status`, {
    status: {
      phase: "Failed",
      containerStatuses: [
        {
          name: "c",
          image: "app:1",
          imageID: "",
          ready: false,
          restartCount: 0,
          state: { terminated: { exitCode: 42, finishedAt: "2024-01-01T00:00:00Z" } },
        },
      ],
    },
  });

stories("a job that fails", [
  [
    "stops its other pods, counts them, and lets them go, even where pods are only replaced once they have failed",
    create(
      work({
        parallelism: 3,
        completions: 3,
        podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }] },
      }),
    ),
    podsExist("batch.kubernetes.io/job-name=task", 3),
    fails("{poda}"),
    failed("PodFailurePolicy", 3),
    get("pods")
      .shows({ items: [{ metadata: { name: "{poda}" } }] })
      .eventually(),
  ],
  ["without any time makes no pod", create(work({ activeDeadlineSeconds: 0 })), failedAtOnce()],
]);

function failedAtOnce() {
  return get("jobs/task")
    .shows({
      status: {
        terminating: 0,
        conditions: [{ type: "FailureTarget" }, { type: "Failed", reason: "DeadlineExceeded" }],
      },
    })
    .lacks("status.failed", "status.active")
    .eventually();
}

stories("a work queue", [
  [
    "is complete once one pod has succeeded and none is active, though one is still on its way out",
    // On a node, though nobody knows it yet: others would end at once.
    create(work({ parallelism: 2, template: unscheduled({ restartPolicy: "Never", nodeName: "{ns}-late" }) })),
    podsExist("batch.kubernetes.io/job-name=task", 2),
    mergePatch("pods/{poda}/status", { status: { phase: "Succeeded" } }),
    get("jobs/task")
      .shows({ status: { succeeded: 1 } })
      .eventually(),
    remove("pods/{podb}"),
    get("jobs/task")
      .shows({ status: { terminating: 1, conditions: [{ type: "SuccessCriteriaMet" }] } })
      .eventually(),
    remove("pods/{podb}?gracePeriodSeconds=0"),
    get("jobs/task")
      .shows({ status: { failed: 1, conditions: [{ type: "SuccessCriteriaMet" }, { type: "Complete" }] } })
      .eventually(),
  ],
]);

const set = (spec = {}) => statefulSet("db", { serviceName: "db", template: unscheduled(), ...spec });

stories("a stateful set", [
  [
    "tells that it gave a pod its name back",
    create(set({ replicas: 1 })),
    podsBecomeReady("app=a", 1),
    mergePatch("pods/db-0", { metadata: { labels: { "statefulset.kubernetes.io/pod-name": null } } }),
    told(
      "StatefulSet",
      "SuccessfulCreate: Create Pod db-0 in StatefulSet db successful",
      "SuccessfulUpdate: Update Pod db-0 in StatefulSet db successful",
    ),
  ],
]);

stories("events alike", [
  [
    "are ten at most: the last stands for all that came after nine",
    create(replicaSet("web", { replicas: 12, template: unscheduled() })),
    podsExist("app=a", 12),
    told(
      "ReplicaSet",
      ...Array.from({ length: 9 }, () => "SuccessfulCreate: Created pod: web-…"),
      "SuccessfulCreate: (combined from similar events): Created pod: web-…",
    ),
    get("events?fieldSelector=involvedObject.kind=ReplicaSet")
      .meets(({ items }) => {
        const counts = (items as { count: number }[]).map(({ count }) => count).sort();
        if (counts.at(-1) !== 3) throw new Error(String(counts));
      })
      .eventually(),
  ],
]);

const claim = (name: string, spec = {}) =>
  persistentVolumeClaim(name, {
    spec: {
      storageClassName: "{ns}",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      ...spec,
    },
  });
const volume = (name: string, spec = {}) =>
  persistentVolume(`{ns}-${name}`, {
    spec: {
      storageClassName: "{ns}",
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      csi: { driver: "x.example.com", volumeHandle: name },
      ...spec,
    },
  });
const isAvailable = (name: string) =>
  get(`/api/v1/persistentvolumes/{ns}-${name}`)
    .shows({ status: { phase: "Available" } })
    .eventually();

stories("a volume", [
  [
    "with the fewest access modes is taken, though it is not the smallest",
    create(volume("many", { accessModes: ["ReadWriteOnce", "ReadOnlyMany"] })),
    create(volume("one", { capacity: { storage: "9Gi" } })),
    isAvailable("many"),
    isAvailable("one"),
    create(claim("data")),
    get("persistentvolumeclaims/data")
      .shows({ spec: { volumeName: "{ns}-one" } })
      .eventually(),
  ],
  [
    "gives its attributes to its claim",
    create(volume("gold", { volumeAttributesClassName: "gold" })),
    isAvailable("gold"),
    create(claim("data", { volumeAttributesClassName: "gold" })),
    get("persistentvolumeclaims/data")
      .shows({ status: { phase: "Bound", currentVolumeAttributesClassName: "gold" } })
      .eventually(),
  ],
  [
    "that nobody can recycle fails",
    create(volume("old", { persistentVolumeReclaimPolicy: "Recycle" })).warns(
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
    ),
    isAvailable("old"),
    create(claim("data")),
    get("persistentvolumeclaims/data")
      .shows({ status: { phase: "Bound" } })
      .eventually(),
    remove("persistentvolumeclaims/data"),
    get("/api/v1/persistentvolumes/{ns}-old")
      .shows({ status: { phase: "Failed", message: "No recycler plugin found for the volume!" } })
      .eventually(),
  ],
]);

const addressed = {
  phase: "Running",
  podIP: "10.42.9.1",
  podIPs: [{ ip: "10.42.9.1" }],
  conditions: [{ type: "Ready", status: "True" }],
};
const onUnknownNode = [
  create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", labels: { app: "a" } },
    spec: { nodeName: "{ns}-gone", containers: [{ name: "c", image: "app:1" }] },
  }),
  mergePatch("pods/p/status", { status: addressed }),
];

const storage = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };

stories("a claim that a pod carries in itself", [
  [
    "is told to be barred by one of its name, and made once that is gone",
    create(persistentVolumeClaim("p-v", { spec: storage })),
    create(
      pod("p", {
        schedulerName: "nobody",
        volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: storage } } }],
      }),
    ),
    get("events?fieldSelector=involvedObject.kind=Pod")
      .shows({
        items: [
          {
            type: "Warning",
            reason: "FailedBinding",
            message: "ephemeral volume v: PVC {ns}/p-v was not created for pod {ns}/p (pod is not owner)",
          },
        ],
      })
      .eventually(),
    remove("persistentvolumeclaims/p-v"),
    get("persistentvolumeclaims/p-v")
      .shows({ metadata: { ownerReferences: [{ kind: "Pod", name: "p", controller: true }] } })
      .eventually(),
  ],
]);

stories("a pod of an unknown node", [
  [
    "is in no endpoint slice, and the service is told",
    ...onUnknownNode,
    create(service("web", { selector: { app: "a" } })),
    get("events?fieldSelector=reason=FailedToUpdateEndpointSlices")
      .shows({
        items: [
          {
            message:
              "Error updating Endpoint Slices for Service {ns}/web: skipping Pod p for Service {ns}/web: Node {ns}-gone Not Found",
          },
        ],
      })
      .eventually(),
  ],
  [
    "is in the slice of a service that publishes every address",
    ...onUnknownNode,
    create(service("web", { selector: { app: "a" }, publishNotReadyAddresses: true })),
    get("/apis/discovery.k8s.io/v1/namespaces/{ns}/endpointslices")
      .shows({ items: [{ endpoints: [{ addresses: ["10.42.9.1"], nodeName: "{ns}-gone" }] }] })
      .eventually(),
  ],
]);

const nodeTold = (reason: string, message: string) =>
  get(`/api/v1/namespaces/default/events?fieldSelector=involvedObject.name={ns}-n,reason=${reason}`)
    .shows({ items: [{ message, source: { component: "node-controller" } }] })
    .eventually();

stories("a node", [
  [
    "is told when it comes and when it goes",
    create(node("{ns}-n")),
    nodeTold("RegisteredNode", "Node {ns}-n event: Registered Node {ns}-n in Controller"),
    remove("/api/v1/nodes/{ns}-n"),
    nodeTold("RemovingNode", "Node {ns}-n event: Removing Node {ns}-n from Controller"),
  ],
]);

stories("an autoscaler", [
  [
    "of a container's metric names the container",
    create(deployment("web", { replicas: 1, template: unscheduled() })),
    create(
      autoscaler("auto", {
        spec: {
          scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
          maxReplicas: 3,
          metrics: [
            {
              type: "ContainerResource",
              containerResource: {
                name: "cpu",
                container: "c",
                target: { type: "Utilization", averageUtilization: 50 },
              },
            },
          ],
        },
      }),
    ),
    told(
      "HorizontalPodAutoscaler",
      ...["", "invalid metrics (1 invalid out of 1), first error is: failed to get c container metric value: "].map(
        (start) =>
          `${start === "" ? "FailedGetContainerResourceMetric" : "FailedComputeMetricsReplicas"}: ${start}failed to get cpu utilization: ` +
          "unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: " +
          "the server could not find the requested resource (get pods.metrics.k8s.io)",
      ),
    ),
  ],
]);
