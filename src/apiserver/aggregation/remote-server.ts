/** Connections to an aggregated API server: where it is, how it proves itself, and how this server does. */
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import type { IncomingMessage } from "node:http";
import type { Writable } from "node:stream";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import type { KeyPair } from "#apiserver/pki.ts";
import type { User } from "#apiserver/request.ts";
import { type Destination, serviceDestination } from "#apiserver/webhook/destination.ts";
import { userHeaders } from "./front-proxy.ts";
import type { ApiService } from "./priorities.ts";

/** Of connections that wait for their next request, to one server. */
const idleConnectionsMax = 32;

const agent = new Agent({ keepAlive: true, maxFreeSockets: idleConnectionsMax });
const selfUser: User = { name: "system:kube-aggregator", groups: ["system:masters"] };

export interface RemoteParts {
  cache: ClusterCache;
  random: () => number;
  /** The certificate that aggregated servers know this one by. */
  certificate(): Promise<KeyPair>;
}

export class RemoteServer {
  readonly #parts: RemoteParts;
  readonly service: ApiService;

  constructor(service: ApiService, parts: RemoteParts) {
    this.service = service;
    this.#parts = parts;
  }

  /** Throws NoDestinationError. */
  destination(): Destination {
    const { cache, random } = this.#parts;
    return serviceDestination(this.service.spec?.service ?? {}, cache, random);
  }

  async #secured(): Promise<RequestOptions> {
    const { caBundle = "", insecureSkipTLSVerify } = this.service.spec ?? {};
    const { cert, key } = await this.#parts.certificate();
    return {
      ...this.destination(),
      cert,
      key,
      ...(insecureSkipTLSVerify === true ? { rejectUnauthorized: false } : {}),
      ...(caBundle === "" ? {} : { ca: Buffer.from(caBundle, "base64") }),
    };
  }

  /** The head of the answer. `write` sends the body, if there is one. */
  async request(options: RequestOptions, write?: (outgoing: Writable) => Promise<void>) {
    const secured = await this.#secured();
    return new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = httpsRequest({ agent, ...secured, ...options }, resolve);
      outgoing.on("error", reject);
      if (write === undefined) outgoing.end();
      else
        write(outgoing).then(
          () => outgoing.end(),
          (error: Error) => outgoing.destroy(error),
        );
    });
  }

  /** A connection of its own, for what is no plain request. */
  async connect(): Promise<TLSSocket> {
    const { host, port, ...secured } = await this.#secured();
    return new Promise((resolve, reject) => {
      const socket = connect({ ...(secured as ConnectionOptions), host: host!, port: Number(port) });
      socket.once("error", reject);
      socket.once("secureConnect", () => {
        socket.removeListener("error", reject);
        socket.on("error", () => socket.destroy());
        resolve(socket);
      });
    });
  }

  /** A GET as this server itself, with all rights. `isTrusting`: whatever certificate is there will do. */
  get(path: string, { timeoutMs, isTrusting = false }: { timeoutMs: number; isTrusting?: boolean }) {
    return this.request({
      method: "GET",
      path,
      headers: { ...userHeaders(selfUser), accept: "application/json" },
      signal: AbortSignal.timeout(timeoutMs),
      ...(isTrusting ? { rejectUnauthorized: false } : {}),
    });
  }
}
