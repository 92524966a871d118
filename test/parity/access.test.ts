/** Who may do what: forbidden texts, roles and bindings, escalation, reviews, tokens, nodes, impersonation. */
import { expect } from "vitest";
import { create, get, mergePatch, post, remove, storyServer, type Story, update } from "#test/support/story.ts";
import {
  clusterRole,
  clusterRoleBinding,
  configMap,
  node,
  persistentVolumeClaim,
  pod,
  role,
  roleBinding,
  serviceAccount,
} from "#test/support/story-objects.ts";

const stories = storyServer();

const rbac = "rbac.authorization.k8s.io";
const reads = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
const boundTo = (user: string, kind = "Role") =>
  create(
    roleBinding("b", {
      subjects: [{ kind: "User", name: user, apiGroup: rbac }],
      roleRef: { apiGroup: rbac, kind, name: kind === "Role" ? "r" : "{ns}" },
    }),
  );
const inNamespace = 'in the namespace "{ns}"';

stories("who has no right", [
  [
    "cannot read",
    get("pods/a")
      .as("u")
      .answers(403, `pods "a" is forbidden: User "u" cannot get resource "pods" in API group "" ${inNamespace}`),
    get("pods")
      .as("u")
      .answers(403, `pods is forbidden: User "u" cannot list resource "pods" in API group "" ${inNamespace}`),
  ],
  [
    "hears it before anything is read",
    mergePatch("pods/a?fieldManager=x", "no JSON")
      .as("u")
      .answers(403, `pods "a" is forbidden: User "u" cannot patch resource "pods" in API group "" ${inNamespace}`),
  ],
  [
    "hears it of what is not there",
    get("/apis/apps/v1/namespaces/{ns}/wings")
      .as("u")
      .answers(
        403,
        `wings.apps is forbidden: User "u" cannot list resource "wings" in API group "apps" ${inNamespace}`,
      ),
  ],
  [
    "cannot use subresources",
    get("pods/a/log")
      .as("u")
      .answers(403, `pods "a" is forbidden: User "u" cannot get resource "pods/log" in API group "" ${inNamespace}`),
  ],
  [
    "cannot reach what is in no namespace",
    get("/api/v1/nodes/n1/proxy/metrics")
      .as("u")
      .answers(
        403,
        'nodes "n1" is forbidden: User "u" cannot get resource "nodes/proxy" in API group "" at the cluster scope',
      ),
  ],
  [
    "cannot read other paths",
    get("/no/such/path").as("u").answers(403, 'forbidden: User "u" cannot get path "/no/such/path"'),
  ],
  ["may read health, version and discovery", get("/healthz").as("u"), get("/version").as("u"), get("/apis").as("u")],
  [
    "has a name that is quoted",
    get("secrets")
      .as('Al "the user"')
      .answers(
        403,
        `secrets is forbidden: User "Al \\"the user\\"" cannot list resource "secrets" in API group "" ${inNamespace}`,
      ),
  ],
]);

stories("a role", [
  [
    "gives rights in its namespace",
    create(role("r", { rules: [reads] })),
    boundTo("u"),
    create(pod("a")),
    get("pods/a").as("u"),
    get("/api/v1/namespaces/default/pods")
      .as("u")
      .answers(
        403,
        'pods is forbidden: User "u" cannot list resource "pods" in API group "" in the namespace "default"',
      ),
    remove("pods/a")
      .as("u")
      .answers(403, `pods "a" is forbidden: User "u" cannot delete resource "pods" in API group "" ${inNamespace}`),
  ],
  [
    "of the cluster gives them where it is bound",
    create(clusterRole("{ns}", { rules: [reads] })),
    boundTo("u", "ClusterRole"),
    get("pods").as("u"),
    get("/api/v1/pods")
      .as("u")
      .answers(403, 'pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster scope'),
  ],
  [
    "of names lets a list of one name through",
    create(role("r", { rules: [{ ...reads, resourceNames: ["a"] }] })),
    boundTo("u"),
    get("pods?fieldSelector=metadata.name=a").as("u"),
    get("pods")
      .as("u")
      .answers(403, `pods is forbidden: User "u" cannot list resource "pods" in API group "" ${inNamespace}`),
  ],
  [
    "that is missing is named",
    boundTo("u"),
    get("pods")
      .as("u")
      .answers(
        403,
        `pods is forbidden: User "u" cannot list resource "pods" in API group "" ${inNamespace}: RBAC: role.rbac.authorization.k8s.io "r" not found`,
      ),
  ],
  [
    "of groups and accounts gives rights too",
    create(role("r", { rules: [reads] })),
    create(
      roleBinding("b", {
        subjects: [
          { kind: "Group", name: "team", apiGroup: rbac },
          { kind: "ServiceAccount", name: "robot", namespace: "{ns}" },
        ],
        roleRef: { apiGroup: rbac, kind: "Role", name: "r" },
      }),
    ),
    get("pods").as("x", "team"),
    get("pods").as("system:serviceaccount:{ns}:robot"),
  ],
  [
    "to update lets nobody create by PUT",
    create(role("r", { rules: [{ apiGroups: [""], resources: ["services"], verbs: ["update"] }] })),
    boundTo("u"),
    update({ apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } })
      .as("u")
      .answers(
        403,
        `services "s" is forbidden: User "u" cannot create resource "services" in API group "" ${inNamespace}`,
      ),
  ],
]);

stories("rules and bindings", [
  [
    "say verbs, groups and resources",
    create(role("r", { rules: [{}] })).isInvalid(
      "[rules[0].verbs: Required value: verbs must contain at least one value, rules[0].apiGroups: Required value: resource rules must supply at least one api group, rules[0].resources: Required value: resource rules must supply at least one resource]",
    ),
  ],
  [
    "are about resources or about paths",
    create(clusterRole("{ns}", { rules: [{ ...reads, nonResourceURLs: ["/metrics"] }] })).isInvalid(
      'rules[0].nonResourceURLs: Invalid value: ["/metrics"]: rules cannot apply to both regular resources and non-resource URLs',
    ),
  ],
  [
    "keep what they refer to",
    create(role("r", { rules: [reads] })),
    boundTo("u"),
    mergePatch("rolebindings/b", { roleRef: { name: "other" } }).answers(422),
    mergePatch("rolebindings/b", { subjects: [{ kind: "User" }] }).answers(
      422,
      'RoleBinding.rbac.authorization.k8s.io "b" is invalid: subjects[0].name: Required value',
    ),
  ],
]);

const manages = { apiGroups: [rbac], resources: ["roles", "rolebindings"], verbs: ["create", "update", "patch"] };
stories("nobody gives", [
  [
    "what they do not have",
    create(role("r", { rules: [manages] })),
    boundTo("u"),
    create(role("new", { rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get", "list"] }] }))
      .as("u")
      .answers(
        403,
        'roles.rbac.authorization.k8s.io "new" is forbidden: user "u" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
      ),
  ],
  [
    "what they have not, by a binding",
    create(role("r", { rules: [manages] })),
    boundTo("u"),
    create(role("strong", { rules: [reads] })),
    create(roleBinding("new", { subjects: [], roleRef: { apiGroup: rbac, kind: "Role", name: "strong" } }))
      .as("u")
      .answers(
        403,
        'rolebindings.rbac.authorization.k8s.io "new" is forbidden: user "u" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
      ),
  ],
  [
    "what they do not have, by a change",
    create(role("r", { rules: [manages] })),
    boundTo("u"),
    create(role("new", { rules: [manages] })).as("u"),
    mergePatch("roles/new", { metadata: { labels: { a: "b" } } }).as("u"),
    mergePatch("roles/new", { rules: [manages, reads] })
      .as("u")
      .answers(
        403,
        'roles.rbac.authorization.k8s.io "new" is forbidden: user "u" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
      ),
  ],
  [
    "what they do not have, and hears which of their roles are missing",
    create(role("r", { rules: [manages] })),
    boundTo("u"),
    create(
      roleBinding("lost", {
        subjects: [{ kind: "User", name: "u", apiGroup: rbac }],
        roleRef: { apiGroup: rbac, kind: "Role", name: "gone" },
      }),
    ),
    create(role("new", { rules: [reads] }))
      .as("u")
      .answers(
        403,
        'roles.rbac.authorization.k8s.io "new" is forbidden: user "u" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}; resolution errors: [role.rbac.authorization.k8s.io "gone" not found]',
      ),
  ],
  [
    "more than an admin has, unless they may escalate",
    create(role("r", { rules: [{ ...manages, verbs: ["create", "escalate"] }] })),
    boundTo("u"),
    create(role("new", { rules: [reads] })).as("u"),
  ],
]);

const review = (path: string, kind: string, spec: unknown) =>
  post(path, { apiVersion: "authorization.k8s.io/v1", kind, spec });
const selfReview = (attributes: unknown) =>
  review("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "SelfSubjectAccessReview", {
    resourceAttributes: attributes,
  });
stories("a review", [
  [
    "says what I may",
    selfReview({ namespace: "{ns}", verb: "get", resource: "pods" }).as("u").has("status", { allowed: false }),
    create(role("r", { rules: [reads] })),
    boundTo("u"),
    selfReview({ namespace: "{ns}", verb: "get", resource: "pods" })
      .as("u")
      .has("status", { allowed: true, reason: 'RBAC: allowed by RoleBinding "b/{ns}" of Role "r" to User "u"' }),
  ],
  [
    "says what others may",
    review("/apis/authorization.k8s.io/v1/subjectaccessreviews", "SubjectAccessReview", {
      resourceAttributes: { namespace: "{ns}", verb: "get", resource: "pods" },
    }).answers(422),
  ],
  [
    "is no table",
    selfReview({ verb: "get", resource: "pods" })
      .accepting("application/json;as=Table;v=v1;g=meta.k8s.io")
      .answers(
        406,
        "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
      ),
  ],
  [
    "says who I am",
    post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
    })
      .as("u", "team")
      .has("status.userInfo", { username: "u", groups: ["team", "system:authenticated"] }),
  ],
  [
    "of rules needs a namespace",
    review("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "SelfSubjectRulesReview", {}).answers(
      400,
      "no namespace on request",
    ),
  ],
]);

const request = (spec: unknown) =>
  post("serviceaccounts/robot/token", { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });
const tokenReview = () =>
  post("/apis/authentication.k8s.io/v1/tokenreviews", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    spec: { token: "{token}" },
  });
const robot = create(serviceAccount("robot"));
stories("a token", [
  [
    "tells whose it is",
    robot,
    request({}).saves("token", "status.token"),
    tokenReview().shows({
      status: {
        authenticated: true,
        user: {
          username: "system:serviceaccount:{ns}:robot",
          groups: ["system:serviceaccounts", "system:serviceaccounts:{ns}", "system:authenticated"],
        },
      },
    }),
  ],
  [
    "is of the account at whose address it is asked for",
    robot,
    post("serviceaccounts/robot/token", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: { name: "other" },
      spec: {},
    }).answers(
      422,
      'TokenRequest.authentication.k8s.io "robot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
    ),
  ],
  [
    "that a pod asks for lives for a year, and tells when it should be asked for again",
    robot,
    create(pod("p", { serviceAccountName: "robot" })),
    request({ expirationSeconds: 3607, boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } }).meets((body) => {
      const { token, expirationTimestamp } = body["status"] as { token: string; expirationTimestamp: string };
      const claims = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString("utf8"));
      expect(claims.exp - claims.iat).toBe(365 * 24 * 60 * 60);
      expect(claims["kubernetes.io"].warnafter - claims.iat).toBe(3607);
      expect(Date.parse(expirationTimestamp) / 1000).toBe(claims.iat + 3607);
    }),
  ],
  [
    "lasts ten minutes at least",
    robot,
    request({ expirationSeconds: 600 }),
    request({ expirationSeconds: 599 }).answers(
      422,
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    ),
  ],
  [
    "ends with what it is bound to",
    robot,
    create({ ...configMap("x") }),
    create({ apiVersion: "v1", kind: "Secret", metadata: { name: "s" } }),
    request({ boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "s" } }).saves("token", "status.token"),
    remove("secrets/s"),
    tokenReview().lacks("status.authenticated"),
  ],
  [
    "is bound to what is there",
    robot,
    request({ boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "absent" } }).answers(
      404,
      'secrets "absent" not found',
    ),
  ],
  [
    "is given to nobody where all goes away, and nothing is evicted there",
    create({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "{ns}-gone" },
    }),
    post("/api/v1/namespaces/{ns}-gone/serviceaccounts", { metadata: { name: "robot" } }),
    post("/api/v1/namespaces/{ns}-gone/pods", pod("p", { serviceAccountName: "robot" })),
    remove("/api/v1/namespaces/{ns}-gone"),
    post("/api/v1/namespaces/{ns}-gone/serviceaccounts/robot/token", { spec: {} }).answers(
      403,
      'serviceaccounts "robot" is forbidden: unable to create new content in namespace {ns}-gone because it is being terminated',
    ),
    post("/api/v1/namespaces/{ns}-gone/pods/p/eviction", { metadata: { name: "p" } }).answers(
      403,
      'pods "p" is forbidden: unable to create new content in namespace {ns}-gone because it is being terminated',
    ),
  ],
  [
    "is bound to kinds of the core group, of whatever version",
    robot,
    create(pod("p", { serviceAccountName: "robot" })),
    request({ boundObjectRef: { kind: "Pod", apiVersion: "apps/v1", name: "p" } }).answers(
      400,
      "cannot bind token for object of type apps/v1, Kind=Pod",
    ),
    request({ boundObjectRef: { kind: "Pod", apiVersion: "v9", name: "p" } }),
  ],
  [
    "is bound to a pod of the account",
    robot,
    create(pod("p")),
    request({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p" } }).answers(
      400,
      'cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name.',
    ),
  ],
]);

const nodes = ["system:nodes"];
const self = "system:node:{ns}-n";
const own = "/api/v1/nodes/{ns}-n";
stories("a node", [
  [
    "labels itself, but not as it likes",
    create(node("{ns}-n")),
    mergePatch(own, { metadata: { labels: { custom: "1" } } }).as(self, ...nodes),
    mergePatch(own, {
      metadata: { labels: { "foo.kubernetes.io/a": "1", "node-role.kubernetes.io/control-plane": "" } },
    })
      .as(self, ...nodes)
      .answers(
        403,
        'nodes "{ns}-n" is forbidden: is not allowed to modify labels: foo.kubernetes.io/a, node-role.kubernetes.io/control-plane',
      ),
  ],
  [
    "changes neither its taints nor its owners",
    create(node("{ns}-n")),
    mergePatch(own, { spec: { taints: [] } })
      .as(self, ...nodes)
      .answers(403, 'nodes "{ns}-n" is forbidden: node "{ns}-n" is not allowed to modify taints'),
    mergePatch(own, { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "x", uid: "u" }] } })
      .as(self, ...nodes)
      .answers(403, 'nodes "{ns}-n" is forbidden: node "{ns}-n" is not allowed to modify ownerReferences'),
  ],
  [
    "changes no other node, and reads none",
    create(node("{ns}-n")),
    create(node("{ns}-o")),
    mergePatch("/api/v1/nodes/{ns}-o/status", { status: { phase: "x" } })
      .as(self, ...nodes)
      .answers(403, 'nodes "{ns}-o" is forbidden: node "{ns}-n" is not allowed to modify node "{ns}-o"'),
    get("/api/v1/nodes/{ns}-o")
      .as(self, ...nodes)
      .answers(
        403,
        `nodes "{ns}-o" is forbidden: User "system:node:{ns}-n" cannot get resource "nodes" in API group "" at the cluster scope: node '{ns}-n' cannot read '{ns}-o', only its own Node object`,
      ),
  ],
  [
    "mirrors pods that need nothing of the cluster, and are its own",
    create(node("{ns}-n")).saves("uid", "metadata.uid"),
    ...(
      [
        [{ uid: "u" }, {}, "node {ns}-n UID mismatch: expected u got {uid}"],
        [
          {},
          { volumes: [{ name: "v", projected: { sources: [{ clusterTrustBundle: { name: "b", path: "p" } }] } }] },
          'node "{ns}-n" can not create pods that reference clustertrustbundles',
        ],
      ] as const
    ).map(([owner, spec, text]) =>
      create({
        ...pod("m", { nodeName: "{ns}-n", ...spec }),
        metadata: {
          name: "m",
          annotations: { "kubernetes.io/config.mirror": "x" },
          ownerReferences: [
            { apiVersion: "v1", kind: "Node", name: "{ns}-n", uid: "{uid}", controller: true, ...owner },
          ],
        },
      })
        .as(self, ...nodes)
        .answers(403, `pods "m" is forbidden: ${text}`),
    ),
  ],
  [
    "says nothing of the claims of its pods",
    create(pod("p", { nodeName: "{ns}-n", resourceClaims: [{ name: "c", resourceClaimTemplateName: "t" }] })),
    mergePatch("pods/p/status", { status: { resourceClaimStatuses: [{ name: "c", resourceClaimName: "x" }] } })
      .as(self, ...nodes)
      .answers(403, 'pods "p" is forbidden: node "{ns}-n" cannot update resource claim statues'),
  ],
  [
    "ends its own pods alone",
    create(node("{ns}-n")),
    create(pod("theirs", { nodeName: "{ns}-o" })),
    remove("pods/theirs")
      .as(self, ...nodes)
      .answers(403, 'pods "theirs" is forbidden: node "{ns}-n" can only delete pods with spec.nodeName set to itself'),
    mergePatch("pods/theirs/status", { status: { phase: "Running" } })
      .as(self, ...nodes)
      .answers(
        403,
        'pods "theirs" is forbidden: node "{ns}-n" can only update pod status for pods with spec.nodeName set to itself',
      ),
  ],
  [
    "reads what its pods need, and no more",
    create(configMap("m")),
    create(pod("p", { nodeName: "n1", volumes: [{ name: "v", configMap: { name: "m" } }] })),
    get("configmaps/m").as("system:node:n1", ...nodes),
    get("configmaps/m")
      .as("system:node:n2", ...nodes)
      .answers(
        403,
        `configmaps "m" is forbidden: User "system:node:n2" cannot get resource "configmaps" in API group "" ${inNamespace}: no relationship found between node 'n2' and this object`,
      ),
  ],
  [
    "reads the accounts of its pods",
    create(serviceAccount("robot")),
    create(pod("p", { nodeName: "{ns}-n", serviceAccountName: "robot" })),
    get("serviceaccounts/robot").as(self, ...nodes),
    get("serviceaccounts/default")
      .as(self, ...nodes)
      .answers(
        403,
        `serviceaccounts "default" is forbidden: User "system:node:{ns}-n" cannot get resource "serviceaccounts" in API group "" ${inNamespace}: no relationship found between node '{ns}-n' and this object`,
      ),
  ],
  [
    "says how large a volume is, and nothing else of its claim",
    create(
      persistentVolumeClaim("c", {
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, volumeName: "v" },
      }),
    ),
    create(pod("p", { nodeName: "{ns}-n", volumes: [{ name: "v", persistentVolumeClaim: { claimName: "c" } }] })),
    mergePatch("persistentvolumeclaims/c/status", { status: { capacity: { storage: "1Gi" } } }).as(self, ...nodes),
    mergePatch("persistentvolumeclaims/c/status", { status: { phase: "Lost" } })
      .as(self, ...nodes)
      .answers(
        403,
        'persistentvolumeclaims "c" is forbidden: node "{ns}-n" is not allowed to update fields other than status.quantity and status.conditions: <internal>',
      ),
  ],
  [
    "asks for tokens for whom the volumes of its pods speak to, or who it may ask for",
    create(pod("p", { nodeName: "{ns}-n" })).saves("uid", "metadata.uid"),
    post("serviceaccounts/default/token", {
      spec: { audiences: ["vault"], boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p", uid: "{uid}" } },
    })
      .as(self, ...nodes)
      .answers(
        403,
        'serviceaccounts "default" is forbidden: audience "vault" not found in pod spec volume, system:node:{ns}-n is not authorized to request tokens for this audience',
      ),
    create(
      role("r", {
        rules: [{ apiGroups: [""], resources: ["vault"], verbs: ["request-serviceaccounts-token-audience"] }],
      }),
    ),
    boundTo(self),
    post("serviceaccounts/default/token", {
      spec: { audiences: ["vault"], boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p", uid: "{uid}" } },
    }).as(self, ...nodes),
  ],
  [
    "without a name is none",
    get("/api/v1/nodes")
      .as("system:node:", ...nodes)
      .answers(
        403,
        'nodes is forbidden: User "system:node:" cannot list resource "nodes" in API group "" at the cluster scope: unknown node for user "system:node:"',
      ),
  ],
]);

const bootstrap: Story[] = ["cluster-admin", "admin", "edit", "view"].map((name) => [
  name,
  get(`clusterroles/${name}`).has("metadata.labels", {
    "kubernetes.io/bootstrapping": "rbac-defaults",
    ...(name === "edit" ? { [`${rbac}/aggregate-to-admin`]: "true" } : {}),
    ...(name === "view" ? { [`${rbac}/aggregate-to-edit`]: "true" } : {}),
  }),
]);
stories("from the start there is", [
  ...bootstrap,
  [
    "a binding of administrators",
    get("clusterrolebindings/cluster-admin").has("subjects", [
      { kind: "Group", apiGroup: rbac, name: "system:masters" },
    ]),
  ],
  [
    "aggregation",
    create(clusterRole("{ns}-part", { rules: [reads] }, { labels: { "{ns}": "1" } })),
    create(clusterRole("{ns}-sum", { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { "{ns}": "1" } }] } })),
    create(
      clusterRoleBinding("{ns}", { subjects: [], roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "{ns}-sum" } }),
    ),
  ],
]);
