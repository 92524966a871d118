/** Deleting: what answers, what waits for finalizers, what is left to others, and what is refused. */
import { expect } from "vitest";
import { create, get, mergePatch, post, remove, storyServer, type Story, update } from "#test/support/story.ts";
import {
  configMap,
  deployment,
  endpoints,
  job,
  persistentVolumeClaim,
  pod,
  resourceQuota,
  role,
  secret,
  service,
  serviceAccount,
  storageClass,
} from "#test/support/story-objects.ts";

const stories = storyServer();

const claim = persistentVolumeClaim("a", {
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
});
const success = { kind: "Status", status: "Success" };
const held = configMap("a", {}, { finalizers: ["x.io/f"] });
const unknownUid = "11111111-1111-4111-8111-111111111111";

stories("DELETE answers", [
  [
    "with a Status that names the object",
    create(configMap("a")).saves("uid", "metadata.uid"),
    remove("configmaps/a").shows({ ...success, details: { name: "a", kind: "configmaps", uid: "{uid}" } }),
    get("configmaps/a").answers(404, 'configmaps "a" not found'),
  ],
  ["with the object itself, for a service", create(service("a")), remove("services/a").shows({ kind: "Service" })],
  [
    "with the object itself, for accounts, claims, quotas and classes",
    create(serviceAccount("a")),
    remove("serviceaccounts/a").shows({ kind: "ServiceAccount" }),
    create(claim),
    remove("persistentvolumeclaims/a").shows({ kind: "PersistentVolumeClaim" }),
    create(resourceQuota("a", { spec: { hard: { pods: "1" } } })),
    remove("resourcequotas/a").shows({ kind: "ResourceQuota" }),
    create(storageClass("{ns}", { provisioner: "x.io/p" })),
    remove("storageclasses/{ns}").shows({ kind: "StorageClass" }),
  ],
  ["404 with the group in the name", remove("deployments/a").answers(404, 'deployments.apps "a" not found')],
  [
    "with a warning when a job's pods are left behind",
    create(job("a")),
    remove("jobs/a").warns(
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
    ),
  ],
  [
    "with a warning for a kind of old",
    remove("endpoints/a")
      .answers(404, 'endpoints "a" not found')
      .warns("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
  ],
]);

let written = 0;
const revision = ({ metadata }: Record<string, unknown>) =>
  Number((metadata as { resourceVersion: string }).resourceVersion);
stories("a DELETE that answers with the object", [
  [
    "shows the revision at which it went",
    create(serviceAccount("a")).meets((body) => {
      written = revision(body);
    }),
    remove("serviceaccounts/a").meets((body) => {
      expect(revision(body)).toBeGreaterThan(written);
    }),
  ],
]);

const policy = (title: string, path: string, options: unknown, finalizers: string[]): Story => [
  title,
  create(held),
  remove(path, options).shows({ metadata: { finalizers, deletionGracePeriodSeconds: 0 } }),
];
stories("how dependents go", [
  policy("by default, as the garbage collector sees fit", "configmaps/a", undefined, ["x.io/f"]),
  policy("orphaned, by a query", "configmaps/a?propagationPolicy=Orphan", undefined, ["x.io/f", "orphan"]),
  policy("orphaned, by any text but false", "configmaps/a?orphanDependents=maybe", undefined, ["x.io/f", "orphan"]),
  policy("first, by a body", "configmaps/a", { propagationPolicy: "Foreground" }, ["x.io/f", "foregroundDeletion"]),
  policy(
    "as the body says, if the query says otherwise",
    "configmaps/a?propagationPolicy=Orphan",
    { propagationPolicy: "Foreground" },
    ["x.io/f", "foregroundDeletion"],
  ),
  [
    "first: the object waits, and its generation grows",
    create(deployment("a")),
    remove("deployments/a?propagationPolicy=Foreground").shows({
      metadata: { finalizers: ["foregroundDeletion"], generation: 2 },
    }),
  ],
  [
    "never in an unknown way",
    create(configMap("a")),
    remove("configmaps/a?propagationPolicy=Bogus").answers(
      422,
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Bogus": supported values: "Foreground", "Background", "Orphan", "nil"',
    ),
  ],
]);

stories("an object with finalizers", [
  [
    "goes with the last of them",
    create(held),
    remove("configmaps/a"),
    get("configmaps/a").shows({ metadata: { deletionGracePeriodSeconds: 0, finalizers: ["x.io/f"] } }),
    mergePatch("configmaps/a", { metadata: { finalizers: null } }),
    get("configmaps/a").answers(404, 'configmaps "a" not found'),
  ],
  [
    "is not written again when it is deleted again",
    create(held),
    remove("configmaps/a").saves("rv", "metadata.resourceVersion"),
    remove("configmaps/a").has("metadata.resourceVersion", "{rv}"),
  ],
  [
    "can be changed while it waits",
    create(held),
    remove("configmaps/a"),
    mergePatch("configmaps/a", { data: { z: "1" }, metadata: { labels: { l: "1" } } }).shows({ data: { z: "1" } }),
  ],
  [
    "is never brought back",
    create(held),
    remove("configmaps/a").saves("time", "metadata.deletionTimestamp"),
    mergePatch("configmaps/a", { metadata: { deletionTimestamp: null } }).has("metadata.deletionTimestamp", "{time}"),
    create(configMap("a")).answers(409, 'object is being deleted: configmaps "a" already exists'),
  ],
  [
    "gets no further finalizers",
    create(held),
    remove("configmaps/a"),
    mergePatch("configmaps/a", { metadata: { finalizers: ["x.io/f", "x.io/g"] } }).answers(
      422,
      'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.io/g"}',
    ),
  ],
]);

stories("preconditions", [
  [
    "may be in the query",
    create(configMap("a")).saves("uid", "metadata.uid").saves("rv", "metadata.resourceVersion"),
    remove(`configmaps/a?uid=${unknownUid}`).answers(
      409,
      `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (${unknownUid}) does not match the UID in record ({uid}). The object might have been deleted and then recreated`,
    ),
    remove("configmaps/a?resourceVersion=1").answers(
      409,
      'Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({rv}). The object might have been modified',
    ),
    remove("configmaps/a?uid={uid}&resourceVersion={rv}").shows(success),
  ],
  [
    "of another uid are refused",
    create(configMap("a")).saves("uid", "metadata.uid"),
    remove("configmaps/a", { preconditions: { uid: unknownUid } }).answers(
      409,
      `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (${unknownUid}) does not match the UID in record ({uid}). The object might have been deleted and then recreated`,
    ),
    remove("configmaps/a", { preconditions: { uid: "{uid}" } }).shows(success),
  ],
  [
    "of an older version are refused",
    create(configMap("a")).saves("old", "metadata.resourceVersion"),
    mergePatch("configmaps/a", { data: { x: "1" } }).saves("new", "metadata.resourceVersion"),
    remove("configmaps/a", { preconditions: { resourceVersion: "{old}" } }).answers(
      409,
      'Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition ({old}) does not match the ResourceVersion in record ({new}). The object might have been modified',
    ),
    remove("configmaps/a", { preconditions: { resourceVersion: "{new}" } }).shows(success),
  ],
]);

stories("the body of a DELETE", [
  ["may be empty", create(configMap("a")), remove("configmaps/a", {}).shows(success)],
  [
    "is of no other kind",
    create(configMap("a")),
    remove("configmaps/a", { apiVersion: "v1", kind: "ConfigMap" }).answers(
      400,
      'no kind "ConfigMap" is registered for version "v1" in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"',
    ),
  ],
  [
    "says its numbers as numbers",
    create(configMap("a")),
    remove("configmaps/a", { gracePeriodSeconds: "x" }).answers(
      400,
      "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
    ),
  ],
  [
    "is whole",
    create(configMap("a")),
    remove("configmaps/a", "{").answers(
      400,
      "couldn't get version/kind; json parse error: unexpected end of JSON input",
    ),
  ],
]);

const bound = (spec: Record<string, unknown> = {}) => pod("a", { nodeName: "n1", ...spec });
stories("a pod", [
  [
    "that no node has goes at once",
    create(pod("a")),
    remove("pods/a").shows({ metadata: { deletionGracePeriodSeconds: 0 } }),
    get("pods/a").answers(404, 'pods "a" not found'),
  ],
  [
    "that a node has gets its grace",
    create(bound({ terminationGracePeriodSeconds: 7 })),
    remove("pods/a").shows({ metadata: { deletionGracePeriodSeconds: 7, generation: 2 } }),
    get("pods/a"),
  ],
  [
    "gets the grace that is asked for, later less, never more",
    create(bound()),
    remove("pods/a?gracePeriodSeconds=20").shows({ metadata: { deletionGracePeriodSeconds: 20 } }),
    remove("pods/a?gracePeriodSeconds=60").shows({ metadata: { deletionGracePeriodSeconds: 20 } }),
    remove("pods/a?gracePeriodSeconds=5").shows({ metadata: { deletionGracePeriodSeconds: 5 } }),
    remove("pods/a?gracePeriodSeconds=0"),
    get("pods/a").answers(404, 'pods "a" not found'),
  ],
  [
    "takes a negative grace for one second",
    create(bound()),
    remove("pods/a?gracePeriodSeconds=-5").shows({ metadata: { deletionGracePeriodSeconds: 1 } }),
  ],
  [
    "that has ended goes at once",
    create(bound()),
    mergePatch("pods/a/status", { status: { phase: "Succeeded" } }),
    remove("pods/a"),
    get("pods/a").answers(404, 'pods "a" not found'),
  ],
]);

const three = [
  create(configMap("a", {}, { labels: { k: "1" } })),
  create(configMap("b", {}, { labels: { k: "2" } })),
  create(configMap("c")),
];
stories("deleting a collection", [
  [
    "takes what is selected and lists it",
    ...three,
    remove("configmaps?labelSelector=k").lists("a", "b"),
    get("configmaps").lists("c"),
  ],
  [
    "selects by name too",
    ...three,
    remove("configmaps?fieldSelector=metadata.name=b").lists("b"),
    get("configmaps").lists("a", "c"),
  ],
  ["takes a page", ...three, remove("configmaps?limit=1").lists("a"), get("configmaps").lists("b", "c")],
  ["may hit nothing", ...three, remove("configmaps?labelSelector=k=9").lists(), get("configmaps").lists("a", "b", "c")],
  [
    "leaves what has finalizers",
    create(held),
    remove("configmaps").shows({ items: [{ metadata: { name: "a", finalizers: ["x.io/f"] } }] }),
    get("configmaps").lists("a"),
  ],
]);

stories("what goes along", [
  [
    "a service takes the endpoints of its name",
    create(service("a")),
    create(endpoints("a", { subsets: [] })).warns(
      "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ),
    remove("services/a"),
    get("endpoints/a")
      .answers(404, 'endpoints "a" not found')
      .warns("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
  ],
  [
    "a namespace waits for its finalizer and takes nothing new",
    post("/api/v1/namespaces", { metadata: { name: "{ns}-x" } }),
    remove("/api/v1/namespaces/{ns}-x").shows({
      status: { phase: "Terminating" },
      spec: { finalizers: ["kubernetes"] },
    }),
    remove("/api/v1/namespaces/{ns}-x"),
    post("/api/v1/namespaces/{ns}-x/configmaps", configMap("late")).answers(
      403,
      'configmaps "late" is forbidden: unable to create new content in namespace {ns}-x because it is being terminated',
    ),
  ],
  [
    "a namespace waits for its dependents too, as its deletion asks",
    post("/api/v1/namespaces", { metadata: { name: "{ns}-y", finalizers: ["x.io/f", "orphan"] } }),
    remove("/api/v1/namespaces/{ns}-y?propagationPolicy=Foreground").has("metadata.finalizers", [
      "x.io/f",
      "foregroundDeletion",
    ]),
  ],
  [
    "some namespaces stay",
    remove("/api/v1/namespaces/default").answers(
      403,
      'namespaces "default" is forbidden: this namespace may not be deleted',
    ),
  ],
  [
    "an update of what is gone does not bring it back",
    create(secret("a")),
    remove("secrets/a"),
    update(secret("a")).answers(404, 'secrets "a" not found'),
    create(role("a")),
  ],
]);
