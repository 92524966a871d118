/**
 * HTTP to pods, services and nodes through the API server. Never to this machine itself, to link-local or to multicast
 * addresses. Upstream: ResourceLocation in pkg/registry/core, apimachinery/pkg/util/proxy.
 */
import { BlockList, connect as connectTcp, isIP } from "node:net";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect as connectTls } from "node:tls";
import type { V1Endpoints, V1Pod, V1Service } from "#api/generated/types.ts";
import { badRequest, notFound, serviceUnavailable } from "#api/status-catalogue.ts";
import type { Answer, Headers } from "#apiserver/answer.ts";
import { passBody, passedHeaders, staysHere } from "#apiserver/http/pass-request.ts";
import type { ServerRequest } from "#apiserver/request.ts";
import type { SpecialHandler, SpecialRequest } from "#apiserver/subresource.ts";
import { checkMayConnect } from "./may-connect.ts";
import type { NodeDialer, TlsChoice } from "./node-connection.ts";
import { proxiedLink, type ProxyPlace } from "./proxied-links.ts";
import { isPage, proxiedPage } from "./proxied-page.ts";
import { passUpgrade } from "./upgrade.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const responseTimeoutMs = 10 * 60 * 1000;

interface Target {
  scheme: "http" | "https";
  host: string;
  port: number;
  tls?: TlsChoice;
}

/** "https:name:port" in its three parts. */
function parseName(text: string): { scheme: "http" | "https"; name: string; port: string } | undefined {
  const parts = text.split(":");
  if (parts.length === 1) return { scheme: "http", name: parts[0]!, port: "" };
  if (parts.length === 2) return { scheme: "http", name: parts[0]!, port: parts[1]! };
  if (parts.length !== 3 || !["http", "https", ""].includes(parts[0]!)) return undefined;
  return { scheme: parts[0] === "https" ? "https" : "http", name: parts[1]!, port: parts[2]! };
}

const forbiddenAddresses = new BlockList();
for (const [address, bits, family] of [
  ["0.0.0.0", 8, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["224.0.0.0", 4, "ipv4"],
  ["::", 127, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
] as const)
  forbiddenAddresses.addSubnet(address, bits, family);

/** Addresses, not names: nothing can change between this check and the connection. */
export function checkProxyable(address: string): void {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const family = isIP(mapped);
  if (family === 0 || forbiddenAddresses.check(mapped, family === 4 ? "ipv4" : "ipv6"))
    throw badRequest("address not allowed");
}

export function podProxy(): SpecialHandler {
  return proxyHandler("Pod", (special, text) => {
    const parsed = parseName(text);
    if (parsed === undefined) throw badRequest(`invalid pod request ${JSON.stringify(text)}`);
    const { namespace } = special.info;
    const pod = special.services.cache.resource("/registry/core/pods/").get(`${namespace}/${parsed.name}`)?.object as
      | V1Pod
      | undefined;
    if (pod === undefined) throw notFound({ group: "", resource: "pods" }, parsed.name);
    const host = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "";
    checkProxyable(host);
    const declared = (pod.spec?.containers ?? []).flatMap(({ ports }) => ports ?? [])[0]?.containerPort;
    return { scheme: parsed.scheme, host, port: portOf(parsed.port === "" ? String(declared ?? 80) : parsed.port) };
  });
}

export function serviceProxy(): SpecialHandler {
  return proxyHandler("Service", (special, text) => {
    const parsed = parseName(text);
    if (parsed === undefined) throw badRequest(`invalid service request ${JSON.stringify(text)}`);
    return endpointOf(special, parsed);
  });
}

export function nodeProxy(dialer: NodeDialer): SpecialHandler {
  return proxyHandler("Node", async (special, text) => {
    if (special.request.upgrade !== undefined) checkMayConnect(special);
    const parsed = parseName(text);
    if (parsed === undefined) throw badRequest(`invalid node request ${JSON.stringify(text)}`);
    const { host, port } = dialer.addressOf(parsed.name, "nodes");
    if (parsed.port === "" || Number(parsed.port) === port)
      return { scheme: "https", host, port, tls: await dialer.tlsOf(parsed.name) };
    checkProxyable(host);
    return { scheme: parsed.scheme, host, port: portOf(parsed.port) };
  });
}

function endpointOf(
  { services, info }: SpecialRequest,
  { scheme, name, port }: { scheme: "http" | "https"; name: string; port: string },
): Target {
  const key = `${info.namespace}/${name}`;
  const none = () => serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  let portName = port;
  if (/^\d+$/.test(port)) {
    const service = services.cache.resource("/registry/core/services/").get(key)?.object as V1Service | undefined;
    if (service === undefined) throw notFound({ group: "", resource: "services" }, name);
    const found = service.spec?.ports?.find((one) => one.port === Number(port));
    if (found === undefined)
      throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`);
    portName = found.name ?? "";
  }
  const endpoints = services.cache.resource("/registry/core/endpoints/").get(key)?.object as V1Endpoints | undefined;
  if (endpoints === undefined) throw notFound({ group: "", resource: "services" }, name);
  const choices = (endpoints.subsets ?? []).flatMap((subset) =>
    (subset.ports ?? [])
      .filter((one) => (one.name ?? "") === portName)
      .flatMap((one) => (subset.addresses ?? []).map(({ ip }) => ({ ip, port: one.port }))),
  );
  const chosen = choices[Math.floor(services.random.next() * choices.length)];
  if (chosen === undefined) throw none();
  checkProxyable(chosen.ip);
  return { scheme, host: chosen.ip, port: chosen.port };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw badRequest(`invalid port ${JSON.stringify(text)}`);
  return port;
}

/** `info.name` may carry a scheme and a port; the path behind "proxy" is the backend's. */
function proxyHandler(
  kind: "Pod" | "Service" | "Node",
  locate: (special: SpecialRequest, name: string) => Target | Promise<Target>,
): SpecialHandler {
  return {
    methods,
    connectOptions({ info }) {
      const path = info.parts.slice(3).join("/");
      return { kind: `${kind}ProxyOptions`, apiVersion: "v1", ...(path === "" ? {} : { path: `/${path}` }) };
    },
    async handle(special) {
      const target = await locate(special, special.info.name);
      const { request, info } = special;
      const rest = info.parts.slice(3).map(encodeURIComponent).join("/");
      const trailing = request.path.endsWith("/") && rest !== "" ? "/" : "";
      const path = `/${rest}${trailing}${request.rawQuery === "" ? "" : `?${request.rawQuery}`}`;
      if (request.upgrade !== undefined) return upgrade(special, target, path);
      if (rest === "" && !request.path.endsWith("/") && ["GET", "HEAD"].includes(request.method))
        return toFolder(request);
      return forward(special, target, path);
    },
  };
}

/** Relative links of a backend's first page work only below a path that ends in a slash. */
function toFolder({ path, rawQuery }: ServerRequest): Answer {
  const location = `${path}/${rawQuery === "" ? "" : `?${rawQuery}`}`;
  return { type: "text", code: 301, text: "", headers: { location } };
}

/** A pod is told what the client calls this server; a node, by its certificate, only its own name. */
function forwardedHeaders({ request }: SpecialRequest, target: Target, uri: string): Record<string, string | string[]> {
  const headers = passedHeaders(request);
  const before = [headers["x-forwarded-for"] ?? []].flat();
  if (request.remoteAddress !== undefined) headers["x-forwarded-for"] = [...before, request.remoteAddress].join(", ");
  headers["x-forwarded-uri"] = uri;
  if (target.tls === undefined) headers["host"] = hostOf(request) || `${bracketed(target.host)}:${target.port}`;
  return headers;
}

const hostOf = (request: ServerRequest): string => request.header("host") ?? request.header(":authority") ?? "";
const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host);

async function forward(special: SpecialRequest, target: Target, path: string): Promise<Answer> {
  const { request } = special;
  const { scheme, host, port, tls } = target;
  const send = scheme === "https" ? httpsRequest : httpRequest;
  const place = placeOf(special, target);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = send(
      {
        host,
        port,
        path,
        method: request.method,
        headers: forwardedHeaders(special, target, `${place.prefix}${path.split("?", 1)[0]!}`),
        signal: request.signal,
        timeout: responseTimeoutMs,
        agent: false,
        // Whatever a program behind says is passed on, as long as it can be read at all.
        insecureHTTPParser: true,
        ...(scheme === "https" ? (tls ?? { rejectUnauthorized: false, servername: "" }) : {}),
      },
      resolve,
    );
    outgoing.on("error", (error) => reject(serviceUnavailable(`error trying to reach service: ${error.message}`)));
    outgoing.once("timeout", () => outgoing.destroy(new Error("timeout")));
    passBody(request, outgoing).then(
      () => outgoing.end(),
      (error: Error) => outgoing.destroy(error),
    );
  });
  return await relay(request, answer, place);
}

function placeOf({ request }: SpecialRequest, { host, port }: Target): ProxyPlace {
  const prefix = proxyPrefix(request.path) ?? "";
  return { prefix, backendHost: `${bracketed(host)}:${port}`, requestHost: hostOf(request) };
}

/** The part of a path that says whom to ask. */
export const proxyPrefix = (path: string): string | undefined =>
  /^\/+api\/+v1\/+(?:namespaces\/+[^/]+\/+)?[^/]+\/+[^/]+\/+proxy(?=\/|$)/.exec(path)?.[0];

async function relay({ method }: ServerRequest, answer: IncomingMessage, place: ProxyPlace): Promise<Answer> {
  const code = answer.statusCode ?? 502;
  const headers = answerHeaders(answer, place);
  const { location } = answer.headers;
  if (location !== undefined || method === "HEAD" || !isPage(answer))
    return { type: "stream", code, headers, body: answer };
  const { body, bytes } = await proxiedPage(answer, place);
  const { "content-length": _, ...others } = headers;
  return {
    type: "stream",
    code,
    headers: bytes === undefined ? others : { ...others, "content-length": `${bytes}` },
    body,
  };
}

/** Whom a backend lets read its answers from other pages is not for it to say of this server's. */
const crossOrigin = /^access-control-allow-(?:credentials|headers|methods|origin)$/;

function answerHeaders({ headers }: IncomingMessage, place: ProxyPlace): Headers {
  const kept: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !staysHere(name) && !crossOrigin.test(name)) kept[name] = value;
  if (headers.location !== undefined) kept["location"] = proxiedLink(headers.location, place);
  return kept;
}

async function upgrade(
  { request }: SpecialRequest,
  { scheme, host, port, tls }: Target,
  path: string,
): Promise<Answer> {
  const socket =
    scheme === "https"
      ? connectTls({ host, port, ...(tls ?? { rejectUnauthorized: false }) })
      : connectTcp({ host, port });
  await new Promise<void>((resolve, reject) => {
    socket.once(scheme === "https" ? "secureConnect" : "connect", resolve);
    socket.once("error", (error: Error) => reject(serviceUnavailable(`error dialing backend: ${error.message}`)));
  });
  socket.on("error", () => socket.destroy());
  return passUpgrade(request, socket, path, `${host}:${port}`);
}
