/** What a pod spec takes where nothing is said. Upstream: pkg/apis/core/v1/defaults.go and the conversion of serviceAccount. */
import type {
  V1Container,
  V1HTTPGetAction,
  V1ObjectMeta,
  V1Pod,
  V1PodSpec,
  V1PodStatus,
  V1PodTemplateSpec,
  V1Probe,
  V1Volume,
} from "#api/generated/types.ts";
import { quantityText, roundResourceList } from "#api/quantity.ts";
import { podLimits, podRequests } from "./pod-resources.ts";
import { isHugePages, isNativeResource } from "./resource-names.ts";

const volumeMode = 0o644;
const sourceNames = /^(name)$/;
const tokenSeconds = 3600;

/** name[:tag][@digest], of which tag and digest count. An image that is no reference has neither. */
const reference =
  /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::([\w][\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/;

/** Always for what moves: the tag "latest" and no tag at all. */
export function pullPolicyOf(image: string | undefined): string {
  const parts = reference.exec(image ?? "");
  if (parts === null) return "IfNotPresent";
  const [, tag, digest] = parts;
  return tag === "latest" || (tag === undefined && digest === undefined) ? "Always" : "IfNotPresent";
}

function defaultHttpGet(action: V1HTTPGetAction | undefined): void {
  if (action === undefined) return;
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

function defaultProbe(probe: V1Probe | undefined): void {
  if (probe === undefined) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
}

function defaultContainer(container: V1Container): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image);
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= "v1";
    if (valueFrom?.resourceFieldRef !== undefined) valueFrom.resourceFieldRef.divisor ??= "0";
    if (valueFrom?.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false;
  }
  roundResourceList(container.resources.limits);
  roundResourceList(container.resources.requests);
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  defaultHttpGet(container.lifecycle?.postStart?.httpGet);
  defaultHttpGet(container.lifecycle?.preStop?.httpGet);
}

function defaultVolume(volume: V1Volume): void {
  if (!Object.keys(volume).some((key) => !sourceNames.test(key))) volume.emptyDir = {};
  const { secret, configMap, downwardAPI, projected, hostPath, iscsi, rbd, azureDisk, scaleIO, ephemeral, image } =
    volume;
  if (secret !== undefined) secret.defaultMode ??= volumeMode;
  if (configMap !== undefined) configMap.defaultMode ??= volumeMode;
  if (downwardAPI !== undefined) {
    downwardAPI.defaultMode ??= volumeMode;
    defaultFieldRefs(downwardAPI.items);
  }
  if (projected !== undefined) {
    projected.defaultMode ??= volumeMode;
    for (const { serviceAccountToken, downwardAPI: files } of projected.sources ?? []) {
      if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= tokenSeconds;
      defaultFieldRefs(files?.items);
    }
  }
  if (hostPath !== undefined) hostPath.type ??= "";
  if (iscsi !== undefined) iscsi.iscsiInterface ||= "default";
  if (rbd !== undefined) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.kind ??= "Shared";
    azureDisk.fsType ??= "ext4";
    azureDisk.readOnly ??= false;
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
  if (ephemeral?.volumeClaimTemplate?.spec !== undefined) defaultClaimSpec(ephemeral.volumeClaimTemplate.spec);
  if (image !== undefined) image.pullPolicy ||= pullPolicyOf(image.reference);
}

export function defaultClaimSpec(spec: {
  volumeMode?: string;
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
}): void {
  spec.volumeMode ??= "Filesystem";
  roundResourceList(spec.resources?.limits);
  roundResourceList(spec.resources?.requests);
}

function defaultFieldRefs(
  files: readonly { fieldRef?: { apiVersion?: string }; resourceFieldRef?: { divisor?: string } }[] | undefined,
): void {
  for (const { fieldRef, resourceFieldRef } of files ?? []) {
    if (fieldRef !== undefined) fieldRef.apiVersion ||= "v1";
    if (resourceFieldRef !== undefined) resourceFieldRef.divisor ??= "0";
  }
}

/** In a pod and in every template. */
export function defaultPodSpec(spec: V1PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) spec.serviceAccountName = spec.serviceAccount = account;
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container as V1Container);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  roundResourceList(spec.overhead);
  roundResourceList(spec.resources?.limits);
  roundResourceList(spec.resources?.requests);
}

export function defaultTemplate(template: V1PodTemplateSpec | undefined): void {
  dropInitAnnotations(template?.metadata);
  if (template?.spec !== undefined) defaultPodSpec(template.spec);
}

/** How init containers were written before they were a field: nobody may see that any more. */
const initAnnotations = ["alpha", "beta"].flatMap((level) =>
  ["init-containers", "init-container-statuses"].map((name) => `pod.${level}.kubernetes.io/${name}`),
);

export function dropInitAnnotations(metadata: V1ObjectMeta | undefined): void {
  const { annotations } = metadata ?? {};
  if (annotations === undefined || !initAnnotations.some((key) => Object.hasOwn(annotations, key))) return;
  for (const key of initAnnotations) delete annotations[key];
  if (Object.keys(annotations).length === 0) delete metadata!.annotations;
}

/** The first of the addresses stands alone, too; what is told alone is believed. */
function matchAddresses(status: V1PodStatus | undefined): void {
  const first = status?.podIPs?.[0]?.ip ?? "";
  if (status === undefined || (status.podIP ?? "") === first) return;
  if (status.podIP) status.podIPs = [{ ip: status.podIP }];
  else status.podIP = first;
}

/** In pods only: requests follow limits, host ports follow container ports, addresses each other. */
export function defaultPod({ metadata, spec, status }: V1Pod): void {
  dropInitAnnotations(metadata);
  matchAddresses(status);
  if (spec === undefined) return;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const { resources } = container;
    if (resources?.limits === undefined || Object.keys(resources.limits).length === 0) continue;
    resources.requests = { ...resources.limits, ...resources.requests };
  }
  spec.enableServiceLinks ??= true;
  defaultPodSpec(spec);
  defaultPodResources(spec);
  if (spec.hostNetwork !== true) return;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])])
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
}

/**
 * A pod that says some of its resources takes the limits of its huge pages from its containers. One that limits some takes
 * the rest of its requests from there, too, and what is still open from its limits.
 */
function defaultPodResources(spec: V1PodSpec): void {
  const { resources } = spec;
  const isSaid = (amounts: Record<string, string> | undefined) => Object.keys(amounts ?? {}).length > 0;
  if (resources === undefined || (!isSaid(resources.limits) && !isSaid(resources.requests))) return;
  const limits: Record<string, string> = { ...resources.limits };
  const requests: Record<string, string> = { ...resources.requests };
  for (const [name, amount] of Object.entries(podLimits(spec)))
    if (isHugePages(name) && !Object.hasOwn(requests, name)) limits[name] ??= quantityText(amount);
  if (!isSaid(limits)) return;
  resources.limits = limits;
  for (const [name, amount] of Object.entries(podRequests(spec)))
    if (!Object.hasOwn(requests, name) && isPodLevel(name) && !isHugePages(name)) requests[name] = quantityText(amount);
  for (const [name, limit] of Object.entries(limits))
    if (!Object.hasOwn(requests, name) && isPodLevel(name)) requests[name] = limit;
  if (isSaid(requests)) resources.requests = requests;
}

const isPodLevel = (name: string) =>
  isNativeResource(name) && (name === "cpu" || name === "memory" || isHugePages(name));
