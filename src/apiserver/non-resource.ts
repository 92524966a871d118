/** Paths that are no resources: health, version, discovery, OpenAPI, metrics, OIDC documents. */
import { type Answer, objectAnswer, pageNotFound, textAnswer } from "./answer.ts";
import type { Caller, Dispatched } from "./dispatch.ts";
import { methodNotAllowed } from "./dispatch.ts";
import { checkRoute, negotiate } from "./http/negotiate.ts";
import { isPretty } from "./dispatch.ts";
import type { Discovery } from "./discovery/discovery.ts";
import type { Health } from "./health.ts";
import type { OpenApi } from "./openapi/openapi.ts";

export type NonResourceHandler = (caller: Caller) => Promise<Dispatched>;

export interface NonResourceParts {
  health: Health;
  discovery: Discovery;
  openApi: OpenApi;
  tokens: OidcDocuments;
  metrics: { text(): string; reset(): void };
  /** What the root names, but for the paths here. */
  paths(): readonly string[];
  version: Readonly<Record<string, string>>;
}

export function createNonResourceHandler(parts: NonResourceParts): NonResourceHandler {
  return async (caller) => {
    const { request, info } = caller;
    const form = negotiate(undefined, isPretty(request), { as: [] });
    const healthy = parts.health(info.path, request);
    if (healthy !== undefined) return { answer: healthy, form };
    if (/^\/apis?(\/|$)/.test(info.path)) return parts.discovery.answer(caller);
    if (info.path.startsWith("/version")) checkRoute(request.header("accept"), false);
    const answer = await plainPath(parts, caller);
    return { answer, form };
  };
}

async function plainPath(parts: NonResourceParts, { request, info }: Caller): Promise<Answer> {
  const document = parts.openApi(info.path, request);
  if (document !== undefined) return document;
  switch (info.path) {
    case "/metrics":
      return metricsAnswer(parts.metrics, request.method);
    case "/":
    case "/index.html":
      return objectAnswer({ paths: [...plainPaths, ...parts.paths()].sort() });
  }
  const read = documents[info.path.replace(/\/$/, "")];
  if (read === undefined) return pageNotFound();
  if (request.method !== "GET") throw methodNotAllowed();
  return read(parts);
}

/** What can only be read, with or without a slash at the end. */
const documents: Readonly<Record<string, (parts: NonResourceParts) => Answer>> = {
  "/version": ({ version }) => objectAnswer(version),
  "/.well-known/openid-configuration": ({ tokens }) => ({
    ...objectAnswer(tokens.configuration()),
    headers: forAnHour,
  }),
  "/openid/v1/jwks": ({ tokens }) => ({
    ...objectAnswer(tokens.keys()),
    contentType: "application/jwk-set+json",
    headers: forAnHour,
  }),
};

/** Any method reads them but DELETE, which lets them begin anew. */
function metricsAnswer(metrics: NonResourceParts["metrics"], method: string): Answer {
  if (method === "DELETE") {
    metrics.reset();
    return textAnswer("metrics reset\n");
  }
  return { type: "text", code: 200, text: metrics.text(), contentType: "text/plain; version=0.0.4; charset=utf-8" };
}

/** Verifiers of tokens may keep what these documents say. */
const forAnHour = { "cache-control": "public, max-age=3600" };

/** What /.well-known and /openid say of our tokens. */
export interface OidcDocuments {
  configuration(): object;
  keys(): object;
}

/** What has a page of its own, beside what discovery and health have. */
const plainPaths = [
  "/.well-known/openid-configuration",
  "/metrics",
  "/openapi/v2",
  "/openapi/v3",
  "/openapi/v3/",
  "/openid/v1/jwks",
  "/version",
];
