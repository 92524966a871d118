/** Puts the API server together. main.ts hands in the store, the clock and the data directory, and connects transports. */
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { type Random, systemRandom } from "#lib/random.ts";
import { allDefinitions } from "#api/all.ts";
import type { Store } from "#store/store.ts";
import { admissionChain } from "./admission/plugin.ts";
import { clientCertificate } from "./authn/client-certificate.ts";
import { impersonate } from "./authn/impersonation.ts";
import { authorizerChain, masters } from "./authz/authorizer.ts";
import { ClusterCache } from "./cache/cluster-cache.ts";
import { Catalogue } from "./catalogue.ts";
import { createDiscovery } from "./discovery/discovery.ts";
import type { DispatchTables } from "./dispatch.ts";
import { createHandler } from "./handler.ts";
import { createHealth } from "./health.ts";
import { listen, type ListenOptions, type Listener } from "./http/listener.ts";
import { writeAnswer } from "./http/write-answer.ts";
import { createNonResourceHandler } from "./non-resource.ts";
import type { Services } from "./operation.ts";
import type { User } from "./request.ts";
import { createLocalTransport, type LocalTransport } from "./transport.ts";

export interface ApiServerOptions {
  store: Store;
  clock: Clock;
  log: Logger;
  random?: Random;
}

export interface ApiServer {
  /** The way in for parts of this process, which act as `user`. */
  transport(user: User, userAgent: string): LocalTransport;
  listen(options: ListenOptions): Promise<Listener>;
  close(): Promise<void>;
}

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, log, random = systemRandom } = options;
  const cache = new ClusterCache(store, log);
  await cache.start();
  const catalogue = new Catalogue(cache, allDefinitions);
  const services: Services = {
    store,
    cache,
    catalogue,
    clock,
    random,
    log,
    admission: admissionChain([]),
    hooks: { get: () => undefined },
  };
  const tables: DispatchTables = { virtual: [], subresources: new Map() };
  const handle = createHandler({
    services,
    tables,
    authenticators: [clientCertificate],
    impersonate,
    authorizer: authorizerChain([masters]),
    nonResource: createNonResourceHandler({
      health: createHealth([]),
      discovery: createDiscovery(catalogue, tables.virtual, () => "127.0.0.1:6443"),
      version: { major: "1", minor: "36" },
    }),
    clock,
    log,
  });
  const listeners = new Set<Listener>();
  return {
    transport: (user, userAgent) => createLocalTransport(handle, user, userAgent),
    async listen(listenOptions) {
      const listener = await listen(listenOptions, (exchange) => {
        handle(exchange.request)
          .then(({ answer, form }) => writeAnswer(exchange, answer, form, undefined))
          .catch((error: unknown) => log.error("an answer could not be written", { error: error as Error }));
      });
      listeners.add(listener);
      return listener;
    },
    async close() {
      await Promise.all([...listeners].map((listener) => listener.close()));
      cache.stop();
    },
  };
}
