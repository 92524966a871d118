/** Taints, resources, addresses of a node. Upstream: ValidateNode, ValidateNodeUpdate, v1/defaults.go. */
import type { V1Node, V1NodeConfigStatus, V1Taint } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { compareText, goQuote, isLongerThan } from "#api/go-text.ts";
import { roundResourceList } from "#api/quantity.ts";
import {
  duplicate,
  forbidden,
  internalFault,
  invalid,
  invalidEach,
  notSupported,
  required,
} from "#api/validation/field-errors.ts";
import { isConfigMapKey } from "#api/validation/formats.ts";
import { cidrErrors, cidrWarnings, parseCidr } from "#api/validation/ip.ts";
import {
  charactersError,
  dnsSubdomainBytesMax,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
} from "#api/validation/names.ts";
import { present } from "#api/validation/values.ts";
import { readList, readObject } from "./annotation-json.ts";
import { taintEffects } from "./pod-scheduling.ts";
import { quantityValueErrors } from "./resource-names.ts";

const avoidPodsKey = "scheduler.alpha.kubernetes.io/preferAvoidPods";
const taintsKey = "scheduler.alpha.kubernetes.io/taints";

export function defaultNode(node: V1Node): void {
  const spec = (node.spec ??= {});
  if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
  if (spec.podCIDRs?.[0] !== undefined) spec.podCIDR = spec.podCIDRs[0];
  const { status } = node;
  if (status === undefined) return;
  roundResourceList(status.capacity);
  if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
  roundResourceList(status.allocatable);
}

/** On create, and before the rules of a change on update. */
export function nodeErrors(node: V1Node): FieldError[] {
  const { metadata, spec, status } = node;
  return [
    ...annotationsErrors(metadata.annotations, "metadata.annotations"),
    ...taintsErrors(spec?.taints ?? [], taintsPath),
    ...resourcesErrors(node),
    ...swapErrors(status?.nodeInfo?.swap, "metadata.nodeSwapStatus"),
    ...featuresErrors(status?.declaredFeatures ?? [], featuresPath),
    ...podCidrsErrors(spec?.podCIDRs ?? [], "spec.podCIDRs"),
  ];
}

/** On update of the node or of its status. */
export function nodeUpdateErrors(node: V1Node, old: V1Node): FieldError[] {
  const { metadata, spec, status } = node;
  return [
    ...annotationsErrors(metadata.annotations, "metadata.annotations"),
    ...resourcesErrors(node),
    ...featuresErrors(status?.declaredFeatures ?? [], featuresPath),
    ...addressesErrors(node),
    ...changeErrors(node, old),
    ...configErrors(status?.config, "status.config"),
    ...taintsErrors(spec?.taints ?? [], taintsPath),
    ...((old.spec?.externalID ?? "") === (spec?.externalID ?? "")
      ? []
      : [forbidden("spec.externalID", "may not be updated")]),
  ];
}

/** Upstream reports taints at metadata. */
const taintsPath = "metadata.taints";
const featuresPath = "status.declaredFeatures";

/** Taints and avoided pods as JSON, as they were written before the fields. */
function annotationsErrors(annotations: Record<string, string> = {}, path: string): FieldError[] {
  const avoided = annotations[avoidPodsKey];
  return [
    ...(annotations[taintsKey] ? taintsAnnotationErrors(annotations[taintsKey], path) : []),
    ...(avoided ? avoidedPodsErrors(avoided, path) : []),
  ];
}

function taintsAnnotationErrors(text: string, path: string): FieldError[] {
  const taints = readList(text, "[]core.Taint");
  if (typeof taints === "string") return [invalid(path, taintsKey, taints)];
  return taintsErrors(taints as unknown as V1Taint[], `${path}.${taintsKey}`);
}

function avoidedPodsErrors(text: string, path: string): FieldError[] {
  const avoided = readObject(text, "v1.AvoidPods");
  if (typeof avoided === "string") return [invalid(`${path}.AvoidPods`, avoidPodsKey, avoided)];
  const { preferAvoidPods } = avoided as { preferAvoidPods?: AvoidedPods[] };
  return (preferAvoidPods ?? []).flatMap(({ podSignature }, index) => {
    const at = `${path}.${avoidPodsKey}[${index}].PodSignature`;
    const controller = podSignature?.podController;
    if (controller === undefined) return [required(at)];
    if (controller.controller === true) return [];
    return [invalid(`${at}.PodController.Controller`, false, "must point to a controller")];
  });
}

interface AvoidedPods {
  podSignature?: { podController?: { controller?: boolean } };
}

/** Names of a node's features: known to form, sorted, each once. */
function featuresErrors(features: readonly string[], path: string): FieldError[] {
  return features.flatMap((feature, index) => {
    const fault = featureFault(feature);
    const errors = fault === undefined ? [] : [invalid(`${path}[${index}]`, feature, fault)];
    const next = features[index + 1];
    const at = `${path}[${index + 1}]`;
    if (next === feature) errors.push(duplicate(at, next));
    else if (next !== undefined && compareText(feature, next) > 0)
      errors.push(invalid(at, next, "list must be sorted alphabetically"));
    return errors;
  });
}

const featureRule = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;

function featureFault(feature: string): string | undefined {
  const what = `invalid feature name ${goQuote(feature)}`;
  if (isLongerThan(feature, dnsSubdomainBytesMax)) return `${what}: ${charactersError(dnsSubdomainBytesMax)}`;
  if (featureRule.test(feature)) return undefined;
  const start = "must start with an UpperCamelCase segment, with subsequent segments separated by '/'";
  return `${what}: ${start} (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`;
}

const swapErrors = (swap: { capacity?: number } | undefined, path: string): FieldError[] =>
  swap?.capacity !== undefined && swap.capacity <= 0
    ? [invalid(`${path}.capacity`, swap.capacity, "must be greater than zero")]
    : [];

function taintsErrors(taints: readonly V1Taint[], path: string): FieldError[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const at = `${path}[${index}]`;
    const { key = "", value = "", effect = "" } = taint as Partial<V1Taint>;
    const errors = invalidEach(`${at}.key`, key, isQualifiedName(key));
    const faults = isLabelValue(value);
    if (faults.length > 0) errors.push(invalid(`${at}.value`, value, faults.join(";")));
    if (effect === "") errors.push(required(`${at}.effect`));
    else if (!taintEffects.includes(effect)) errors.push(notSupported(`${at}.effect`, effect, taintEffects));
    const id = `${key}:${effect}`;
    if (seen.has(id)) {
      const error = duplicate(at, taint);
      errors.push({ ...error, message: `${error.message}: taints must be unique by key and effect pair` });
    }
    seen.add(id);
    return errors;
  });
}

function resourcesErrors({ status }: V1Node): FieldError[] {
  return (["capacity", "allocatable"] as const).flatMap((field) =>
    Object.entries(status?.[field] ?? {}).flatMap(([name, amount]) =>
      quantityValueErrors(name, amount, `status.${field}.${name}`),
    ),
  );
}

function podCidrsErrors(ranges: readonly string[], path: string): FieldError[] {
  const errors = ranges.flatMap((range, index) => cidrErrors(`${path}[${index}]`, range));
  if (ranges.length < 2) return errors;
  const families = ranges.map((range) => parseCidr(range)?.family);
  const unreadable = families.indexOf(undefined);
  const fault = `invalid CIDR[${unreadable}]: <nil> (invalid CIDR address: ${ranges[unreadable]})`;
  if (unreadable >= 0)
    errors.push(internalFault(path, `invalid PodCIDRs. failed to check with dual stack with error:${fault}`));
  const isPair = unreadable < 0 && families.includes("IPv4") && families.includes("IPv6");
  if (!isPair || ranges.length > 2)
    errors.push(invalid(path, ranges, "may specify no more than one CIDR for each IP family"));
  return errors;
}

function addressesErrors({ status }: V1Node): FieldError[] {
  const seen = new Set<string>();
  return (status?.addresses ?? []).flatMap((address, index) => {
    const key = `${address.type} ${address.address}`;
    const isSeen = seen.has(key);
    seen.add(key);
    return isSeen ? [duplicate(`status.addresses[${index}]`, address)] : [];
  });
}

function changeErrors({ spec }: V1Node, { spec: old }: V1Node): FieldError[] {
  const before = old?.podCIDRs ?? [];
  const now = spec?.podCIDRs ?? [];
  const changes = before.length === now.length ? before.filter((range, index) => range !== now[index]).length : 1;
  const once = (what: string) => `node updates may not change ${what} except from "" to valid`;
  const errors: FieldError[] = [];
  if (before.length > 0)
    for (let change = 0; change < changes; change++) errors.push(forbidden("spec.podCIDRs", once("podCIDR")));
  if (old?.providerID && old.providerID !== spec?.providerID)
    errors.push(forbidden("spec.providerID", once("providerID")));
  return errors;
}

/** What a kubelet of old said of its dynamic configuration. */
function configErrors(config: V1NodeConfigStatus | undefined, path: string): FieldError[] {
  return (["assigned", "active", "lastKnownGood"] as const).flatMap((field) => {
    const source = config?.[field];
    if (source === undefined) return [];
    const at = `${path}.${field}`;
    const { configMap } = source;
    if (configMap === undefined) return [invalid(at, source, "exactly one reference subfield must be non-nil")];
    const {
      uid,
      resourceVersion,
      namespace = "",
      name = "",
      kubeletConfigKey = "",
    } = configMap as Partial<typeof configMap>;
    const checked = (key: string, text: string, rule: (text: string) => string[]) =>
      text === "" ? [required(`${at}.configMap.${key}`)] : invalidEach(`${at}.configMap.${key}`, text, rule(text));
    return [
      ...present(`${at}.configMap.uid`, uid),
      ...present(`${at}.configMap.resourceVersion`, resourceVersion),
      ...checked("namespace", namespace, isDns1123Label),
      ...checked("name", name, isDns1123Subdomain),
      ...checked("kubeletConfigKey", kubeletConfigKey, isConfigMapKey),
    ];
  });
}

export function nodeWarnings({ spec }: V1Node): string[] {
  return [
    ...(spec?.configSource === undefined ? [] : ["spec.configSource: the feature has been removed"]),
    ...(spec?.externalID ? ["spec.externalID: this field is deprecated, and is unused by Kubernetes"] : []),
    ...(spec?.podCIDRs ?? []).flatMap((range, index) => cidrWarnings(`spec.podCIDRs[${index}]`, range)),
  ];
}
