/**
 * A node writes only about itself and its pods, and says nothing of itself that would draw workloads or rights to it.
 * Upstream: plugin/pkg/admission/noderestriction/admission.go.
 */
import type { V1CertificateSigningRequest, V1Node, V1PersistentVolumeClaim, V1Pod } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { forbiddenRequest, notFound } from "#api/status-catalogue.ts";
import { nodeNameOf, referenced } from "#apiserver/authz/node.ts";
import { isEqual } from "#apiserver/resource/metadata.ts";
import { subjectOf } from "./certificate-subject.ts";
import { checkNodeToken } from "./node-token.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";

const leaseNamespace = "kube-node-lease";
const mirrorAnnotation = "kubernetes.io/config.mirror";

export const nodeRestriction: AdmissionPlugin = {
  name: "NodeRestriction",
  // As upstream: before a kind's own rules drop what a node must not even ask for.
  mutate(request) {
    if (request.operation !== "CONNECT" && hasBody(request)) check(request);
  },
  validate(request) {
    if (request.operation !== "CONNECT" && !hasBody(request)) check(request);
  },
};

const hasBody = ({ object, options }: AdmissionRequest): boolean => object !== undefined || options !== undefined;

function check(request: AdmissionRequest): void {
  const node = nodeNameOf(request.user);
  if (node === undefined) return;
  if (node === "") throw refuse(request, `could not determine node from user ${JSON.stringify(request.user.name)}`);
  const { group, plural } = request.resource;
  switch (group === "" ? plural : `${plural}.${group}`) {
    case "pods":
      return checkPod(request, node);
    case "nodes":
      return checkNode(request, node);
    case "serviceaccounts":
      return request.subresource === "token" ? checkNodeToken(request, node) : undefined;
    case "persistentvolumeclaims":
      return checkClaimStatus(request, node);
    case "leases.coordination.k8s.io":
      if (request.namespace !== leaseNamespace)
        throw refuse(request, `can only access leases in the "${leaseNamespace}" system namespace`);
      return checkOwn(request, node, "can only access node lease with the same name as the requesting node");
    case "csinodes.storage.k8s.io":
      return checkOwn(request, node, "can only access CSINode with the same name as the requesting node");
    case "resourceslices.resource.k8s.io":
      return checkSlice(request, node);
    case "certificatesigningrequests.certificates.k8s.io":
      return checkSigningRequest(request, node);
    default:
      return undefined;
  }
}

const nodeSigners = new Set(["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"]);

/** A node asks for certificates of its own name only. */
function checkSigningRequest(request: AdmissionRequest, node: string): void {
  if (request.operation !== "CREATE" || request.subresource !== "") return;
  const { spec } = request.object as V1CertificateSigningRequest;
  if (!nodeSigners.has(spec?.signerName ?? "")) return;
  const subject = subjectOf(spec?.request ?? "");
  if (subject === undefined) throw refuse(request, "unable to parse csr: PEM block type must be CERTIFICATE REQUEST");
  if (subject.commonName !== request.user.name)
    throw refuse(request, `can only create a node CSR with CN=system:node:${node}`);
}

function refuse({ resource, name }: AdmissionRequest, text: string) {
  return forbiddenRequest(resource.resourceName, name, text);
}

function checkPod(request: AdmissionRequest, node: string): void {
  const { operation, subresource } = request;
  if (subresource === "status" && operation === "UPDATE") return checkPodStatus(request, node);
  if (subresource === "eviction" && operation === "CREATE") return checkEviction(request, node);
  if (subresource !== "")
    throw refuse(
      request,
      `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
    );
  if (operation === "CREATE") return checkMirrorPod(request, node, request.object as V1Pod);
  if (operation === "DELETE") return checkBound(request, node, request.old as V1Pod, "delete");
  throw refuse(
    request,
    `unexpected operation ${JSON.stringify(operation)}, node ${JSON.stringify(node)} can only create and delete mirror pods`,
  );
}

function checkBound(request: AdmissionRequest, node: string, pod: V1Pod, verb: string): void {
  if (pod.spec?.nodeName === node) return;
  throw refuse(request, `node ${JSON.stringify(node)} can only ${verb} pods with spec.nodeName set to itself`);
}

function checkMirrorPod(request: AdmissionRequest, node: string, pod: V1Pod): void {
  const quoted = JSON.stringify(node);
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined)
    throw refuse(
      request,
      `pod does not have ${JSON.stringify(mirrorAnnotation)} annotation, node ${quoted} can only create mirror pods`,
    );
  checkBound(request, node, pod, "create");
  checkOwner(request, node, pod);
  const { spec } = pod;
  const cannot = (what: string) => refuse(request, `node ${quoted} can not create pods that reference ${what}`);
  if ((spec?.serviceAccountName ?? "") !== "") throw cannot("a service account");
  if (referenced(pod, "secret").size > 0) throw cannot("secrets");
  if (referenced(pod, "configMap").size > 0) throw cannot("configmaps");
  if ((spec?.volumes ?? []).some(({ projected }) => projected?.sources?.some((one) => one.clusterTrustBundle)))
    throw cannot("clustertrustbundles");
  if ((spec?.volumes ?? []).some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined))
    throw cannot("persistentvolumeclaims");
  if ((spec?.resourceClaims ?? []).length > 0) throw cannot("resourceclaims");
}

function checkOwner(request: AdmissionRequest, node: string, { metadata }: V1Pod): void {
  const quoted = JSON.stringify(node);
  const owners = metadata.ownerReferences ?? [];
  const fails = (text: string) =>
    refuse(request, `node ${quoted} can only create pods with an owner reference set to itself${text}`);
  if (owners.length === 0) throw fails("");
  if (owners.length > 1)
    throw refuse(request, `node ${quoted} can only create pods with a single owner reference set to itself`);
  const [owner] = owners;
  if (owner!.apiVersion !== "v1" || owner!.kind !== "Node" || owner!.name !== node) throw fails("");
  if (owner!.controller !== true)
    throw refuse(request, `node ${quoted} can only create pods with a controller owner reference set to itself`);
  if (owner!.blockOwnerDeletion === true)
    throw refuse(request, `node ${quoted} must not set blockOwnerDeletion on an owner reference`);
  const found = request.services.cache.resource("/registry/core/nodes/").get(node)?.object;
  if (found === undefined) throw notFound({ group: "", resource: "nodes" }, node);
  if (found.metadata.uid !== owner!.uid)
    throw refuse(request, `node ${node} UID mismatch: expected ${owner!.uid} got ${found.metadata.uid ?? ""}`);
}

function checkPodStatus(request: AdmissionRequest, node: string): void {
  const old = request.old as V1Pod;
  if (old.spec?.nodeName !== node)
    throw refuse(
      request,
      `node ${JSON.stringify(node)} can only update pod status for pods with spec.nodeName set to itself`,
    );
  if (!isEqual(old.metadata.labels ?? {}, request.object?.metadata.labels ?? {}))
    throw refuse(request, `node ${JSON.stringify(node)} cannot update labels through pod status`);
  const claims = (pod: V1Pod) => pod.status?.resourceClaimStatuses ?? [];
  if (!isEqual(claims(old), claims(request.object as V1Pod)))
    throw refuse(request, `node ${JSON.stringify(node)} cannot update resource claim statues`);
}

function checkEviction(request: AdmissionRequest, node: string): void {
  const pod = request.services.cache.resource("/registry/core/pods/").get(`${request.namespace}/${request.name}`)
    ?.object as V1Pod | undefined;
  if (pod !== undefined && pod.spec?.nodeName !== node)
    throw refuse(request, `node ${node} can only evict pods with spec.nodeName set to itself`);
}

function checkNode(request: AdmissionRequest, node: string): void {
  const { operation, name } = request;
  const quoted = JSON.stringify(node);
  if (name !== node) throw refuse(request, `node ${quoted} is not allowed to modify node ${JSON.stringify(name)}`);
  if (operation === "DELETE") throw refuse(request, `node ${quoted} cannot delete node ${JSON.stringify(name)}`);
  const object = request.object as V1Node;
  const old = request.old as V1Node | undefined;
  if (operation === "CREATE") {
    if (object.spec?.configSource)
      throw refuse(request, `node ${quoted} is not allowed to create pods with a non-nil configSource`);
    checkLabels(request, node, {}, object.metadata.labels ?? {}, "set the following labels");
    return;
  }
  if (object.spec?.configSource && !isEqual(object.spec.configSource, old?.spec?.configSource))
    throw refuse(request, `node ${quoted} is not allowed to update configSource to a new non-nil configSource`);
  if (!isEqual(object.spec?.taints ?? [], old?.spec?.taints ?? []))
    throw refuse(request, `node ${quoted} is not allowed to modify taints`);
  if (!isEqual(object.metadata.ownerReferences ?? [], old?.metadata.ownerReferences ?? []))
    throw refuse(request, `node ${quoted} is not allowed to modify ownerReferences`);
  checkLabels(request, node, old?.metadata.labels ?? {}, object.metadata.labels ?? {}, "modify labels");
}

/** Of a claim, a node says how large its volume is by now, and how that goes on. */
function checkClaimStatus(request: AdmissionRequest, node: string): void {
  if (request.subresource !== "status") throw refuse(request, "may only update PVC status");
  if (request.operation !== "UPDATE")
    throw refuse(request, `unexpected operation ${JSON.stringify(request.operation)}`);
  const rest = (claim: V1PersistentVolumeClaim) => {
    const {
      capacity: _1,
      conditions: _2,
      allocatedResources: _3,
      allocatedResourceStatuses: _4,
      ...status
    } = claim.status ?? {};
    const { resourceVersion: _5, managedFields: _6, ...metadata } = claim.metadata;
    return { spec: claim.spec, status, metadata };
  };
  if (isEqual(rest(request.old as V1PersistentVolumeClaim), rest(request.object as V1PersistentVolumeClaim))) return;
  throw refuse(
    request,
    `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions: <internal>`,
  );
}

/** Labels under kubernetes.io and k8s.io that a node may set on itself. */
const ownLabels = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
]);
const ownPrefixes = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const isUnder = (domain: string, parent: string) => domain === parent || domain.endsWith(`.${parent}`);

function checkLabels(
  request: AdmissionRequest,
  node: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  what: string,
): void {
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => before[key] !== after[key],
  );
  const barred = changed.filter(isBarred).sort();
  if (barred.length === 0) return;
  const subject = what === "modify labels" ? "is" : `node ${JSON.stringify(node)} is`;
  throw refuse(request, `${subject} not allowed to ${what}: ${barred.join(", ")}`);
}

function isBarred(key: string): boolean {
  const slash = key.indexOf("/");
  if (slash < 0) return false;
  const domain = key.slice(0, slash);
  if (isUnder(domain, "node-restriction.kubernetes.io")) return true;
  if (!isUnder(domain, "kubernetes.io") && !isUnder(domain, "k8s.io")) return false;
  return !ownLabels.has(key) && !ownPrefixes.some((prefix) => isUnder(domain, prefix));
}

function checkOwn(request: AdmissionRequest, node: string, text: string): void {
  if (request.name !== node) throw refuse(request, text);
}

/** The authorizer sees to the rest: it knows neither what is made nor each object of a deleted collection. */
function checkSlice(request: AdmissionRequest, node: string): void {
  if (request.operation === "UPDATE") return;
  const slice = (request.object ?? request.old) as (KubernetesObject & { spec?: { nodeName?: string } }) | undefined;
  if (slice?.spec?.nodeName === node) return;
  throw refuse(
    request,
    `can only ${request.operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`,
  );
}
