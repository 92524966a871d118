/**
 * Paths that are Capstan's own and no part of Kubernetes: joining a node, the CA for those who join, and the hook that a
 * Git server calls after a push. They prove themselves by secrets of their own, before and without authentication.
 */
import { timingSafeEqual } from "node:crypto";
import { failure } from "#api/status-error.ts";
import { type Answer, objectAnswer, textAnswer } from "./answer.ts";
import {
  type ClusterFacts,
  type NodePasswords,
  caPath,
  isJoinToken,
  joinBodyBytesMax,
  joinNode,
  joinPath,
} from "./join.ts";
import type { Authority } from "./pki.ts";
import type { ServerRequest } from "./request.ts";

export const hookPath = "/capstan/v1/hook/";
/** What Git servers send is not read, only swallowed up to this. */
const hookBodyBytesMax = 4 * 1024 * 1024;

export interface OwnEndpoints {
  ca: Authority;
  /** The join token's secret part. */
  joinSecret: string;
  facts: ClusterFacts;
  passwords: NodePasswords;
  /** The last part of the hook's path; who knows it may ask for a fetch, and for nothing else. */
  hookSecret: string;
  onHook(): void;
}

/** undefined: not a path of ours. */
export function answerOwn(own: OwnEndpoints, request: ServerRequest): Promise<Answer> | undefined {
  if (request.path === caPath && request.method === "GET") return Promise.resolve(textAnswer(own.ca.cert));
  if (request.path === joinPath && request.method === "POST") return join(own, request);
  if (request.path.startsWith(hookPath) && request.method === "POST") return hook(own, request);
  return undefined;
}

async function join(own: OwnEndpoints, request: ServerRequest): Promise<Answer> {
  const token = /^Bearer (.+)$/i.exec(request.header("authorization") ?? "")?.[1] ?? "";
  if (!isJoinToken(token, own.joinSecret)) throw failure(401, "Unauthorized", "the join token is wrong");
  const body = await request.body(joinBodyBytesMax);
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString("utf8"));
  } catch {
    throw failure(400, "BadRequest", "join: the body is no JSON");
  }
  return objectAnswer(await joinNode(parsed, own.ca, own.passwords, own.facts));
}

async function hook(own: OwnEndpoints, request: ServerRequest): Promise<Answer> {
  const given = Buffer.from(request.path.slice(hookPath.length));
  const wanted = Buffer.from(own.hookSecret);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw failure(404, "NotFound", "no such hook");
  await request.body(hookBodyBytesMax);
  own.onHook();
  return textAnswer("ok\n", 200);
}
