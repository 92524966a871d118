/** What pods are told and where they keep things: config maps, secrets, events, quotas, volumes, claims, classes. */
import { create, get, mergePatch, post, storyServer, type Story, type Written } from "#test/support/story.ts";
import {
  configMap,
  event,
  lease,
  limitRange,
  persistentVolume,
  persistentVolumeClaim,
  resourceQuota,
  secret,
  serviceAccount,
  storageClass,
} from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const invalid = (claim: string, object: Written, text: string): Story => [claim, create(object).isInvalid(text)];

const keyRule =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
stories("a config map", [
  invalid(
    "has keys like file names",
    configMap("m", { data: { "a b": "1" } }),
    `data[a b]: Invalid value: "a b": ${keyRule}`,
  ),
  invalid(
    "has no key that means a folder",
    configMap("m", { data: { ".": "1" } }),
    `data[.]: Invalid value: ".": must not be '.'`,
  ),
  [
    "that is immutable keeps its data, not its labels",
    create(configMap("m", { data: { a: "1" }, immutable: true })),
    mergePatch("configmaps/m", { data: { a: "2" } }).answers(
      422,
      'ConfigMap "m" is invalid: data: Forbidden: field is immutable when `immutable` is set',
    ),
    mergePatch("configmaps/m", { immutable: false }).answers(
      422,
      'ConfigMap "m" is invalid: immutable: Forbidden: field is immutable when `immutable` is set',
    ),
    mergePatch("configmaps/m", { metadata: { labels: { l: "1" } } }),
  ],
]);

stories("a secret", [
  [
    "is opaque, and keeps texts encoded",
    create(secret("s", { stringData: { a: "x" } }))
      .shows({ type: "Opaque", data: { a: "eA==" } })
      .lacks("stringData"),
  ],
  [
    "keeps its type",
    create(secret("s")),
    mergePatch("secrets/s", { type: "x.io/t" }).answers(
      422,
      'Secret "s" is invalid: type: Invalid value: "x.io/t": field is immutable',
    ),
  ],
  invalid(
    "of a type has the keys of that type",
    secret("s", { type: "kubernetes.io/ssh-auth", stringData: { "ssh-privatekey": "" } }),
    "data[ssh-privatekey]: Required value",
  ),
  invalid(
    "of an account names it",
    secret("s", { type: "kubernetes.io/service-account-token" }),
    "metadata.annotations[kubernetes.io/service-account.name]: Required value",
  ),
  [
    "for TLS is warned of what is no certificate",
    create(secret("s", { type: "kubernetes.io/tls", stringData: { "tls.crt": "", "tls.key": "" } })).warns(
      "tls: failed to find any PEM data in certificate input",
    ),
  ],
  [
    "is encoded",
    create(secret("s", { data: { a: 5 } })).answers(
      400,
      'Secret in version "v1" cannot be handled as a Secret: json: cannot unmarshal number into Go struct field Secret.data of type []uint8',
    ),
  ],
]);

stories("a service account", [
  [
    "keeps only names of its secrets",
    create(serviceAccount("a", { secrets: [{ name: "s", kind: "Secret" }] })).has("secrets", [{ name: "s" }]),
  ],
]);

const about = { involvedObject: { kind: "Pod", namespace: "{ns}", name: "p" } };
stories("an event", [
  ["of old may say anything", create(event("e", { ...about, type: "Strange" })).shows({ type: "Strange" })],
  [
    "of the new kind is checked",
    post("/apis/events.k8s.io/v1/namespaces/{ns}/events", {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "e" },
      reportingController: "x.io/c",
      reportingInstance: "c-0",
      action: "A",
      reason: "R",
      type: "Normal",
      regarding: about.involvedObject,
    }).answers(422, 'Event "e" is invalid: eventTime: Required value'),
  ],
  [
    "is one object in two groups",
    create(event("e", { ...about, reason: "R", message: "hello" })),
    get("/apis/events.k8s.io/v1/namespaces/{ns}/events/e")
      .shows({ apiVersion: "events.k8s.io/v1", note: "hello", regarding: { name: "p" } })
      .lacks("message"),
  ],
]);

stories("a lease", [
  [
    "has times to the microsecond",
    create(lease("l", { spec: { renewTime: "2024-01-01T00:00:00.000000Z" } })).has(
      "spec.renewTime",
      "2024-01-01T00:00:00.000000Z",
    ),
  ],
]);

stories("a limit range", [
  [
    "without a name gets one",
    create(limitRange("", { spec: { limits: [] } })).meets(({ metadata }) => {
      const { name = "" } = metadata as { name?: string };
      if (!/^[0-9a-f]{8}-/.test(name)) throw new Error(name);
    }),
  ],
  invalid(
    "of pods has no defaults",
    limitRange("l", { spec: { limits: [{ type: "Pod", default: { cpu: "1" }, defaultRequest: { cpu: "1" } }] } }),
    "[spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod', spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod']",
  ),
]);
stories("a quota", [
  invalid(
    "is not negative",
    resourceQuota("q", { spec: { hard: { pods: "-1" } } }),
    'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0',
  ),
  [
    "keeps its scopes",
    create(resourceQuota("q", { spec: { hard: { pods: "1" }, scopes: ["BestEffort"] } })),
    mergePatch("resourcequotas/q", { spec: { scopes: ["NotBestEffort"] } }).answers(
      422,
      'ResourceQuota "q" is invalid: spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable',
    ),
  ],
]);

const volume = (fields: Fields = {}) =>
  persistentVolume("{ns}", {
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/tmp/x" }, ...fields },
  });
stories("a volume", [
  [
    "has defaults and a finalizer",
    create(volume()).shows({
      metadata: { finalizers: ["kubernetes.io/pv-protection"] },
      spec: {
        persistentVolumeReclaimPolicy: "Retain",
        volumeMode: "Filesystem",
        hostPath: { path: "/tmp/x", type: "" },
      },
      status: { phase: "Pending" },
    }),
  ],
  invalid(
    "needs everything",
    persistentVolume("v"),
    '[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: null: supported values: "storage", spec: Required value: must specify a volume type]',
  ),
  invalid("needs a path", volume({ hostPath: {} }), "spec.hostPath.path: Required value"),
  invalid(
    "of NFS has a whole path",
    volume({ hostPath: undefined, nfs: { server: "s", path: "a" } }),
    'spec.nfs.path: Invalid value: "a": must be an absolute path',
  ),
  [
    "keeps its mode",
    create(volume()),
    mergePatch("persistentvolumes/{ns}", { spec: { volumeMode: "Block" } }).answers(
      422,
      'PersistentVolume "{ns}" is invalid: volumeMode: Invalid value: "Block": field is immutable',
    ),
  ],
  [
    "is warned of what no longer works",
    create(volume({ hostPath: undefined, cephfs: { monitors: ["192.0.2.1:6789"] } })).warns(
      "spec.cephfs: deprecated in v1.28, non-functional in v1.31+",
    ),
  ],
]);

const claim = (fields: Fields = {}) =>
  persistentVolumeClaim("c", {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...fields },
  });
stories("a claim", [
  [
    "has a mode and a finalizer",
    create(claim()).shows({
      metadata: { finalizers: ["kubernetes.io/pvc-protection"] },
      spec: { volumeMode: "Filesystem" },
      status: { phase: "Pending" },
    }),
  ],
  invalid(
    "says how it is used",
    claim({ accessModes: undefined }),
    "spec.accessModes: Required value: at least 1 access mode is required",
  ),
  invalid(
    "asks for something",
    claim({ resources: { requests: { storage: "0" } } }),
    'spec.resources[storage]: Invalid value: "0": must be greater than zero',
  ),
  [
    "from a source of an unknown kind has none",
    create(claim({ dataSource: { apiGroup: "x.io", kind: "Backup", name: "b" } })).lacks(
      "spec.dataSource",
      "spec.dataSourceRef",
    ),
  ],
  [
    "keeps a class of attributes that its volume has, and gives up one that it has not",
    create(claim({ volumeName: "v", volumeAttributesClassName: "fast" })),
    mergePatch("persistentvolumeclaims/c/status", { status: { phase: "Bound", capacity: { storage: "1Gi" } } }),
    mergePatch("persistentvolumeclaims/c", { spec: { volumeAttributesClassName: null } }),
    mergePatch("persistentvolumeclaims/c", { spec: { volumeAttributesClassName: "slow" } }),
    mergePatch("persistentvolumeclaims/c/status", { status: { currentVolumeAttributesClassName: "slow" } }),
    mergePatch("persistentvolumeclaims/c", { spec: { volumeAttributesClassName: null } }).answers(
      422,
      'PersistentVolumeClaim "c" is invalid: spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil',
    ),
  ],
  [
    "may name a volume and a class once, while it waits",
    create(claim()),
    mergePatch("persistentvolumeclaims/c", { spec: { volumeName: "v", storageClassName: "fast" } }),
  ],
  [
    "changes its status apart",
    create(claim()),
    mergePatch("persistentvolumeclaims/c/status", { status: { phase: "Bound", capacity: { storage: "1Gi" } } }).has(
      "status.phase",
      "Bound",
    ),
  ],
]);
stories("a storage class", [
  [
    "has defaults and keeps its provisioner",
    create(storageClass("{ns}", { provisioner: "x.io/p" })).shows({
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
    }),
    mergePatch("storageclasses/{ns}", { provisioner: "x.io/q" }).answers(422),
  ],
]);
