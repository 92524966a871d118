/**
 * What a node may see: itself, its pods, and what those pods refer to. Upstream: plugin/pkg/auth/authorizer/node. The
 * relation is looked up from the cache by the pods that are bound to the node.
 */
import type { V1PersistentVolume, V1Pod, V1ResourceSlice, V1Volume, V1VolumeAttachment } from "#api/generated/types.ts";
import { parseFieldSelector, requiredValue } from "#api/field-selector.ts";
import { SelectorError } from "#api/label-selector.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import { nodeRules } from "#apiserver/bootstrap/cluster-roles.ts";
import { ruleOf } from "#apiserver/bootstrap/rule-table.ts";
import type { ResourceCache } from "#apiserver/cache/resource-cache.ts";
import type { User } from "#apiserver/request.ts";
import { type Attributes, type Authorizer, noOpinion, type Verdict } from "./authorizer.ts";
import { allows } from "./rbac.ts";

/** The node that a user is: its name, "" for a node without one, or undefined. Upstream: nodeidentifier. */
export function nodeNameOf(user: User): string | undefined {
  return user.name.startsWith("system:node:") && user.groups.includes("system:nodes")
    ? user.name.slice("system:node:".length)
    : undefined;
}

const mirrorAnnotation = "kubernetes.io/config.mirror";
const reads = new Set(["get", "list", "watch"]);
const no = (reason: string): Verdict => ({ decision: "no-opinion", reason });
const none: readonly string[] = [];
const yes: Verdict = { decision: "allow", reason: "" };

export class NodeAuthorizer implements Authorizer {
  readonly #pods: ResourceCache;
  readonly #claims: ResourceCache;
  readonly #volumes: ResourceCache;
  readonly #attachments: ResourceCache;
  readonly #slices: ResourceCache;
  /** Keys of pods by what may be their node, and the other way round. */
  readonly #podsOfNode = new Map<string, Set<string>>();
  readonly #nodesOfPod = new Map<string, readonly string[]>();
  /** Whether a node has asked yet. */
  #isPlaced = false;
  /** Pods that changed since a node last asked: only then is it looked where they are. */
  readonly #changed = new Set<string>();

  constructor(cache: ClusterCache) {
    this.#pods = cache.resource("/registry/core/pods/");
    this.#claims = cache.resource("/registry/core/persistentvolumeclaims/");
    this.#volumes = cache.resource("/registry/core/persistentvolumes/");
    this.#attachments = cache.resource("/registry/storage.k8s.io/volumeattachments/");
    this.#slices = cache.resource("/registry/resource.k8s.io/resourceslices/");
    this.#pods.listen((changes) => {
      if (!this.#isPlaced) return;
      for (const { key } of changes) this.#changed.add(key);
    });
  }

  authorize(attributes: Attributes): Verdict {
    const node = nodeNameOf(attributes.user);
    if (node === undefined) return noOpinion;
    if (node === "") return no(`unknown node for user ${JSON.stringify(attributes.user.name)}`);
    if (!attributes.isResource) return noOpinion;
    const { group, resource } = attributes;
    switch (group === "" ? resource : `${resource}.${group}`) {
      case "secrets":
      case "configmaps":
        return this.#readReferenced(node, attributes);
      case "persistentvolumeclaims":
        if (attributes.subresource === "status") return this.#writeStatus(node, attributes);
        return this.#getReferenced(node, attributes);
      case "persistentvolumes":
      case "resourceclaims.resource.k8s.io":
      case "volumeattachments.storage.k8s.io":
        return this.#getReferenced(node, attributes);
      case "serviceaccounts":
        return this.#account(node, attributes);
      case "leases.coordination.k8s.io":
        return lease(node, attributes);
      case "csinodes.storage.k8s.io":
        return ownObject(node, attributes, "CSINode");
      case "nodes":
        return nodeItself(node, attributes);
      case "pods":
        return this.#pod(node, attributes);
      case "resourceslices.resource.k8s.io":
        return this.#slice(node, attributes);
      default:
        return byRules(attributes);
    }
  }

  #place(key: string): void {
    const from = this.#nodesOfPod.get(key) ?? none;
    // Looked up in the encoded pod, since many pods change for each question; what else has this name is sorted out below.
    const to = this.#pods.get(key)?.stringsNamed("nodeName") ?? none;
    if (from.length === to.length && from.every((node, at) => node === to[at])) return;
    for (const node of from) {
      const left = this.#podsOfNode.get(node);
      left?.delete(key);
      if (left?.size === 0) this.#podsOfNode.delete(node);
    }
    if (to.length === 0) this.#nodesOfPod.delete(key);
    else this.#nodesOfPod.set(key, to);
    for (const node of to) {
      const keys = this.#podsOfNode.get(node);
      if (keys === undefined) this.#podsOfNode.set(node, new Set([key]));
      else keys.add(key);
    }
  }

  *#podsOn(node: string): Generator<V1Pod> {
    if (!this.#isPlaced) for (const { key } of this.#pods.entries.range("")) this.#place(key);
    this.#isPlaced = true;
    for (const key of this.#changed) this.#place(key);
    this.#changed.clear();
    for (const key of this.#podsOfNode.get(node) ?? []) {
      const pod = this.#pods.get(key)?.object as V1Pod | undefined;
      if (pod?.spec?.nodeName === node && !isMirror(pod)) yield pod;
    }
  }

  #readReferenced(node: string, attributes: Attributes): Verdict {
    if (!reads.has(attributes.verb)) return no("can only read resources of this type");
    if (attributes.subresource !== "") return no("cannot read subresource");
    if (attributes.namespace === "") return no("can only read namespaced object of this type");
    return this.#related(node, attributes);
  }

  #writeStatus(node: string, attributes: Attributes): Verdict {
    if (attributes.verb !== "update" && attributes.verb !== "patch") return no("can only get/update/patch this type");
    return this.#related(node, attributes);
  }

  #getReferenced(node: string, attributes: Attributes): Verdict {
    if (attributes.verb !== "get") return no("can only get individual resources of this type");
    if (attributes.subresource !== "") return no("cannot get subresource");
    return this.#related(node, attributes);
  }

  #related(node: string, { namespace, name, resource }: Attributes): Verdict {
    if (name === "") return no("No Object name found");
    if (resource === "volumeattachments") return byRelation(node, this.#nodeOfAttachment(name) === node);
    for (const pod of this.#podsOn(node)) if (this.#refersTo(pod, resource, namespace, name)) return yes;
    return byRelation(node, false);
  }

  #nodeOfAttachment(name: string): string | undefined {
    return (this.#attachments.get(name)?.object as V1VolumeAttachment | undefined)?.spec?.nodeName;
  }

  #slice(node: string, attributes: Attributes): Verdict {
    const { verb, name, subresource, fieldSelector = "" } = attributes;
    if (subresource !== "") return no("cannot authorize ResourceSlice subresources");
    if (verb === "create") return yes;
    if (["get", "update", "patch", "delete"].includes(verb)) {
      if (name === "") return no("No Object name found");
      const slice = this.#slices.get(name)?.object as V1ResourceSlice | undefined;
      return byRelation(node, slice?.spec?.nodeName === node);
    }
    if (!["watch", "list", "deletecollection"].includes(verb))
      return no(
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection",
      );
    if (selects(fieldSelector, "spec.nodeName", node)) return yes;
    return no("can only list/watch/deletecollection resourceslices with nodeName field selector");
  }

  #account(node: string, attributes: Attributes): Verdict {
    if (attributes.verb === "get") {
      if (attributes.subresource !== "") return no("not allowed to get service account subresource");
      return this.#related(node, attributes);
    }
    if (attributes.verb !== "create" || attributes.name === "")
      return no("can only create tokens for individual service accounts");
    if (attributes.subresource !== "token") return no("can only create token subresource of serviceaccount");
    return this.#related(node, attributes);
  }

  #pod(node: string, attributes: Attributes): Verdict {
    const { verb, namespace, name, subresource, fieldSelector = "" } = attributes;
    if (subresource !== "" || !reads.has(verb)) return byRules(attributes);
    if (verb !== "get" && selects(fieldSelector, "spec.nodeName", node)) return yes;
    if (name === "") return no("can only list/watch pods with spec.nodeName field selector");
    const pod = this.#pods.get(`${namespace}/${name}`)?.object as V1Pod | undefined;
    // What is gone may be asked for: the answer is that it is gone.
    return byRelation(node, pod === undefined || pod.spec?.nodeName === node);
  }

  #volumesOf(pod: V1Pod): string[] {
    return claimNames(pod).flatMap((claim) => {
      const entry = this.#claims.get(`${pod.metadata.namespace ?? ""}/${claim}`);
      const name = (entry?.object as { spec?: { volumeName?: string } } | undefined)?.spec?.volumeName;
      return name === undefined ? [] : [name];
    });
  }

  /** Whether a secret is what a volume of a pod is mounted with. */
  #isOfVolume(pod: V1Pod, namespace: string, name: string): boolean {
    return this.#volumesOf(pod).some((volume) => {
      const spec = (this.#volumes.get(volume)?.object as V1PersistentVolume | undefined)?.spec;
      return mountSecrets(spec).some((secret) => secret.name === name && secret.namespace === namespace);
    });
  }

  #refersTo(pod: V1Pod, resource: string, namespace: string, name: string): boolean {
    if (resource === "persistentvolumes") return this.#volumesOf(pod).includes(name);
    if (resource === "secrets" && this.#isOfVolume(pod, namespace, name)) return true;
    if (pod.metadata.namespace !== namespace) return false;
    if (resource === "serviceaccounts") return pod.spec?.serviceAccountName === name;
    if (resource === "resourceclaims") return deviceClaimNames(pod).includes(name);
    if (resource === "persistentvolumeclaims") return claimNames(pod).includes(name);
    return referenced(pod, resource === "secrets" ? "secret" : "configMap").has(name);
  }
}

/** Secrets that a kubelet needs for a volume. Upstream: VisitPVSecretNames, those that it may see. */
function mountSecrets(spec: V1PersistentVolume["spec"]): { name?: string; namespace?: string }[] {
  const { azureFile, claimRef, csi, ...sources } = spec ?? {};
  const own = claimRef?.namespace;
  const refs = Object.values(sources).flatMap((source: unknown) => {
    const ref = (source as { secretRef?: { name?: string; namespace?: string } } | null)?.secretRef;
    return ref === undefined || ref === null ? [] : [{ ...ref, namespace: ref.namespace ?? own }];
  });
  const file =
    azureFile === undefined ? [] : [{ name: azureFile.secretName, namespace: azureFile.secretNamespace ?? own }];
  const ofDriver = [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef];
  return [...refs, ...file, ...ofDriver.filter((ref) => ref !== undefined)] as { name?: string; namespace?: string }[];
}

/** A node made it itself: it may not give itself rights with it. */
const isMirror = ({ metadata }: V1Pod): boolean => metadata.annotations?.[mirrorAnnotation] !== undefined;

const byRelation = (node: string, isRelated: boolean): Verdict =>
  isRelated ? yes : no(`no relationship found between node '${node}' and this object`);

function deviceClaimNames({ spec, status }: V1Pod): string[] {
  const named = (spec?.resourceClaims ?? []).map(({ resourceClaimName }) => resourceClaimName);
  const made = (status?.resourceClaimStatuses ?? []).map(({ resourceClaimName }) => resourceClaimName);
  return [...named, ...made, status?.extendedResourceClaimStatus?.resourceClaimName].filter(
    (name) => name !== undefined,
  );
}

function claimNames(pod: V1Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim !== undefined) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral === undefined ? [] : [`${pod.metadata.name ?? ""}-${volume.name}`];
  });
}

const referencesOf = new WeakMap<V1Pod, { secret: Set<string>; configMap: Set<string> }>();

/** Names of the secrets or config maps that a pod mentions anywhere. */
export function referenced(pod: V1Pod, kind: "secret" | "configMap"): Set<string> {
  let found = referencesOf.get(pod);
  if (found === undefined) {
    found = { secret: new Set(), configMap: new Set() };
    collect(pod, found);
    referencesOf.set(pod, found);
  }
  return found[kind];
}

function collect({ spec }: V1Pod, found: { secret: Set<string>; configMap: Set<string> }): void {
  if (spec === undefined) return;
  const add = (set: Set<string>, name: string | undefined) => name !== undefined && name !== "" && set.add(name);
  for (const { name } of spec.imagePullSecrets ?? []) add(found.secret, name);
  for (const container of [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ]) {
    for (const { valueFrom } of container.env ?? []) {
      add(found.secret, valueFrom?.secretKeyRef?.name);
      add(found.configMap, valueFrom?.configMapKeyRef?.name);
    }
    for (const { secretRef, configMapRef } of container.envFrom ?? []) {
      add(found.secret, secretRef?.name);
      add(found.configMap, configMapRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) collectVolume(volume, found, add);
}

function collectVolume(
  volume: V1Volume,
  found: { secret: Set<string>; configMap: Set<string> },
  add: (set: Set<string>, name: string | undefined) => unknown,
): void {
  add(found.secret, volume.secret?.secretName);
  add(found.configMap, volume.configMap?.name);
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    add(found.secret, secret?.name);
    add(found.configMap, configMap?.name);
  }
  // Volume types that take credentials name them in one of these ways.
  for (const source of Object.values(volume) as {
    secretRef?: { name?: string };
    secretName?: string;
    nodePublishSecretRef?: { name?: string };
  }[]) {
    if (source === null || typeof source !== "object") continue;
    add(found.secret, source.secretRef?.name);
    add(found.secret, source.nodePublishSecretRef?.name);
    if (typeof source.secretName === "string") add(found.secret, source.secretName);
  }
}

function lease(node: string, { verb, namespace, name }: Attributes): Verdict {
  if (!["get", "create", "update", "patch", "delete"].includes(verb))
    return no("can only get, create, update, patch, or delete a node lease");
  if (namespace !== "kube-node-lease") return no(`can only access leases in the "kube-node-lease" system namespace`);
  if (verb !== "create" && name !== node)
    return no("can only access node lease with the same name as the requesting node");
  return yes;
}

function ownObject(node: string, { verb, name, subresource }: Attributes, kind: string): Verdict {
  if (!["get", "create", "update", "patch", "delete"].includes(verb))
    return no(`can only get, create, update, patch, or delete a ${kind}`);
  if (subresource !== "") return no(`cannot authorize ${kind} subresources`);
  if (verb !== "create" && name !== node)
    return no(`can only access ${kind} with the same name as the requesting node`);
  return yes;
}

function nodeItself(node: string, attributes: Attributes): Verdict {
  const { verb, name, subresource } = attributes;
  if (!reads.has(verb) || subresource !== "") return byRules(attributes);
  if (name === node) return yes;
  if (name === "") return no(`node '${node}' cannot read all nodes, only its own Node object`);
  return no(`node '${node}' cannot read '${name}', only its own Node object`);
}

/** Whether nothing but objects with this value can be selected. A faulty selector selects nothing that anyone may see. */
function selects(text: string, field: string, value: string): boolean {
  if (!text.includes(field)) return false;
  try {
    return requiredValue(parseFieldSelector(text), field) === value;
  } catch (error) {
    if (error instanceof SelectorError) return false;
    throw error;
  }
}

const rules = nodeRules.map(ruleOf);

/** What every node may do, whatever the object. */
function byRules(attributes: Attributes): Verdict {
  return rules.some((rule) => allows(rule, attributes)) ? yes : noOpinion;
}
