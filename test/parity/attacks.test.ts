/** Ways to more than one was given: each is refused, and what stood there still stands. */
import {
  apply,
  create,
  get,
  jsonPatch,
  mergePatch,
  post,
  put,
  remove,
  storyServer,
  type Story,
  type Written,
} from "#test/support/story.ts";
import {
  clusterRole,
  clusterRoleBinding,
  configMap,
  customResourceDefinition,
  endpoints,
  endpointSlice,
  node,
  pod,
  role,
  roleBinding,
  secret,
  service,
  serviceAccount,
} from "#test/support/story-objects.ts";

const stories = storyServer();

const rbac = "rbac.authorization.k8s.io";
const inNamespace = 'in the namespace "{ns}"';
const may = (user: string, ...rules: object[]) => [
  create(role(`r-${user}`, { rules })),
  create(
    roleBinding(`b-${user}`, {
      subjects: [{ apiGroup: rbac, kind: "User", name: user }],
      roleRef: { apiGroup: rbac, kind: "Role", name: `r-${user}` },
    }),
  ),
];
const on = (resources: string[], ...verbs: string[]) => ({ apiGroups: [""], resources, verbs });

const loopback = "may not be in the loopback range (127.0.0.0/8, ::1/128)";
const linkLocal = "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
const addresses = [
  ["127.0.0.1", loopback],
  ["169.254.169.254", linkLocal],
] as const;
stories(
  "traffic does not go to the machine of somebody else:",
  addresses.flatMap(([address, text]): Story[] => [
    [
      `external address ${address}`,
      create(service("s", { externalIPs: [address] })).isInvalid(
        `spec.externalIPs[0]: Invalid value: "${address}": ${text}`,
      ),
    ],
    [
      `endpoint ${address}`,
      create(endpoints("e", { subsets: [{ addresses: [{ ip: address }], ports: [{ port: 80 }] }] }))
        .isInvalid(`subsets[0].addresses[0].ip: Invalid value: "${address}": ${text}`)
        .warns("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    ],
    [
      `slice ${address}`,
      create(
        endpointSlice("e", { addressType: "IPv4", endpoints: [{ addresses: [address] }], ports: [{ port: 80 }] }),
      ).isInvalid(`endpoints[0].addresses[0]: Invalid value: "${address}": ${text}`),
    ],
  ]),
);

const group = "{ns}.example.com";
const definition = (scope: "Cluster" | "Namespaced"): Written =>
  customResourceDefinition(`things.${group}`, {
    spec: {
      group,
      scope,
      names: { plural: "things", kind: "Thing" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  });
const thing = { apiVersion: `${group}/v1`, kind: "Thing", metadata: { name: "a" } };
const nowhere = "404 page not found\n";
stories("a custom resource has one place:", [
  [
    "of the cluster, it is in no namespace",
    create(definition("Cluster")),
    get(`/apis/${group}/v1/things`).eventually(),
    post(`/apis/${group}/v1/things`, thing),
    ...may("u", { apiGroups: ["*"], resources: ["*"], verbs: ["*"] }),
    get(`/apis/${group}/v1/namespaces/{ns}/things/a`).answers(404, nowhere),
    get(`/apis/${group}/v1/namespaces/{ns}/things/a`).as("u").answers(404, nowhere),
    get(`/apis/${group}/v1/things/a`)
      .as("u")
      .answers(
        403,
        `things.${group} "a" is forbidden: User "u" cannot get resource "things" in API group "${group}" at the cluster scope`,
      ),
    remove(`/apis/${group}/v1/namespaces/{ns}/things/a`).answers(404, nowhere),
    get(`/apis/${group}/v1/things/a`),
  ],
  [
    "of a namespace, it is not the cluster's",
    create(definition("Namespaced")),
    get(`/apis/${group}/v1/things`).eventually(),
    post(`/apis/${group}/v1/namespaces/{ns}/things`, thing),
    get(`/apis/${group}/v1/things/a`).answers(404, nowhere),
    remove(`/apis/${group}/v1/things/a`).answers(404, nowhere),
    get(`/apis/${group}/v1/namespaces/{ns}/things/a`),
  ],
]);

const self = "system:node:{ns}-n";
const nodes = ["system:nodes"];
const mirror = (spec: object) =>
  pod(
    "m-{ns}-n",
    { nodeName: "{ns}-n", ...spec },
    {},
    {
      annotations: { "kubernetes.io/config.mirror": "x" },
      ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "{ns}-n", uid: "{uid}", controller: true }],
    },
  );
const ownNode = create(node("{ns}-n")).saves("uid", "metadata.uid");
const cannotReference = (what: string) =>
  `pods "m-{ns}-n" is forbidden: node "{ns}-n" can not create pods that reference ${what}`;
stories("a node gets nothing by a pod that it makes up:", [
  ...(
    [
      ["configmaps", { volumes: [{ name: "v", configMap: { name: "s" } }] }],
      ["persistentvolumeclaims", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "s" } }] }],
      ["resourceclaims", { resourceClaims: [{ name: "c", resourceClaimName: "s" }] }],
    ] as const
  ).map(([what, spec]): Story => [
    what,
    ownNode,
    create(mirror(spec))
      .as(self, ...nodes)
      .answers(403, cannotReference(what)),
  ]),
  [
    "an account",
    ownNode,
    create(mirror({ serviceAccountName: "default" }))
      .as(self, ...nodes)
      .answers(403, 'pods "m-{ns}-n" is forbidden: a mirror pod may not reference service accounts'),
  ],
  [
    "secrets",
    ownNode,
    create(mirror({ volumes: [{ name: "v", secret: { secretName: "s" } }] }))
      .as(self, ...nodes)
      .answers(403, 'pods "m-{ns}-n" is forbidden: a mirror pod may not reference secrets'),
  ],
  [
    "a pod that is no mirror",
    ownNode,
    create(pod("p", { nodeName: "{ns}-n" }))
      .as(self, ...nodes)
      .answers(
        403,
        'pods "p" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "{ns}-n" can only create mirror pods',
      ),
  ],
  [
    "other nodes' pods by a selector that only looks as if it asked for its own",
    ownNode,
    get("pods?fieldSelector=spec.nodeName%3D{ns}-n").as(self, ...nodes),
    get("pods?fieldSelector=spec.schedulerName!%3D%5C,spec.nodeName%3D{ns}-n%5C,")
      .as(self, ...nodes)
      .answers(403),
    get("pods?fieldSelector=spec.schedulerName!%3D%5C,spec.nodeName%3D{ns}-n")
      .as(self, ...nodes)
      .answers(403),
  ],
  [
    "a secret that none of its pods uses",
    ownNode,
    create(secret("s")),
    get("secrets/s")
      .as(self, ...nodes)
      .answers(
        403,
        `secrets "s" is forbidden: User "${self}" cannot get resource "secrets" in API group "" ${inNamespace}: no relationship found between node '{ns}-n' and this object`,
      ),
    get("secrets")
      .as(self, ...nodes)
      .answers(
        403,
        `secrets is forbidden: User "${self}" cannot list resource "secrets" in API group "" ${inNamespace}: No Object name found`,
      ),
  ],
]);

const limited = create(
  serviceAccount(
    "limited",
    { secrets: [{ name: "mine" }] },
    { annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } },
  ),
).warns(
  "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets",
);
const notReferenced = "is not allowed because service account limited does not reference that secret";
const key = { name: "x", valueFrom: { secretKeyRef: { name: "other", key: "k" } } };
const from = { secretRef: { name: "other" } };
stories("an account whose secrets are limited gives no others:", [
  ...(
    [
      ["volume with", { volumes: [{ name: "v", secret: { secretName: "other" } }] }, {}],
      ["container c with envVar x referencing", {}, { env: [key] }],
      ["container c with envFrom referencing", {}, { envFrom: [from] }],
      ["init container i with envVar x referencing", { initContainers: [{ name: "i", image: "a", env: [key] }] }, {}],
      [
        "init container i with envFrom referencing",
        { initContainers: [{ name: "i", image: "a", envFrom: [from] }] },
        {},
      ],
    ] as const
  ).map(([by, spec, container]): Story => [
    by,
    limited,
    create(pod("p", { serviceAccountName: "limited", ...spec }, container)).answers(
      403,
      `pods "p" is forbidden: ${by} secret.secretName="other" ${notReferenced}`,
    ),
  ]),
  [
    "ephemeral containers",
    limited,
    create(pod("p", { serviceAccountName: "limited" }, { envFrom: [{ secretRef: { name: "mine" } }] })),
    mergePatch("pods/p/ephemeralcontainers", {
      spec: { ephemeralContainers: [{ name: "e", image: "a", envFrom: [from] }] },
    }).answers(
      403,
      `pods "p" is forbidden: ephemeral container e with envFrom referencing secret.secretName="other" ${notReferenced}`,
    ),
  ],
]);

const clusterRoles = { apiGroups: [rbac], resources: ["clusterroles"], verbs: ["create", "update", "patch", "get"] };
const mayInCluster = (user: string, ...rules: object[]) => [
  create(clusterRole("{ns}-r", { rules })),
  create(
    clusterRoleBinding("{ns}-b", {
      subjects: [{ apiGroup: rbac, kind: "User", name: user }],
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "{ns}-r" },
    }),
  ),
];
const granting = (of: string, name: string) =>
  `${of}.${rbac} "${name}" is forbidden: user "u" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n`;
stories("rights do not grow", [
  [
    "by rules for a role that is aggregated",
    ...mayInCluster("u", clusterRoles),
    create(
      clusterRole(
        "{ns}-new",
        { rules: [on(["secrets"], "get")] },
        { labels: { [`${rbac}/aggregate-to-view`]: "true" } },
      ),
    )
      .as("u")
      .answers(403, `${granting("clusterroles", "{ns}-new")}{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`),
  ],
  [
    "by aggregating what others may do",
    ...mayInCluster("u", clusterRoles),
    create(clusterRole("{ns}-new", { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { all: "1" } }] } }))
      .as("u")
      .answers(
        403,
        `clusterroles.${rbac} "{ns}-new" is forbidden: must have cluster-admin privileges to use the aggregationRule`,
      ),
  ],
  [
    "by a star where only one resource was given",
    ...may("u", on(["pods"], "*"), { apiGroups: [rbac], resources: ["roles"], verbs: ["create"] }),
    create(role("new", { rules: [on(["*"], "get")] }))
      .as("u")
      .answers(403, `${granting("roles", "new")}{APIGroups:[""], Resources:["*"], Verbs:["get"]}`),
  ],
  [
    "by a selector that only looks as if it asked for the one name that was given",
    ...may("u", { ...on(["secrets"], "list"), resourceNames: ["given"] }),
    create(secret("given")),
    create(secret("kept")),
    get("secrets?fieldSelector=metadata.name%3Dgiven").as("u"),
    get("secrets?fieldSelector=type!%3D%5C,metadata.name%3Dgiven")
      .as("u")
      .answers(403, `secrets is forbidden: User "u" cannot list resource "secrets" in API group "" ${inNamespace}`),
  ],
  [
    "by a subresource of what was given",
    ...may("u", on(["pods"], "*")),
    create(pod("p")),
    get("pods/p/log")
      .as("u")
      .answers(403, `pods "p" is forbidden: User "u" cannot get resource "pods/log" in API group "" ${inNamespace}`),
    mergePatch("pods/p/ephemeralcontainers", { spec: { ephemeralContainers: [{ name: "e", image: "a" }] } })
      .as("u")
      .answers(
        403,
        `pods "p" is forbidden: User "u" cannot patch resource "pods/ephemeralcontainers" in API group "" ${inNamespace}`,
      ),
  ],
  [
    "by a status that carries a spec",
    ...may("u", on(["pods/status", "services/status"], "patch", "update")),
    create(pod("p")).saves("version", "metadata.resourceVersion"),
    mergePatch("pods/p/status", { spec: { nodeName: "n", hostNetwork: true, containers: null } })
      .as("u")
      .shows({ spec: { containers: [{ image: "app:1" }] } })
      .lacks("spec.nodeName", "spec.hostNetwork"),
    create(service("s")),
    jsonPatch("services/s/status", [{ op: "add", path: "/spec/externalIPs", value: ["1.2.3.4"] }])
      .as("u")
      .lacks("spec.externalIPs"),
  ],
  [
    "by ephemeral containers in an update of the pod",
    ...may("u", on(["pods"], "patch")),
    create(pod("p")),
    mergePatch("pods/p", { spec: { ephemeralContainers: [{ name: "e", image: "a" }] } })
      .as("u")
      .answers(422),
    get("pods/p").lacks("spec.ephemeralContainers"),
  ],
  [
    "by a scale that carries a template",
    ...may("u", { apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["update", "patch"] }),
    create({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d" },
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "app:1" }] } },
      },
    }),
    mergePatch("deployments/d/scale", { spec: { replicas: 2, template: { spec: { hostNetwork: true } } } })
      .as("u")
      .warns('unknown field "spec.template"')
      .has("spec", { replicas: 2 }),
    get("deployments/d").lacks("spec.template.spec.hostNetwork"),
  ],
  [
    "by a WebSocket that is asked for with a GET",
    ...may("u", on(["pods/exec", "pods/attach", "pods/portforward"], "get")),
    create(pod("p")),
    // The authorizer's reason alone is told: rules that are not there give none.
    ...["exec", "attach", "portforward"].map((way) =>
      get(`pods/p/${way}?command=id`).as("u").answers(403, 'pods "p" is forbidden: '),
    ),
  ],
  [
    "by an approval of what one may only ask for",
    ...mayInCluster("u", {
      apiGroups: ["certificates.k8s.io"],
      resources: ["certificatesigningrequests/approval"],
      verbs: ["update", "patch"],
    }),
    get("/apis/certificates.k8s.io/v1/certificatesigningrequests/{ns}")
      .as("u")
      .answers(
        403,
        `certificatesigningrequests.certificates.k8s.io "{ns}" is forbidden: User "u" cannot get resource "certificatesigningrequests" in API group "certificates.k8s.io" at the cluster scope`,
      ),
  ],
  [
    "by creating through an update",
    ...may("u", { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["update", "patch"] }),
    put("/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/l", {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "l" },
    })
      .as("u")
      .answers(
        403,
        `leases.coordination.k8s.io "l" is forbidden: User "u" cannot create resource "leases" in API group "coordination.k8s.io" ${inNamespace}`,
      ),
    apply(configMap("m"), "u").as("u").answers(403),
  ],
]);

const victim = "configmaps/victim";
stories("a dry run writes nothing:", [
  [
    "of any verb",
    create(configMap("victim", { data: { a: "1" } })).saves("version", "metadata.resourceVersion"),
    create(configMap("new"), "?dryRun=All"),
    mergePatch(`${victim}?dryRun=All`, { data: { a: "2" } }).has("data", { a: "2" }),
    jsonPatch(`${victim}?dryRun=All`, [{ op: "remove", path: "/data" }]).lacks("data"),
    apply(configMap("victim", { data: { b: "2" } }), "m", "&dryRun=All"),
    remove(`${victim}?dryRun=All`),
    remove("configmaps?dryRun=All"),
    get(victim).has("data", { a: "1" }).has("metadata.resourceVersion", "{version}"),
    get("configmaps/new").answers(404),
  ],
  [
    "of what acts on pods",
    create(pod("p")).saves("version", "metadata.resourceVersion"),
    create(node("{ns}-n")),
    post("pods/p/binding?dryRun=All", {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "p" },
      target: { kind: "Node", name: "{ns}-n" },
    }),
    post("pods/p/eviction?dryRun=All", { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p" } }),
    get("pods/p").lacks("spec.nodeName", "metadata.deletionTimestamp").has("metadata.resourceVersion", "{version}"),
  ],
]);
