/** What becomes of objects when the controllers run: their pods, their status, their end. */
import { create, get, mergePatch, post, put, remove, storyServer, type Written } from "#test/support/story.ts";
import { podsBecomeReady, podsExist, podsFail, podsSucceed } from "#test/support/story-actors.ts";
import {
  autoscaler,
  clusterRole,
  configMap,
  daemonSet,
  deployment,
  disruptionBudget,
  endpoints,
  job,
  node,
  persistentVolume,
  persistentVolumeClaim,
  pod,
  replicaSet,
  resourceQuota,
  secret,
  service,
  serviceAccount,
  statefulSet,
} from "#test/support/story-objects.ts";

const stories = storyServer("controllers");

/** Nothing schedules here, so that pods stay where they are put. */
const unscheduled = (labels: Record<string, string> = { app: "a" }) => ({
  metadata: { labels },
  spec: { schedulerName: "nobody", containers: [{ name: "c", image: "app:1" }] },
});
const readyNode = (name: string, labels = {}) => [
  create(node(name, {}, { labels })),
  mergePatch(`/api/v1/nodes/${name}/status`, {
    status: {
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          lastHeartbeatTime: "2024-01-01T00:00:00Z",
          lastTransitionTime: "2024-01-01T00:00:00Z",
        },
      ],
    },
  }),
];
const ofOld = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

/** An event of this reason about objects of this kind says this. */
const told = (kind: string, reason: string, message: string) =>
  get(`events?fieldSelector=involvedObject.kind=${kind},reason=${reason}`)
    .meets(({ items }) => {
      const messages = (items as { message: string }[]).map((each) => each.message);
      if (!messages.some((each) => each.includes(message))) throw new Error(messages.join("\n"));
    })
    .eventually();

stories("a deployment", [
  [
    "makes a replica set that makes pods",
    create(deployment("web", { replicas: 2, template: unscheduled() })).saves("uid", "metadata.uid"),
    podsExist("app=a", 2),
    get("replicasets")
      .shows({
        items: [
          {
            metadata: {
              annotations: {
                "deployment.kubernetes.io/desired-replicas": "2",
                "deployment.kubernetes.io/max-replicas": "3",
                "deployment.kubernetes.io/revision": "1",
              },
              ownerReferences: [
                { kind: "Deployment", name: "web", uid: "{uid}", controller: true, blockOwnerDeletion: true },
              ],
            },
            spec: { replicas: 2 },
          },
        ],
      })
      .eventually(),
    get("deployments/web")
      .shows({
        metadata: { annotations: { "deployment.kubernetes.io/revision": "1" } },
        status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, unavailableReplicas: 2 },
      })
      .eventually(),
    get("events?fieldSelector=involvedObject.kind=Deployment")
      .meets(({ items }) => {
        const [first] = items as { reason: string; message: string }[];
        if (!/^Scaled up replica set web-[a-z0-9]+ from 0 to 2$/.test(first?.message ?? ""))
          throw new Error(first?.message);
      })
      .eventually(),
  ],
  [
    "is available when its pods are",
    create(deployment("web", { replicas: 2, template: unscheduled() })),
    podsBecomeReady("app=a", 2),
    get("deployments/web")
      .shows({
        status: {
          readyReplicas: 2,
          availableReplicas: 2,
          terminatingReplicas: 0,
          conditions: [
            {
              type: "Available",
              status: "True",
              reason: "MinimumReplicasAvailable",
              message: "Deployment has minimum availability.",
            },
            { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" },
          ],
        },
      })
      .eventually(),
  ],
  [
    "rolls over within its surge and what may be missing",
    create(deployment("web", { replicas: 4, template: unscheduled({ app: "a", v: "one" }) })),
    podsBecomeReady("app=a", 4),
    get("deployments/web")
      .shows({ status: { availableReplicas: 4 } })
      .eventually(),
    mergePatch("deployments/web", { spec: { template: { metadata: { labels: { v: "two" } } } } }),
    get("deployments/web")
      .shows({
        status: {
          observedGeneration: 2,
          replicas: 5,
          updatedReplicas: 2,
          readyReplicas: 3,
          availableReplicas: 3,
          unavailableReplicas: 2,
        },
      })
      .eventually(),
  ],
  [
    "lets all of its pods go first if it recreates",
    create(
      deployment("web", { replicas: 2, strategy: { type: "Recreate" }, template: unscheduled({ app: "a", v: "one" }) }),
    ),
    podsBecomeReady("app=a", 2),
    mergePatch("deployments/web", { spec: { template: { metadata: { labels: { v: "two" } } } } }),
    get("pods?labelSelector=v=one").lists().eventually(),
    podsExist("v=two", 2),
  ],
  [
    "says that it waits while it is paused",
    create(deployment("web", { paused: true, template: unscheduled() })),
    get("deployments/web")
      .hasCondition("Progressing", { status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" })
      .eventually(),
    get("replicasets").lists(),
  ],
]);

stories("a replica set", [
  [
    "replaces a pod that is deleted",
    create(replicaSet("rs", { template: unscheduled() })),
    podsExist("app=a", 1),
    remove("pods/{poda}"),
    get("pods/{poda}").answers(404).eventually(),
    podsExist("app=a", 1),
  ],
  [
    "adopts a pod that fits",
    create(pod("own", { schedulerName: "nobody" }, {}, { labels: { app: "a" } })),
    create(replicaSet("rs", { template: unscheduled() })),
    get("pods/own")
      .shows({ metadata: { ownerReferences: [{ kind: "ReplicaSet", name: "rs", controller: true }] } })
      .eventually(),
    get("pods").lists("own"),
  ],
  [
    "lets go of a pod that no longer fits",
    create(replicaSet("rs", { template: unscheduled() })),
    podsExist("app=a", 1),
    mergePatch("pods/{poda}", { metadata: { labels: { app: "b" } } }),
    get("pods/{poda}").lacks("metadata.ownerReferences").eventually(),
    podsExist("app=a", 1),
  ],
  [
    "leaves its pods to others if it is orphaned away",
    create(replicaSet("rs", { template: unscheduled() })),
    podsExist("app=a", 1),
    remove("replicasets/rs?propagationPolicy=Orphan"),
    get("replicasets/rs").answers(404).eventually(),
    get("pods/{poda}").lacks("metadata.ownerReferences", "metadata.deletionTimestamp"),
  ],
]);

stories("a stateful set", [
  [
    "makes one pod after the other, with its index",
    create(statefulSet("db", { replicas: 2, serviceName: "db", template: unscheduled() })),
    get("pods/db-0")
      .shows({
        metadata: { labels: { "apps.kubernetes.io/pod-index": "0", "statefulset.kubernetes.io/pod-name": "db-0" } },
        spec: { hostname: "db-0", subdomain: "db" },
      })
      .eventually(),
    get("pods/db-1").answers(404),
    podsBecomeReady("app=a", 1),
    get("pods/db-1").eventually(),
    get("events?fieldSelector=involvedObject.kind=StatefulSet")
      .meets(({ items }) => {
        const messages = (items as { message: string }[]).map(({ message }) => message);
        if (!messages.includes("Create Pod db-0 in StatefulSet db successful")) throw new Error(messages.join());
      })
      .eventually(),
  ],
  [
    "makes claims of its templates, which outlive it",
    create(
      statefulSet("db", {
        serviceName: "db",
        template: unscheduled(),
        volumeClaimTemplates: [
          {
            metadata: { name: "data" },
            spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
          },
        ],
      }),
    ),
    get("persistentvolumeclaims/data-db-0").eventually(),
    remove("statefulsets/db"),
    get("pods/db-0").answers(404).eventually(),
    get("persistentvolumeclaims/data-db-0").lacks("metadata.deletionTimestamp"),
  ],
]);

stories("a daemon set", [
  [
    "has a pod for each node that fits",
    ...readyNode("{ns}-n", { pool: "{ns}" }),
    create(
      daemonSet("ds", {
        template: { ...unscheduled(), spec: { ...unscheduled().spec, nodeSelector: { pool: "{ns}" } } },
      }),
    ),
    podsExist("app=a", 1),
    get("pods/{poda}").has("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution", {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["{ns}-n"] }] }],
    }),
    get("daemonsets/ds")
      .shows({ status: { desiredNumberScheduled: 1 } })
      .eventually(),
    remove("/api/v1/nodes/{ns}-n"),
  ],
  [
    "that surges has the new pod beside the old one until it is available",
    ...readyNode("{ns}-n", { pool: "{ns}" }),
    create(
      daemonSet(
        "ds",
        {
          template: { ...unscheduled(), spec: { ...unscheduled().spec, nodeSelector: { pool: "{ns}" } } },
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        },
        { annotations: { note: "kept" } },
      ),
    ),
    podsBecomeReady("app=a", 1),
    get("controllerrevisions")
      .shows({ items: [{ metadata: { annotations: { note: "kept" } } }] })
      .eventually(),
    mergePatch("daemonsets/ds", { spec: { template: { metadata: { labels: { version: "two" } } } } }),
    podsExist("app=a", 2),
    podsBecomeReady("version=two", 1),
    podsExist("app=a", 1),
    get("daemonsets/ds")
      .shows({ status: { updatedNumberScheduled: 1, numberAvailable: 1 } })
      .eventually(),
    remove("/api/v1/nodes/{ns}-n"),
  ],
]);

const work = (spec = {}): Written =>
  job("task", { template: { spec: { ...unscheduled().spec, restartPolicy: "Never" } }, ...spec });
const ofTask = "batch.kubernetes.io/job-name=task";
stories("a job", [
  [
    "is complete when its pods succeed",
    create(work()),
    podsSucceed(ofTask, 1),
    get("jobs/task")
      .shows({
        status: {
          succeeded: 1,
          conditions: [
            {
              type: "SuccessCriteriaMet",
              status: "True",
              reason: "CompletionsReached",
              message: "Reached expected number of succeeded pods",
            },
            { type: "Complete", status: "True", reason: "CompletionsReached" },
          ],
        },
      })
      .eventually(),
  ],
  [
    "fails when its tries are used up",
    create(work({ backoffLimit: 0 })),
    podsFail(ofTask, 1),
    get("jobs/task")
      .shows({
        status: {
          failed: 1,
          conditions: [
            {
              type: "FailureTarget",
              status: "True",
              reason: "BackoffLimitExceeded",
              message: "Job has reached the specified backoff limit",
            },
            { type: "Failed", status: "True", reason: "BackoffLimitExceeded" },
          ],
        },
      })
      .eventually(),
  ],
  [
    "that is suspended has no pods",
    create(work({ suspend: true })),
    get("jobs/task")
      .shows({
        status: {
          conditions: [{ type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" }],
        },
      })
      .eventually(),
    get("pods").lists(),
    mergePatch("jobs/task", { spec: { suspend: false } }),
    podsExist(ofTask, 1),
  ],
  [
    "of indexes names its pods by them",
    create(work({ completionMode: "Indexed", completions: 2, parallelism: 2 })),
    podsExist(ofTask, 2),
    get("pods?labelSelector=batch.kubernetes.io/job-completion-index=1").meets(({ items }) => {
      const names = (items as Written[]).map(({ metadata }) => metadata.name);
      if (names.length !== 1 || !/^task-1-[a-z0-9]{5}$/.test(names[0] ?? "")) throw new Error(names.join());
    }),
  ],
]);

const owned = (by: string, fields = {}) => ({
  ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: by, uid: `{${by}}`, ...fields }],
});
const owner = create(configMap("a")).saves("a", "metadata.uid");
stories("the garbage collector", [
  [
    "takes what the deleted owned, and what that owned",
    owner,
    create(configMap("b", {}, owned("a"))).saves("b", "metadata.uid"),
    create(configMap("c", {}, owned("b"))),
    remove("configmaps/a"),
    get("configmaps/c").answers(404).eventually(),
  ],
  [
    "leaves orphans",
    owner,
    create(configMap("b", {}, owned("a"))),
    remove("configmaps/a?propagationPolicy=Orphan"),
    get("configmaps/a").answers(404).eventually(),
    get("configmaps/b").lacks("metadata.ownerReferences"),
  ],
  [
    "waits for those that block, if asked to take them first",
    owner,
    create(configMap("b", {}, { ...owned("a", { blockOwnerDeletion: true }), finalizers: ["x.io/hold"] })),
    remove("configmaps/a?propagationPolicy=Foreground"),
    get("configmaps/b")
      .shows({ metadata: { deletionGracePeriodSeconds: 0 } })
      .eventually(),
    get("configmaps/a").shows({ metadata: { finalizers: ["foregroundDeletion"] } }),
    mergePatch("configmaps/b", { metadata: { finalizers: null } }),
    get("configmaps/a").answers(404).eventually(),
  ],
  [
    "takes what an absent owner left",
    create(
      configMap(
        "b",
        {},
        {
          ownerReferences: [
            { apiVersion: "v1", kind: "ConfigMap", name: "never", uid: "11111111-2222-4333-8444-555555555555" },
          ],
        },
      ),
    ),
    get("configmaps/b").answers(404).eventually(),
  ],
  [
    "leaves what owners of an unknown kind own",
    create(
      configMap(
        "b",
        {},
        {
          ownerReferences: [
            { apiVersion: "x.io/v1", kind: "Nothing", name: "a", uid: "11111111-2222-4333-8444-555555555557" },
          ],
        },
      ),
    ),
    owner,
    create(configMap("d", {}, owned("a"))),
    remove("configmaps/a"),
    get("configmaps/d").answers(404).eventually(),
    get("configmaps/b"),
  ],
]);

stories("a namespace", [
  [
    "gets an account and the root certificate",
    post("/api/v1/namespaces", { metadata: { name: "{ns}-x" } }),
    get("/api/v1/namespaces/{ns}-x/serviceaccounts/default").eventually(),
    get("/api/v1/namespaces/{ns}-x/configmaps/kube-root-ca.crt")
      .shows({
        metadata: {
          annotations: {
            "kubernetes.io/description":
              "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
          },
        },
      })
      .eventually(),
  ],
  [
    "takes all that is in it along",
    post("/api/v1/namespaces", { metadata: { name: "{ns}-x" } }),
    post("/api/v1/namespaces/{ns}-x/configmaps", configMap("m")),
    post("/api/v1/namespaces/{ns}-x/secrets", secret("s")),
    remove("/api/v1/namespaces/{ns}-x"),
    get("/api/v1/namespaces/{ns}-x").answers(404).eventually(),
    get("/api/v1/namespaces/{ns}-x/configmaps").lists(),
  ],
  [
    "says what holds it",
    post("/api/v1/namespaces", { metadata: { name: "{ns}-x" } }),
    post("/api/v1/namespaces/{ns}-x/configmaps", configMap("m", {}, { finalizers: ["x.io/hold"] })),
    remove("/api/v1/namespaces/{ns}-x"),
    get("/api/v1/namespaces/{ns}-x")
      .hasCondition("NamespaceFinalizersRemaining", {
        message: "Some content in the namespace has finalizers remaining: x.io/hold in 1 resource instances",
      })
      .eventually(),
  ],
]);

const addressed = { schedulerName: "nobody", nodeName: "{ns}-n" };
stories("a service", [
  [
    "leads to ready pods, in slices and in endpoints",
    ...readyNode("{ns}-n"),
    create(pod("one", addressed, {}, { labels: { app: "a" } })),
    create(service("web", { selector: { app: "a" }, ports: [{ port: 80, targetPort: 8080 }] })),
    podsBecomeReady("app=a", 1),
    get("endpointslices")
      .shows({
        items: [
          {
            metadata: {
              generateName: "web-",
              labels: {
                "kubernetes.io/service-name": "web",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
              },
            },
            addressType: "IPv4",
            endpoints: [
              {
                addresses: ["10.42.7.1"],
                conditions: { ready: true, serving: true, terminating: false },
                nodeName: "{ns}-n",
                targetRef: { kind: "Pod", name: "one" },
              },
            ],
            ports: [{ name: "", port: 8080, protocol: "TCP" }],
          },
        ],
      })
      .eventually(),
    get("endpoints/web")
      .shows({ subsets: [{ addresses: [{ ip: "10.42.7.1" }], ports: [{ port: 8080, protocol: "TCP" }] }] })
      .warns(ofOld)
      .eventually(),
    remove("pods/one?gracePeriodSeconds=0"),
    get("endpointslices").has("items.0.endpoints", null).has("items.0.ports", null).eventually(),
    remove("/api/v1/nodes/{ns}-n"),
  ],
  [
    "without a selector mirrors its endpoints",
    create(service("web")),
    create(endpoints("web", { subsets: [{ addresses: [{ ip: "192.0.2.10" }], ports: [{ port: 8080 }] }] })).warns(
      ofOld,
    ),
    get("endpointslices")
      .shows({
        items: [
          {
            metadata: {
              labels: {
                "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
                "kubernetes.io/service-name": "web",
              },
            },
            endpoints: [{ addresses: ["192.0.2.10"] }],
          },
        ],
      })
      .eventually(),
  ],
]);

stories("a budget", [
  [
    "counts the pods it guards",
    create(replicaSet("rs", { replicas: 3, template: unscheduled() })),
    podsBecomeReady("app=a", 3),
    create(disruptionBudget("b", { spec: { selector: { matchLabels: { app: "a" } }, minAvailable: 2 } })),
    get("poddisruptionbudgets/b")
      .shows({
        status: {
          observedGeneration: 1,
          disruptionsAllowed: 1,
          currentHealthy: 3,
          desiredHealthy: 2,
          expectedPods: 3,
          conditions: [{ type: "DisruptionAllowed", status: "True", reason: "SufficientPods" }],
        },
      })
      .eventually(),
  ],
  [
    "tells that it guards nothing, and what it cannot count",
    create(disruptionBudget("b", { spec: { selector: { matchLabels: { app: "a" } }, maxUnavailable: 1 } })),
    told("PodDisruptionBudget", "NoPods", "No matching pods found"),
    create(work()),
    mergePatch("poddisruptionbudgets/b", { spec: { selector: { matchLabels: { app: null, "job-name": "task" } } } }),
    get("poddisruptionbudgets/b")
      .shows({
        status: {
          disruptionsAllowed: 0,
          conditions: [
            {
              status: "False",
              reason: "SyncFailed",
              message: "jobs.batch does not implement the scale subresource",
            },
          ],
        },
      })
      .eventually(),
    told(
      "PodDisruptionBudget",
      "CalculateExpectedPodCountFailed",
      "Failed to calculate the number of expected pods: jobs.batch does not implement the scale subresource",
    ),
  ],
]);
stories("an autoscaler", [
  [
    "tells that its target is of no known kind, or has no scale",
    create(
      autoscaler("none", {
        spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: "apps/v1", kind: "Nothing", name: "x" } },
      }),
    ),
    get("/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers/none")
      .shows({
        status: {
          conditions: [
            {
              type: "AbleToScale",
              status: "False",
              reason: "FailedGetScale",
              message:
                "the HPA controller was unable to get the target's current scale: " +
                'no matches for kind "Nothing" in group "apps"',
            },
          ],
        },
      })
      .eventually(),
    create(
      daemonSet("x", { template: { ...unscheduled(), spec: { ...unscheduled().spec, nodeSelector: { no: "node" } } } }),
    ),
    create(
      autoscaler("flat", {
        spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: "apps/v1", kind: "DaemonSet", name: "x" } },
      }),
    ),
    told("HorizontalPodAutoscaler", "FailedGetScale", "the server could not find the requested resource"),
  ],
]);
stories("a quota", [
  [
    "counts what is there, and again when it goes",
    create(resourceQuota("q", { spec: { hard: { "count/secrets": "5" } } })),
    create(secret("s")),
    get("resourcequotas/q")
      .has("status", { hard: { "count/secrets": "5" }, used: { "count/secrets": "1" } })
      .eventually(),
    remove("secrets/s"),
    get("resourcequotas/q").has("status.used", { "count/secrets": "0" }).eventually(),
  ],
]);
stories("a claim", [
  [
    "is bound to the volume that waits for it",
    create(
      persistentVolume("{ns}", {
        spec: {
          capacity: { storage: "5Gi" },
          accessModes: ["ReadWriteOnce"],
          storageClassName: "{ns}",
          csi: { driver: "x.io", volumeHandle: "h" },
          claimRef: { namespace: "{ns}", name: "data" },
        },
      }),
    ),
    create(
      persistentVolumeClaim("data", {
        spec: { storageClassName: "{ns}", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } } },
      }),
    ),
    get("persistentvolumeclaims/data")
      .shows({
        metadata: { annotations: { "pv.kubernetes.io/bind-completed": "yes" } },
        spec: { volumeName: "{ns}" },
        status: { phase: "Bound", capacity: { storage: "5Gi" } },
      })
      .eventually(),
    get("persistentvolumes/{ns}")
      .shows({ status: { phase: "Bound" } })
      .eventually(),
  ],
  [
    "tells why the volume that it names will not do",
    create(
      persistentVolume("{ns}", {
        spec: {
          capacity: { storage: "1Gi" },
          accessModes: ["ReadWriteOnce"],
          storageClassName: "other",
          csi: { driver: "x.io", volumeHandle: "h" },
        },
      }),
    ),
    create(
      persistentVolumeClaim("data", {
        spec: {
          storageClassName: "{ns}",
          volumeName: "{ns}",
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: "2Gi" } },
        },
      }),
    ),
    told("PersistentVolumeClaim", "VolumeMismatch", "requested PV is too small"),
    get("persistentvolumeclaims/data").has("status", { phase: "Pending" }).eventually(),
  ],
]);
stories("taints", [
  [
    "that nobody tolerates end pods",
    ...readyNode("{ns}-n"),
    create(pod("one", addressed)),
    mergePatch("/api/v1/nodes/{ns}-n", { spec: { taints: [{ key: "own", effect: "NoExecute" }] } }),
    get("pods/one")
      .shows({ metadata: { deletionGracePeriodSeconds: 30 } })
      .hasCondition("DisruptionTarget", {
        reason: "DeletionByTaintManager",
        message: "Taint manager: deleting due to NoExecute taint",
      })
      .eventually(),
    remove("/api/v1/nodes/{ns}-n"),
  ],
]);
stories("an account's token", [
  [
    "of old goes with the account",
    create(serviceAccount("robot")).saves("uid", "metadata.uid"),
    create(
      secret(
        "token",
        { type: "kubernetes.io/service-account-token" },
        { annotations: { "kubernetes.io/service-account.name": "robot" } },
      ),
    ),
    get("secrets/token").has("metadata.annotations.[kubernetes.io/service-account.uid]", "{uid}").eventually(),
    remove("serviceaccounts/robot"),
    get("secrets/token").answers(404).eventually(),
  ],
]);
stories("an aggregated role", [
  [
    "has the rules of its parts, whatever is written",
    create(
      clusterRole(
        "{ns}-part",
        { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
        { labels: { "{ns}": "1" } },
      ),
    ),
    create(
      clusterRole("{ns}-sum", {
        rules: [],
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { "{ns}": "1" } }] },
      }),
    ),
    get("clusterroles/{ns}-sum")
      .shows({
        metadata: {
          managedFields: [
            { manager: "clusterrole-aggregation-controller", operation: "Apply", fieldsV1: { "f:rules": {} } },
            { manager: "parity" },
          ],
        },
        rules: [{ resources: ["pods"], verbs: ["get"] }],
      })
      .eventually(),
    put(
      "clusterroles/{ns}-sum",
      clusterRole("{ns}-sum", {
        rules: [],
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { "{ns}": "1" } }] },
      }),
    ),
    get("clusterroles/{ns}-sum")
      .shows({ rules: [{ resources: ["pods"], verbs: ["get"] }] })
      .eventually(),
  ],
]);
