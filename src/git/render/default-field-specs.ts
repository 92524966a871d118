/** Where the built-in transformers write and where names refer to other objects, per kind: kustomize's default configuration. */
import { type FieldSpec, makeFieldSpec } from "./field-spec.ts";
import type { Gvk } from "./gvk.ts";

export interface NameReference extends Gvk {
  readonly referrers: readonly FieldSpec[];
}

const kindOnly = (kind: string): Partial<Gvk> => ({ kind });
const apps = (kind: string): Partial<Gvk> => ({ group: "apps", kind });
const batch = (kind: string): Partial<Gvk> => ({ group: "batch", kind });
const core = (kind: string): Partial<Gvk> => ({ version: "v1", kind });
const rbac = (kind: string): Partial<Gvk> => ({ group: "rbac.authorization.k8s.io", kind });
const networkPolicy: Partial<Gvk> = { group: "networking.k8s.io", kind: "NetworkPolicy" };

const templateKinds = ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job"] as const;
/** The path of the pod spec in each kind that has one. */
const podSpecs: readonly (readonly [kind: string, path: string])[] = [
  ["Pod", "spec"],
  ["PodTemplate", "template/spec"],
  ...templateKinds.map((kind) => [kind, "spec/template/spec"] as const),
  ["CronJob", "spec/jobTemplate/spec/template/spec"],
];

const metadataLabels: readonly FieldSpec[] = [
  makeFieldSpec("metadata/labels", true),
  makeFieldSpec("spec/template/metadata/labels", true, core("ReplicationController")),
  ...["Deployment", "ReplicaSet", "DaemonSet"].map((kind) =>
    makeFieldSpec("spec/template/metadata/labels", true, kindOnly(kind)),
  ),
  makeFieldSpec("spec/template/metadata/labels", true, apps("StatefulSet")),
  makeFieldSpec("spec/volumeClaimTemplates[]/metadata/labels", true, apps("StatefulSet")),
  makeFieldSpec("spec/template/metadata/labels", true, batch("Job")),
  makeFieldSpec("spec/jobTemplate/metadata/labels", true, batch("CronJob")),
  makeFieldSpec("spec/jobTemplate/spec/template/metadata/labels", true, batch("CronJob")),
];

const affinityPaths = ["podAffinity", "podAntiAffinity"].flatMap((kind) => [
  `spec/template/spec/affinity/${kind}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels`,
  `spec/template/spec/affinity/${kind}/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels`,
]);
const schedulingSelectors = (kind: string): FieldSpec[] =>
  [...affinityPaths, "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels"].map((path) =>
    makeFieldSpec(path, false, apps(kind)),
  );

const commonLabels: readonly FieldSpec[] = [
  makeFieldSpec("spec/selector", true, core("Service")),
  makeFieldSpec("spec/selector", true, core("ReplicationController")),
  makeFieldSpec("spec/selector/matchLabels", true, kindOnly("Deployment")),
  ...schedulingSelectors("Deployment"),
  makeFieldSpec("spec/selector/matchLabels", true, kindOnly("ReplicaSet")),
  makeFieldSpec("spec/selector/matchLabels", true, kindOnly("DaemonSet")),
  makeFieldSpec("spec/selector/matchLabels", true, apps("StatefulSet")),
  ...schedulingSelectors("StatefulSet"),
  makeFieldSpec("spec/selector/matchLabels", false, batch("Job")),
  makeFieldSpec("spec/jobTemplate/spec/selector/matchLabels", false, batch("CronJob")),
  makeFieldSpec("spec/selector/matchLabels", false, { group: "policy", kind: "PodDisruptionBudget" }),
  makeFieldSpec("spec/podSelector/matchLabels", false, networkPolicy),
  makeFieldSpec("spec/ingress/from/podSelector/matchLabels", false, networkPolicy),
  makeFieldSpec("spec/egress/to/podSelector/matchLabels", false, networkPolicy),
  ...metadataLabels,
];

const commonAnnotations: readonly FieldSpec[] = [
  makeFieldSpec("metadata/annotations", true),
  makeFieldSpec("spec/template/metadata/annotations", true, core("ReplicationController")),
  ...["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"].map((kind) =>
    makeFieldSpec("spec/template/metadata/annotations", true, kindOnly(kind)),
  ),
  makeFieldSpec("spec/template/metadata/annotations", true, batch("Job")),
  makeFieldSpec("spec/jobTemplate/metadata/annotations", true, batch("CronJob")),
  makeFieldSpec("spec/jobTemplate/spec/template/metadata/annotations", true, batch("CronJob")),
];

const namespace: readonly FieldSpec[] = [
  makeFieldSpec("metadata/name", true, kindOnly("Namespace")),
  makeFieldSpec("spec/service/namespace", true, { group: "apiregistration.k8s.io", kind: "APIService" }),
  makeFieldSpec("spec/conversion/webhook/clientConfig/service/namespace", false, {
    group: "apiextensions.k8s.io",
    kind: "CustomResourceDefinition",
  }),
];

const images: readonly FieldSpec[] = ["spec", "spec/template/spec"].flatMap((path) =>
  ["containers[]/image", "initContainers[]/image", "volumes[]/image/reference"].map((field) =>
    makeFieldSpec(`${path}/${field}`, true),
  ),
);

const replicas: readonly FieldSpec[] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"].map(
  (kind) => makeFieldSpec("spec/replicas", true, kindOnly(kind)),
);

/** Pod fields that name a ConfigMap or a Secret; the pod itself is meant in v1 only. */
function podReferences(fields: readonly string[], isLeftOut: (kind: string, field: string) => boolean): FieldSpec[] {
  return podSpecs.flatMap(([kind, path]) =>
    fields
      .filter((field) => !isLeftOut(kind, field))
      .map((field) => makeFieldSpec(`${path}/${field}`, false, kind === "Pod" ? core(kind) : kindOnly(kind))),
  );
}

const environmentFields = (keyReference: string, reference: string): string[] =>
  ["containers", "initContainers"].flatMap((list) => [
    `${list}/env/valueFrom/${keyReference}/name`,
    `${list}/envFrom/${reference}/name`,
  ]);

const never = (): boolean => false;
const ruleKinds = ["Role", "ClusterRole"].map((kind) => makeFieldSpec("rules/resourceNames", false, kindOnly(kind)));
const ingressAnnotation = (name: string): FieldSpec =>
  makeFieldSpec(`metadata/annotations/${name.replace("/", "\\/")}`, false, kindOnly("Ingress"));

const configMapReferrers: readonly FieldSpec[] = [
  ...podReferences(
    [
      "volumes/configMap/name",
      ...environmentFields("configMapKeyRef", "configMapRef"),
      "volumes/projected/sources/configMap/name",
    ],
    never,
  ),
  makeFieldSpec("spec/configSource/configMap", false, kindOnly("Node")),
  ...ruleKinds,
  ingressAnnotation("nginx.ingress.kubernetes.io/fastcgi-params-configmap"),
];

const secretReferrers: readonly FieldSpec[] = [
  ...podReferences(
    [
      "volumes/secret/secretName",
      ...environmentFields("secretKeyRef", "secretRef"),
      "imagePullSecrets/name",
      "volumes/projected/sources/secret/name",
    ],
    never,
  ),
  makeFieldSpec("spec/tls/secretName", false, kindOnly("Ingress")),
  ingressAnnotation("ingress.kubernetes.io/auth-secret"),
  ingressAnnotation("nginx.ingress.kubernetes.io/auth-secret"),
  ingressAnnotation("nginx.ingress.kubernetes.io/auth-tls-secret"),
  makeFieldSpec("imagePullSecrets/name", false, kindOnly("ServiceAccount")),
  ...["secretName", "adminSecretName", "userSecretName", "secretRef"].map((field) =>
    makeFieldSpec(`parameters/${field}`, false, kindOnly("StorageClass")),
  ),
  ...ruleKinds,
  makeFieldSpec("spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false, {
    group: "serving.knative.dev",
    version: "v1",
    kind: "Service",
  }),
  makeFieldSpec("spec/azureFile/secretName", false, kindOnly("PersistentVolume")),
];

const serviceReferrers: readonly FieldSpec[] = [
  makeFieldSpec("spec/serviceName", false, apps("StatefulSet")),
  ...[
    "spec/rules/http/paths/backend/serviceName",
    "spec/backend/serviceName",
    "spec/rules/http/paths/backend/service/name",
    "spec/defaultBackend/service/name",
  ].map((path) => makeFieldSpec(path, false, kindOnly("Ingress"))),
  makeFieldSpec("spec/service/name", false, { group: "apiregistration.k8s.io", kind: "APIService" }),
  ...["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"].map((kind) =>
    makeFieldSpec("webhooks/clientConfig/service", false, { group: "admissionregistration.k8s.io", kind }),
  ),
];

/** Pod fields that only these kinds are looked through for. */
const workloadSpecs = ["StatefulSet", "Deployment", "ReplicationController", "CronJob", "Job", "DaemonSet"].map(
  (kind) => [kind, kind === "CronJob" ? "spec/jobTemplate/spec/template/spec" : "spec/template/spec"] as const,
);
const workloadReferences = (field: string): FieldSpec[] =>
  [["Pod", "spec"] as const, ...workloadSpecs].map(([kind, path]) =>
    makeFieldSpec(`${path}/${field}`, false, kindOnly(kind)),
  );

const reference = (target: Partial<Gvk>, referrers: readonly FieldSpec[]): NameReference => ({
  group: target.group ?? "",
  version: target.version ?? "",
  kind: target.kind ?? "",
  referrers,
});

const scaleTargets = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"].map((kind) =>
  reference({ kind }, [makeFieldSpec("spec/scaleTargetRef/name", false, kindOnly("HorizontalPodAutoscaler"))]),
);

const nameReferences: readonly NameReference[] = [
  ...scaleTargets,
  reference(core("ConfigMap"), configMapReferrers),
  reference(core("Secret"), secretReferrers),
  reference(core("Service"), serviceReferrers),
  reference(rbac("Role"), [makeFieldSpec("roleRef/name", false, rbac("RoleBinding"))]),
  reference(
    rbac("ClusterRole"),
    ["RoleBinding", "ClusterRoleBinding"].map((kind) => makeFieldSpec("roleRef/name", false, rbac(kind))),
  ),
  reference(core("ServiceAccount"), [
    ...["RoleBinding", "ClusterRoleBinding"].map((kind) => makeFieldSpec("subjects", false, rbac(kind))),
    ...workloadReferences("serviceAccountName"),
  ]),
  reference(core("PersistentVolumeClaim"), workloadReferences("volumes/persistentVolumeClaim/claimName")),
  reference(core("PersistentVolume"), [
    makeFieldSpec("spec/volumeName", false, kindOnly("PersistentVolumeClaim")),
    makeFieldSpec("rules/resourceNames", false, kindOnly("ClusterRole")),
  ]),
  reference({ group: "storage.k8s.io", version: "v1", kind: "StorageClass" }, [
    makeFieldSpec("spec/storageClassName", false, kindOnly("PersistentVolume")),
    makeFieldSpec("spec/storageClassName", false, kindOnly("PersistentVolumeClaim")),
    makeFieldSpec("spec/volumeClaimTemplates/spec/storageClassName", false, kindOnly("StatefulSet")),
  ]),
  reference(
    { group: "scheduling.k8s.io", version: "v1", kind: "PriorityClass" },
    workloadReferences("priorityClassName"),
  ),
  reference({ group: "networking.k8s.io/v1", version: "v1", kind: "IngressClass" }, [
    makeFieldSpec("spec/ingressClassName", false, kindOnly("Ingress")),
  ]),
  reference({ group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicy" }, [
    makeFieldSpec("spec/policyName", false, {
      group: "admissionregistration.k8s.io",
      kind: "ValidatingAdmissionPolicyBinding",
    }),
  ]),
];

const containerTexts = ["args", "command", "env/value", "volumeMounts/mountPath"];
const variableFields = (path: string): string[] => [
  ...["containers", "initContainers"].flatMap((list) => containerTexts.map((field) => `${path}/${list}/${field}`)),
  `${path}/volumes/nfs/server`,
];
const variablesOf = (kind: string, paths: readonly string[]): FieldSpec[] =>
  paths.map((path) => makeFieldSpec(path, false, kindOnly(kind)));

const varReferences: readonly FieldSpec[] = [
  ...variablesOf(
    "CronJob",
    variableFields("spec/jobTemplate/spec/template/spec").map((path) =>
      path.endsWith("volumes/nfs/server") ? "spec/jobTemplate/spec/template/volumes/nfs/server" : path,
    ),
  ),
  ...["DaemonSet", "Deployment", "Job", "ReplicaSet"].flatMap((kind) =>
    variablesOf(kind, variableFields("spec/template/spec")),
  ),
  ...variablesOf("Deployment", ["spec/template/metadata/annotations"]),
  ...variablesOf("Ingress", ["spec/rules/host", "spec/tls/hosts", "spec/tls/secretName"]),
  ...variablesOf("Pod", variableFields("spec")),
  ...variablesOf("Service", ["spec/ports/port", "spec/ports/targetPort"]),
  ...variablesOf("StatefulSet", [
    ...variableFields("spec/template/spec").filter((path) => !path.endsWith("nfs/server")),
    "spec/volumeClaimTemplates/spec/nfs/server",
  ]),
  ...variablesOf("PersistentVolume", ["spec/nfs/server"]),
  makeFieldSpec("metadata/labels"),
  makeFieldSpec("metadata/annotations"),
];

export const defaultFieldSpecs = {
  namePrefix: [makeFieldSpec("metadata/name")],
  nameSuffix: [makeFieldSpec("metadata/name")],
  namespace,
  commonLabels,
  labels: [] as readonly FieldSpec[],
  templateLabels: metadataLabels,
  commonAnnotations,
  nameReferences,
  varReferences,
  images,
  replicas,
};
