/** What is decided about pods beside their own rules: security levels, limits, quotas. */
import { create, get, mergePatch, post, storyServer } from "#test/support/story.ts";
import { deployment, limitRange, namespace, pod, resourceQuota } from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;

const secured = (level: string) =>
  create(namespace("{ns}-s", {}, { labels: { "pod-security.kubernetes.io/enforce": level } }));
const inSecured = (spec: Fields, container: Fields = {}) =>
  post(
    "/api/v1/namespaces/{ns}-s/pods?dryRun=All",
    pod("p", { serviceAccountName: "default", automountServiceAccountToken: false, ...spec }, container),
  );
const account = post("/api/v1/namespaces/{ns}-s/serviceaccounts", { metadata: { name: "default" } });
const violates = 'pods "p" is forbidden: violates PodSecurity';
stories("a security level", [
  [
    "of baseline forbids privilege",
    secured("baseline"),
    account,
    inSecured({}, { securityContext: { privileged: true } }).answers(
      403,
      `${violates} "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)`,
    ),
  ],
  [
    "of baseline forbids host ports",
    secured("baseline"),
    account,
    inSecured({}, { ports: [{ containerPort: 80, hostPort: 80 }] }).answers(
      403,
      `${violates} "baseline:latest": hostPort (container "c" uses hostPort 80)`,
    ),
  ],
  ["of baseline allows the rest", secured("baseline"), account, inSecured({})],
  [
    "of restricted tells all at once",
    secured("restricted"),
    account,
    inSecured({}).answers(
      403,
      `${violates} "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`,
    ),
  ],
]);

const limited = (limits: unknown[]) => create(limitRange("l", { spec: { limits } }));
stories("a limit range", [
  [
    "caps a container",
    limited([{ type: "Container", max: { cpu: "1", memory: "1Gi" } }]),
    create(pod("p", {}, { resources: { limits: { cpu: "2", memory: "2Gi" } } })).answers(
      403,
      'pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]',
    ),
  ],
  [
    "gives its most as a limit, its least as a request",
    limited([{ type: "Container", max: { cpu: "1" }, min: { memory: "1Mi" } }]),
    create(pod("p", {}, { resources: { limits: { memory: "2Mi" } } })).has("spec.containers.0.resources", {
      limits: { cpu: "1", memory: "2Mi" },
      requests: { cpu: "1", memory: "2Mi" },
    }),
  ],
  [
    "caps a pod's sum",
    limited([{ type: "Pod", max: { cpu: "1" } }]),
    create(
      pod("p", {
        containers: ["a", "b"].map((name) => ({ name, image: "x", resources: { limits: { cpu: "600m" } } })),
      }),
    ).answers(403, 'pods "p" is forbidden: maximum cpu usage per Pod is 1, but limit is 1200m'),
    create(pod("p")).answers(403, 'pods "p" is forbidden: maximum cpu usage per Pod is 1.  No limit is specified'),
  ],
  [
    "holds pods, not their templates",
    limited([{ type: "Container", max: { cpu: "1" } }]),
    create(
      deployment("d", {
        template: {
          metadata: { labels: { app: "a" } },
          spec: { containers: [{ name: "c", image: "x", resources: { limits: { cpu: "5" } } }] },
        },
      }),
    ),
  ],
]);

const quota = (hard: Fields, used: Fields, spec: Fields = {}) => [
  create(resourceQuota("q", { spec: { hard, ...spec } })),
  mergePatch("resourcequotas/q/status", { status: { hard, used } }),
];
stories("a quota", [
  [
    "is charged at creation",
    ...quota({ pods: "2", "requests.cpu": "1" }, { pods: "0", "requests.cpu": "0" }),
    create(pod("p", {}, { resources: { requests: { cpu: "300m" } } })),
    get("resourcequotas/q").has("status.used", { pods: "1", "requests.cpu": "300m" }),
    create(pod("q", {}, { resources: { requests: { cpu: "800m" } } })).answers(
      403,
      'pods "q" is forbidden: exceeded quota: q, requested: requests.cpu=800m, used: requests.cpu=300m, limited: requests.cpu=1',
    ),
  ],
  [
    "wants amounts to be said",
    ...quota({ "requests.cpu": "1", "limits.memory": "1Gi" }, { "requests.cpu": "0", "limits.memory": "0" }),
    create(pod("p")).answers(
      403,
      'pods "p" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
    ),
  ],
  [
    "of a scope holds its pods alone",
    ...quota({ pods: "0" }, { pods: "0" }, { scopes: ["BestEffort"] }),
    create(pod("p")).answers(
      403,
      'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
    ),
    create(pod("p", {}, { resources: { requests: { cpu: "1" } } })),
  ],
  [
    "of pods with a deadline holds one that is given its deadline later",
    ...quota({ pods: "0" }, { pods: "0" }, { scopes: ["Terminating"] }),
    create(pod("p")),
    mergePatch("pods/p", { spec: { activeDeadlineSeconds: 60 } }).answers(
      403,
      'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
    ),
  ],
]);
