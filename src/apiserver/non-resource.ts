/** Paths that are no resources: health, version, discovery, OpenAPI, metrics, OIDC documents. */
import { type Answer, objectAnswer, pageNotFound, textAnswer } from "./answer.ts";
import type { Caller, Dispatched } from "./dispatch.ts";
import { methodNotAllowed } from "./dispatch.ts";
import { checkRoute, negotiate } from "./http/negotiate.ts";
import { isPretty } from "./dispatch.ts";
import type { Discovery } from "./discovery/discovery.ts";
import type { Health } from "./health.ts";

export type NonResourceHandler = (caller: Caller) => Promise<Dispatched>;

export interface NonResourceParts {
  health: Health;
  discovery: Discovery;
  version: Readonly<Record<string, string>>;
}

export function createNonResourceHandler(parts: NonResourceParts): NonResourceHandler {
  return async (caller) => {
    const { request, info } = caller;
    const form = negotiate(undefined, isPretty(request), { as: [] });
    const healthy = parts.health(info.path, request);
    if (healthy !== undefined) return { answer: healthy, form };
    if (/^\/apis?(\/|$)/.test(info.path)) return parts.discovery.answer(caller);
    const answer = await plainPath(parts, caller);
    return { answer, form };
  };
}

async function plainPath({ version }: NonResourceParts, { request, info }: Caller): Promise<Answer> {
  switch (info.path.replace(/\/$/, "")) {
    case "/version":
      if (request.method !== "GET") throw methodNotAllowed();
      checkRoute(request.header("accept"), false);
      return objectAnswer(version);
    default:
      void textAnswer;
      return pageNotFound();
  }
}
