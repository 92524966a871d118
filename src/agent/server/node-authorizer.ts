/**
 * Who may use the node's API: whoever shows a certificate of the cluster or a token, and may do with `nodes/…` what the
 * request does. The API server decides; its answers are kept for a while. By effect, not by HTTP verb: a GET that opens a
 * WebSocket to run a command needs the right to create. Upstream: pkg/kubelet/server/auth.go.
 */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Client } from "#client/client.ts";

export type NodeVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: number; readonly message: string };

interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string | undefined;
}

export const allowedMs = 300_000;
export const deniedMs = 30_000;
const rememberedVerdictsMax = 1_024;

export function createNodeAuthorizer(
  client: Client,
  nodeName: string,
): (request: IncomingMessage, parts: readonly string[]) => Promise<NodeVerdict> {
  const kept = new Map<string, { allowed: boolean; untilMs: number }>();
  const may = async (user: User, verb: string, subresource: string): Promise<boolean> => {
    const key = JSON.stringify([user, verb, subresource]);
    const known = kept.get(key);
    if (known !== undefined && known.untilMs > Date.now()) return known.allowed;
    const allowed = await review(client, user, { verb, subresource, name: nodeName });
    kept.delete(key);
    kept.set(key, { allowed, untilMs: Date.now() + (allowed ? allowedMs : deniedMs) });
    if (kept.size > rememberedVerdictsMax) kept.delete(kept.keys().next().value ?? "");
    return allowed;
  };
  return async (request, parts) => {
    const user = certificateUser(request) ?? (await tokenUser(client, request));
    if (user === undefined) return { allowed: false, code: 401, message: "Unauthorized" };
    if (user.groups.includes("system:masters")) return { allowed: true };
    const verb = verbOf(request.method ?? "GET", parts);
    for (const subresource of subresourcesOf(parts)) if (await may(user, verb, subresource)) return { allowed: true };
    const [wanted = "proxy"] = subresourcesOf(parts);
    const message = `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${wanted}])`;
    return { allowed: false, code: 403, message };
  };
}

const verbs: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };
const acting = new Set(["exec", "attach", "portForward", "run", "cri"]);

export function verbOf(method: string, parts: readonly string[]): string {
  return acting.has(parts[0] ?? "") ? "create" : (verbs[method] ?? "get");
}

/** The right that fits, then the old one that covers everything. */
export function subresourcesOf([first = ""]: readonly string[]): string[] {
  switch (first) {
    case "stats":
      return ["stats"];
    case "metrics":
      return ["metrics"];
    case "logs":
      return ["log"];
    case "pods":
    case "runningpods":
      return ["pods", "proxy"];
    case "healthz":
      return ["healthz", "proxy"];
    case "configz":
      return ["configz", "proxy"];
    case "flagz":
      return ["configz"];
    case "statusz":
    case "checkpoint":
      return [first];
    default:
      return ["proxy"];
  }
}

function certificateUser({ socket }: IncomingMessage): User | undefined {
  const tls = socket as TLSSocket;
  if (!tls.authorized) return undefined;
  const { subject } = tls.getPeerCertificate();
  if (subject?.CN === undefined) return undefined;
  const organizations: unknown = subject.O;
  const groups = Array.isArray(organizations)
    ? organizations.map(String)
    : organizations === undefined
      ? []
      : [String(organizations)];
  return { name: String(subject.CN), groups: [...groups, "system:authenticated"] };
}

async function tokenUser(client: Client, { headers }: IncomingMessage): Promise<User | undefined> {
  const token = headers.authorization?.match(/^Bearer (\S+)$/)?.[1];
  if (token === undefined) return undefined;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", metadata: {}, spec: { token } };
  const answer = (await client.call({ method: "POST", path: "/apis/authentication.k8s.io/v1/tokenreviews", body })) as {
    status?: { authenticated?: boolean; user?: { username?: string; uid?: string; groups?: string[] } };
  };
  const { authenticated, user } = answer.status ?? {};
  if (authenticated !== true || user?.username === undefined) return undefined;
  return { name: user.username, uid: user.uid, groups: user.groups ?? [] };
}

async function review(
  client: Client,
  { name: user, groups, uid }: User,
  { verb, subresource, name }: { verb: string; subresource: string; name: string },
): Promise<boolean> {
  const body = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    metadata: {},
    spec: {
      user,
      groups,
      ...(uid === undefined ? {} : { uid }),
      resourceAttributes: { verb, resource: "nodes", subresource, name },
    },
  };
  const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  const answer = (await client.call({ method: "POST", path, body })) as { status?: { allowed?: boolean } };
  return answer.status?.allowed === true;
}
