/**
 * The way to a node's own server: TLS with the cluster's CA on both sides. The certificate must be that of the node that is
 * meant, whatever its status says its address is. Upstream: pkg/kubelet/client/kubelet_client.go.
 */
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { request as httpsRequest } from "node:https";
import type { IncomingMessage } from "node:http";
import type { V1Node } from "#api/generated/types.ts";
import { notFound, serviceUnavailable, unknownFailure } from "#api/status-catalogue.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import type { KeyPair } from "#apiserver/pki.ts";

export interface NodeDialer {
  /** A raw connection to the node's server. */
  dial(nodeName: string, signal: AbortSignal): Promise<TLSSocket>;
  /** One request; the answer's body is not read yet. */
  request(nodeName: string, path: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** Host and port, for proxies. `resource` is what the request is about: who is missing is told in its name. */
  addressOf(nodeName: string, resource?: "nodes" | "pods"): { host: string; port: number };
  tlsOf(nodeName: string): Promise<TlsChoice>;
}

export interface TlsChoice {
  ca: string;
  cert: string;
  key: string;
  checkServerIdentity(host: string, certificate: PeerCertificate): Error | undefined;
}

const addressTypes = ["InternalIP", "Hostname", "InternalDNS", "ExternalIP", "ExternalDNS"];
const defaultPort = 10_250;
const dialTimeoutMs = 10_000;

export function createNodeDialer(cache: ClusterCache, ca: string, client: () => Promise<KeyPair>): NodeDialer {
  const nodes = cache.resource("/registry/core/nodes/");
  const tlsOf = async (nodeName: string): Promise<TlsChoice> => ({
    ca,
    ...(await client()),
    // Of several names the last one counts, as for those who let the certificate be issued.
    checkServerIdentity: (_host, { subject }) =>
      [subject?.CN].flat().at(-1) === `system:node:${nodeName}`
        ? undefined
        : new Error(`the certificate is not that of node ${nodeName}`),
  });
  function addressOf(nodeName: string, resource = "pods") {
    const node = nodes.get(nodeName)?.object as V1Node | undefined;
    // Upstream looks for the node where it looked for the pod, and says so.
    if (node === undefined) throw notFound({ group: "", resource }, nodeName);
    const addresses = node.status?.addresses ?? [];
    const found = addressTypes.flatMap((type) => addresses.filter((one) => one.type === type))[0];
    if (found === undefined) {
      const known = addresses.map(({ type }) => type).join(" ");
      throw unknownFailure(`no preferred addresses found; known addresses: [${known}]`);
    }
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
    return { host: found.address, port: port === 0 ? defaultPort : port };
  }
  return {
    addressOf,
    tlsOf,
    async dial(nodeName, signal) {
      const { host, port } = addressOf(nodeName);
      const tls = await tlsOf(nodeName);
      return new Promise((resolve, reject) => {
        const socket = connect({ host, port, ...tls, ALPNProtocols: ["http/1.1"], timeout: dialTimeoutMs });
        const fail = (error: Error) => {
          socket.destroy();
          reject(unreachable(host, port, error));
        };
        socket.once("error", fail);
        socket.once("timeout", () => fail(new Error("i/o timeout")));
        signal.addEventListener("abort", () => fail(new Error("the client is gone")), { once: true });
        socket.once("secureConnect", () => {
          socket.setTimeout(0);
          socket.removeListener("error", fail);
          socket.on("error", () => socket.destroy());
          resolve(socket);
        });
      });
    },
    async request(nodeName, path, signal) {
      const { host, port } = addressOf(nodeName);
      const tls = await tlsOf(nodeName);
      return new Promise((resolve, reject) => {
        const request = httpsRequest({ host, port, path, method: "GET", ...tls, signal, agent: false }, resolve);
        request.once("error", (error) => reject(unreachable(host, port, error)));
        request.end();
      });
    },
  };
}

const unreachable = (host: string, port: number, error: Error) =>
  serviceUnavailable(`error dialing backend: dial tcp ${host}:${port}: ${error.message}`);
