/** Puts the API server together. main.ts hands in the store, the clock and the certificates, and connects transports. */
import { isIPv6 } from "node:net";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { type Random, systemRandom } from "#lib/random.ts";
import { allDefinitions } from "#api/all.ts";
import type { Store } from "#store/store.ts";
import { parseCidr } from "./allocation/cidr.ts";
import { defaultNodePorts, type PortRange } from "./allocation/node-ports.ts";
import { serviceHook } from "./allocation/service-hook.ts";
import { assert } from "#lib/assert.ts";
import { resourceHooks } from "./resource/hooks.ts";
import { priorityClassHook } from "./resource/system-priority-classes.ts";
import { Aggregator } from "./aggregation/aggregator.ts";
import {
  authenticationConfigName,
  frontProxyName,
  keepAuthenticationConfig,
} from "./aggregation/authentication-config.ts";
import { frontProxyCertificate } from "./aggregation/front-proxy.ts";
import { admissionPlugins } from "./admission/chain.ts";
import { admissionChain, noAdmission } from "./admission/plugin.ts";
import { clientCertificate } from "./authn/client-certificate.ts";
import { frontProxyClient } from "./authn/front-proxy-client.ts";
import { impersonate } from "./authn/impersonation.ts";
import { ServiceAccountTokens } from "./authn/service-account.ts";
import { type StaticToken, staticTokens } from "./authn/static-tokens.ts";
import { keepTokenTracking, secretTokenUse, tokenTrackingName } from "./authn/secret-token-use.ts";
import { createTokenSigner, type TokenSubject } from "./authn/token-signer.ts";
import { authorizerChain, masters } from "./authz/authorizer.ts";
import { NodeAuthorizer } from "./authz/node.ts";
import { Rbac } from "./authz/rbac.ts";
import { bootstrapCluster, bootstrapNamespaces } from "./bootstrap/bootstrap.ts";
import { keepObjects } from "./bootstrap/kept-objects.ts";
import { keepOwnService, ownServiceKeys } from "./bootstrap/own-service.ts";
import { ClusterCache } from "./cache/cluster-cache.ts";
import { startCompaction } from "./cache/compaction.ts";
import { Catalogue } from "./catalogue.ts";
import { crdHook, CustomResources } from "./crd/custom-resources.ts";
import { createDiscovery } from "./discovery/discovery.ts";
import type { DispatchTables } from "./dispatch.ts";
import { RequestMetrics } from "./request-metrics.ts";
import { createOpenApi } from "./openapi/openapi.ts";
import { oidcDocuments } from "./authn/oidc-documents.ts";
import { metricsText } from "./metrics.ts";
import { type HandlerParts, createHandler } from "./handler.ts";
import { createHealth, healthChecks, healthPaths } from "./health.ts";
import { listen, type ListenOptions, type Listener } from "./http/listener.ts";
import { writeAnswer } from "./http/write-answer.ts";
import { createNonResourceHandler } from "./non-resource.ts";
import type { Services } from "./operation.ts";
import type { OwnEndpoints } from "./own-endpoints.ts";
import type { ClusterPki } from "./pki.ts";
import type { User } from "./request.ts";
import { createLocalTransport, type LocalTransport } from "./transport.ts";
import { componentStatuses } from "./reviews/component-status.ts";
import { selfRulesReview } from "./reviews/self-rules-review.ts";
import { accessReviews } from "./reviews/subject-access-review.ts";
import { selfSubjectReview, tokenReview } from "./reviews/token-review.ts";
import type { SpecialHandler } from "./subresource.ts";
import { bindings, podBinding } from "./subresources/binding.ts";
import { podEviction } from "./subresources/eviction.ts";
import { namespaceFinalize, namespaceHook } from "./subresources/namespace-finalize.ts";
import { createNodeDialer } from "./subresources/node-connection.ts";
import { podLog, podStream } from "./subresources/pod-streams.ts";
import { nodeProxy, podProxy, serviceProxy } from "./subresources/proxy.ts";
import { serviceAccountToken } from "./subresources/token-request.ts";
import { serverVersion } from "./version.ts";

export interface ApiServerOptions {
  store: Store;
  clock: Clock;
  log: Logger;
  pki: ClusterPki;
  random?: Random;
  /** "10.43.0.0/16". */
  serviceCidr?: string;
  /** "cluster.local". */
  clusterDomain?: string;
  /** Ports of Services of type NodePort. */
  nodePortRange?: PortRange;
  /** Where pods and nodes reach this server; without it the cluster has no Service "kubernetes". */
  advertiseAddress?: string;
  port?: number;
  /** Bearer tokens known from the start. */
  tokens?: readonly StaticToken[];
  /** Paths of Capstan itself: join, CA, Git hook. */
  own?: OwnEndpoints;
}

export interface ApiServer {
  /** The way in for parts of this process, which act as `user`. */
  transport(user: User, userAgent: string): LocalTransport;
  listen(options: ListenOptions): Promise<Listener>;
  /** PEM of the CA that clients and pods trust. */
  readonly caCertificate: string;
  /** The token that a Secret of this account holds. */
  signForSecret(account: TokenSubject, secret: string): Promise<string>;
  close(): Promise<void>;
}

/** The API server's own name in what it writes. */
const self: User = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, log, pki, random = systemRandom, tokens = [] } = options;
  const { serviceCidr = "10.43.0.0/16", clusterDomain = "cluster.local" } = options;
  const cache = new ClusterCache(store, log);
  const catalogue = new Catalogue(cache, allDefinitions);
  await cache.start();
  const stopCompaction = startCompaction(store, log);

  const issuer = `https://kubernetes.default.svc.${clusterDomain}`;
  const signer = await createTokenSigner(pki.serviceAccountKey, issuer);
  const accountTokens = new ServiceAccountTokens(signer, [issuer], cache, clock, (secret) => tokenUse.note(secret));
  const rbac = new Rbac(cache);
  const authorizer = authorizerChain([masters, new NodeAuthorizer(cache), rbac]);

  const ranges = serviceCidr.split(",").map((cidr) => parseCidr(cidr));
  assert(
    ranges.every((range) => range !== undefined),
    `a bad service range: ${serviceCidr}`,
  );
  const hooks = resourceHooks({
    "/namespaces": namespaceHook,
    "apiextensions.k8s.io/customresourcedefinitions": crdHook,
    "scheduling.k8s.io/priorityclasses": priorityClassHook,
    "/services": serviceHook(cache, ranges, options.nodePortRange ?? defaultNodePorts),
  });
  const admission = admissionChain(admissionPlugins(rbac));
  const services: Services = {
    store,
    cache,
    catalogue,
    clock,
    random,
    log,
    admission,
    authorizer,
    hooks,
  };
  const kubeletClient = { commonName: "kube-apiserver-kubelet-client", organizations: ["system:masters"] };
  const dialer = createNodeDialer(cache, pki.ca.cert, () => pki.keep("kubelet-client", kubeletClient));
  const tables: DispatchTables = {
    virtual: [
      ...accessReviews(authorizer),
      selfRulesReview(rbac),
      selfSubjectReview,
      tokenReview(accountTokens),
      bindings,
      componentStatuses,
    ],
    subresources: new Map<string, SpecialHandler>([
      ["/namespaces/finalize", namespaceFinalize],
      ["/pods/binding", podBinding],
      ["/pods/eviction", podEviction],
      ["/pods/log", podLog(dialer)],
      ["/pods/exec", podStream(dialer, "exec")],
      ["/pods/attach", podStream(dialer, "attach")],
      ["/pods/portforward", podStream(dialer, "portForward")],
      ["/pods/proxy", podProxy()],
      ["/services/proxy", serviceProxy()],
      ["/nodes/proxy", nodeProxy(dialer)],
      ["/serviceaccounts/token", serviceAccountToken(signer, [issuer])],
    ]),
  };
  let address = "127.0.0.1:6443";
  const aggregator = new Aggregator({
    cache,
    clock,
    log,
    random: () => random.next(),
    certificate: frontProxyCertificate(pki.frontProxyCa, () => clock.now()),
    builtIn: () => [...catalogue.builtIn(), ...tables.virtual],
    custom: () => catalogue.custom(),
    onCatalogueChange: (listener) => catalogue.onChange(listener),
  });
  let isClosing = false;
  const checks = healthChecks(cache, store, () => isClosing);
  const metrics = new RequestMetrics();
  const discovery = createDiscovery(catalogue, tables.virtual, () => address, aggregator);
  const handlerParts: HandlerParts = {
    services,
    tables,
    authenticators: [frontProxyClient([frontProxyName]), clientCertificate, accountTokens, staticTokens(tokens)],
    impersonate,
    authorizer,
    own: options.own,
    aggregator,
    nonResource: createNonResourceHandler({
      health: createHealth(checks),
      discovery,
      openApi: createOpenApi({ catalogue, virtual: tables.virtual, others: aggregator, clock }),
      paths: () => [...discovery.paths(), ...healthPaths(checks)],
      tokens: oidcDocuments(signer, () => address),
      metrics: { text: () => metricsText(cache, catalogue) + metrics.text(), reset: () => metrics.reset() },
      version: serverVersion,
    }),
    metrics,
    clock,
    log,
  };
  const handle = createHandler(handlerParts);
  const transport = (user: User, userAgent: string) => createLocalTransport(handle, user, userAgent);
  const own = transport(self, "kube-apiserver");
  const tokenUse = secretTokenUse(own, clock, log);
  const bootstrapOptions = { transport: own, catalogue, log, serviceCidr };
  await bootstrapCluster(bootstrapOptions);
  const { advertiseAddress, port = 6443 } = options;
  const keepService =
    advertiseAddress === undefined ? undefined : () => keepOwnService(own, { address: advertiseAddress, port, ranges });
  await keepService?.();

  const unadmitted = createHandler({ ...handlerParts, services: { ...services, admission: noAdmission } });
  const custom = new CustomResources({
    cache,
    catalogue,
    store,
    clock,
    random,
    log,
    transport: own,
    unadmitted: createLocalTransport(unadmitted, self, "kube-apiserver"),
  });
  custom.start();
  await aggregator.start(own);
  const keepTracking = () => keepTokenTracking(own, clock, log);
  const authorities = { clients: pki.ca.cert, frontProxies: pki.frontProxyCa.cert };
  const keepConfig = () => keepAuthenticationConfig(own, authorities, log);
  await keepTracking();
  await keepConfig();
  const configMaps = "/registry/core/configmaps/";
  const stopKeeping = keepObjects(cache, log, [
    { prefix: configMaps, key: `kube-system/${tokenTrackingName}`, mend: keepTracking, isChecked: true },
    { prefix: configMaps, key: `kube-system/${authenticationConfigName}`, mend: keepConfig },
    { prefix: "/registry/core/namespaces/", key: "kube-node-lease", mend: () => bootstrapNamespaces(bootstrapOptions) },
    ...(keepService === undefined ? [] : ownServiceKeys.map((place) => ({ ...place, mend: keepService }))),
  ]);

  const listeners = new Set<Listener>();
  return {
    transport,
    caCertificate: pki.ca.cert,
    signForSecret: (account, secret) => signer.signForSecret(account, secret),
    async listen(listenOptions) {
      const tls = { frontProxyCa: pki.frontProxyCa.cert, ...listenOptions.tls };
      const listener = await listen({ ...listenOptions, tls }, (exchange) => {
        handle(exchange.request)
          .then(({ answer, form }) => writeAnswer(exchange, answer, form))
          .catch((error: unknown) => log.error("an answer could not be written", { error: error as Error }));
      });
      const host = advertiseAddress ?? listenOptions.host ?? "127.0.0.1";
      address = `${isIPv6(host) ? `[${host}]` : host}:${listener.port}`;
      listeners.add(listener);
      return listener;
    },
    async close() {
      isClosing = true;
      stopKeeping();
      aggregator.stop();
      custom.stop();
      stopCompaction();
      await Promise.all([...listeners].map((listener) => listener.close()));
      cache.stop();
    },
  };
}
