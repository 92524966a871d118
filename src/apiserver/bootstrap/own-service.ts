/**
 * The Service "kubernetes": how pods reach the API. Its endpoints follow the address that this server is told to be
 * reached at. Upstream: pkg/controlplane/controller/kubernetesservice, reconcilers.
 */
import { isIPv6 } from "node:net";
import type { UnknownObject } from "#api/object.ts";
import type { Status } from "#api/status-error.ts";
import { addressText, type Cidr } from "#apiserver/allocation/cidr.ts";
import type { LocalTransport } from "#apiserver/transport.ts";

const name = "kubernetes";
const namespace = "default";
const tries = 5;

/** Where its parts are stored. */
export const ownServiceKeys = ["core/services", "core/endpoints", "discovery.k8s.io/endpointslices"].map(
  (resource) => ({
    prefix: `/registry/${resource}/`,
    key: `${namespace}/${name}`,
  }),
);

export interface OwnService {
  address: string;
  port: number;
  ranges: readonly Cidr[];
}

export async function keepOwnService(transport: LocalTransport, { address, port, ranges }: OwnService): Promise<void> {
  const [first] = ranges;
  const ports = [{ name: "https", port, protocol: "TCP" }];
  await keep(transport, "/api/v1/namespaces/default/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      clusterIP: addressText(first!.base + 1n, first!.family),
      ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: port }],
      sessionAffinity: "None",
      type: "ClusterIP",
    },
  });
  await keep(transport, "/api/v1/namespaces/default/endpoints", {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name, namespace, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: address }], ports }],
  });
  await keep(transport, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: isIPv6(address) ? "IPv6" : "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports,
  });
}

/** Makes the object, or changes what is there to what it must be. */
async function keep(transport: LocalTransport, collection: string, object: UnknownObject): Promise<void> {
  const { metadata: _, apiVersion: __, kind: ___, addressType: ____, ...fields } = object;
  const path = `${collection}/${name}`;
  const contentType = "application/merge-patch+json";
  let message = "";
  for (let attempt = 0; attempt < tries; attempt += 1) {
    // Not "create, else change": creating a Service that is there fails for its address, not for its name.
    const isThere = (await transport.request({ method: "GET", path })).code === 200;
    const { code, body } = isThere
      ? await transport.request({ method: "PATCH", path, contentType, body: fields })
      : await transport.request({ method: "POST", path: collection, body: object });
    if (code < 300) return;
    message = (body as Status).message ?? "";
  }
  throw new Error(`the object ${collection}/${name} could not be written: ${message}`);
}
