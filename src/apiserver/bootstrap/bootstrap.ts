/**
 * What a new cluster has from the start: its namespaces, policy, priority classes, service addresses and the Service
 * through which pods reach the API. Made through the API, as any client would; what is there already stays, but for policy
 * that has lost something (policy-upkeep.ts).
 */
import type { Logger } from "#lib/log.ts";
import {
  autoUpdate,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from "#api/flowcontrol/bootstrap-objects.ts";
import type { V1FlowSchema, V1PriorityLevelConfiguration, V1ServiceCIDR } from "#api/generated/types.ts";
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import type { Status } from "#api/status-error.ts";
import type { Catalogue } from "#apiserver/catalogue.ts";
import type { LocalTransport } from "#apiserver/transport.ts";
import { policyObjects, policyVersion } from "./policy.ts";
import { policyUpkeep, type Upkeep } from "./policy-upkeep.ts";

export interface BootstrapOptions {
  transport: LocalTransport;
  catalogue: Catalogue;
  log: Logger;
  serviceCidr: string;
}

/** Users that own nothing but must be there before anything else. */
const namespaces = ["kube-system", "kube-public", "kube-node-lease", "default"];

/** Makes those that are not there. */
export const bootstrapNamespaces = (options: BootstrapOptions): Promise<void> =>
  ensureInOrder(
    options,
    namespaces.map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
  );

export async function bootstrapCluster(options: BootstrapOptions): Promise<void> {
  const objects: UnknownObject[] = [
    ...priorityClasses,
    serviceCidr(options.serviceCidr),
    ...policyObjects(),
    ...flowObjects(),
  ];
  const served = objects.filter((object) => addressOf(options.catalogue, object) !== undefined);
  await bootstrapNamespaces(options);
  await ensureInOrder(options, served);
  await reportCidrReady(options);
}

/** Addresses are given out from the first moment. Upstream: pkg/controlplane/controller/defaultservicecidr. */
async function reportCidrReady({ transport, log }: BootstrapOptions): Promise<void> {
  const path = "/apis/networking.k8s.io/v1/servicecidrs/kubernetes";
  const found = await transport.request({ method: "GET", path });
  const cidr = found.body as V1ServiceCIDR;
  if (found.code !== 200 || cidr.status?.conditions?.some(({ type }) => type === "Ready") === true) return;
  const condition = {
    type: "Ready",
    status: "True",
    reason: "",
    message: "Kubernetes default Service CIDR is ready",
    lastTransitionTime: cidr.metadata.creationTimestamp,
  };
  const body = { ...cidr, status: { conditions: [condition] } };
  const told = await transport.request({ method: "PUT", path: `${path}/status`, body });
  if (told.code >= 300)
    log.error("could not report the service addresses ready", { message: (told.body as Status).message });
}

/** Many at a time: a new store is filled in a few groups of writes. */
const parallelMax = 32;

async function ensureInOrder(options: BootstrapOptions, objects: readonly UnknownObject[]): Promise<void> {
  const waiting = [...objects];
  const worker = async () => {
    for (let object = waiting.shift(); object !== undefined; object = waiting.shift()) await ensure(options, object);
  };
  await Promise.all(Array.from({ length: parallelMax }, worker));
}

async function ensure({ transport, catalogue, log }: BootstrapOptions, object: UnknownObject): Promise<void> {
  const path = addressOf(catalogue, object)!;
  const { name = "" } = object.metadata;
  const own = `${path}/${encodeURIComponent(name)}`;
  const found = await transport.request({ method: "GET", path: own });
  let body = object as KubernetesObject;
  if (found.code === 200) {
    const isPolicy = object.apiVersion === policyVersion;
    const upkeep: Upkeep = isPolicy ? policyUpkeep(found.body as KubernetesObject, body) : { type: "none" };
    if (upkeep.type === "none") return;
    body = upkeep.object;
    // Someone else who was faster (409) meant it.
    if (upkeep.type === "update") {
      const told = await transport.request({ method: "PUT", path: own, body });
      if (told.code >= 300 && told.code !== 409)
        log.error("policy could not be completed", { path: own, message: (told.body as Status).message });
      return;
    }
    await transport.request({ method: "DELETE", path: own });
  }
  const made = await transport.request({ method: "POST", path, body });
  if (made.code < 300 || made.code === 409) return;
  log.error("could not make an object that a cluster needs", { path, name, message: (made.body as Status).message });
}

function addressOf(catalogue: Catalogue, { apiVersion = "", kind = "", metadata }: UnknownObject): string | undefined {
  const [group, version] = apiVersion.includes("/") ? (apiVersion.split("/") as [string, string]) : ["", apiVersion];
  const resource = catalogue.findKind(group, version, kind);
  if (resource === undefined) return undefined;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const namespace = resource.isNamespaced ? `/namespaces/${metadata.namespace ?? ""}` : "";
  return `${root}${namespace}/${resource.plural}`;
}

const priorityClasses: UnknownObject[] = [
  {
    name: "system-node-critical",
    value: 2_000_001_000,
    what: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    name: "system-cluster-critical",
    value: 2_000_000_000,
    what: "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
].map(({ name, value, what }) => ({
  apiVersion: "scheduling.k8s.io/v1",
  kind: "PriorityClass",
  metadata: { name },
  value,
  description: what,
}));

function flowObjects(): UnknownObject[] {
  const apiVersion = "flowcontrol.apiserver.k8s.io/v1";
  const made =
    (kind: string) =>
    ({ metadata, spec }: V1FlowSchema | V1PriorityLevelConfiguration): UnknownObject => ({
      apiVersion,
      kind,
      metadata: { ...metadata, annotations: autoUpdate },
      spec,
    });
  return [
    ...[...mandatoryPriorityLevels, ...suggestedPriorityLevels].map(made("PriorityLevelConfiguration")),
    ...[...mandatoryFlowSchemas, ...suggestedFlowSchemas].map(made("FlowSchema")),
  ];
}

function serviceCidr(cidr: string): UnknownObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes" },
    spec: { cidrs: cidr.split(",") },
  };
}
