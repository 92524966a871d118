/**
 * Every request takes this way: what does it ask for, who asks, may they, then the operation. The same for HTTP and for
 * parts in the same process; what differs is only how a request came in and how the answer goes out.
 */
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { badRequest, internalError, unauthorized } from "#api/status-catalogue.ts";
import { failure, StatusError } from "#api/status-error.ts";
import type { Aggregator } from "./aggregation/aggregator.ts";
import { forward } from "./aggregation/forward.ts";
import { type Answer, type ObjectAnswer, statusAnswer } from "./answer.ts";
import { anonymous, type Authenticator } from "./authn/authenticator.ts";
import type { Impersonator } from "./authn/impersonation.ts";
import { hasMisplacedToken, presentedToken } from "./authn/presented-token.ts";
import { attributesOf, type Authorizer, forbidden } from "./authz/authorizer.ts";
import { type Caller, type Dispatched, dispatch, type DispatchTables, warningsOf } from "./dispatch.ts";
import type { Form } from "./http/negotiate.ts";
import type { NonResourceHandler } from "./non-resource.ts";
import type { Services } from "./operation.ts";
import { answerOwn, type OwnEndpoints } from "./own-endpoints.ts";
import { requestInfo, type RequestInfo } from "./request-info.ts";
import type { RequestEnd, RequestMetrics } from "./request-metrics.ts";
import type { ServerRequest, User } from "./request.ts";

export interface HandlerParts {
  services: Services;
  tables: DispatchTables;
  authenticators: readonly Authenticator[];
  impersonate: Impersonator;
  authorizer: Authorizer;
  nonResource: NonResourceHandler;
  own: OwnEndpoints | undefined;
  aggregator: Aggregator | undefined;
  metrics: RequestMetrics;
  clock: Clock;
  log: Logger;
}

export type Handler = (request: ServerRequest) => Promise<Dispatched>;

const plain: Form = { encoding: "json", as: "object", version: "", pretty: false };

export function createHandler(parts: HandlerParts): Handler {
  const { metrics, clock } = parts;
  return async (request) => {
    const begunMs = clock.now();
    const seen: Seen = { warnings: [] };
    metrics.begun(request.method);
    const done = await handle(parts, request, seen).catch((error: unknown) => ({
      answer: failed(parts, request, error),
      form: formOfFailure(request),
    }));
    metrics.ended(request.method, seen.info && endOf(seen.info, request, done.answer, clock.now() - begunMs));
    return seen.warnings.length === 0 ? done : { ...done, answer: warned(done.answer, seen.warnings) };
  };
}

/** What was found out about a request before it was answered. */
interface Seen {
  info?: RequestInfo;
  /** Of how the caller says who asks. */
  readonly warnings: string[];
}

function warned(answer: Answer, warnings: readonly string[]): Answer {
  if (answer.type !== "object" && answer.type !== "watch") return answer;
  return { ...answer, warnings: [...warnings, ...(answer.warnings ?? [])] };
}

const switchingProtocols = 101;

function endOf(info: RequestInfo, request: ServerRequest, answer: Answer, tookMs: number): RequestEnd {
  const code = answer.type === "watch" ? 200 : answer.type === "hijacked" ? switchingProtocols : answer.code;
  const dryRun = request.query.get("dryRun") ?? "";
  return { info, contentType: request.header("content-type"), code, dryRun, seconds: tookMs / 1000 };
}

async function handle(parts: HandlerParts, request: ServerRequest, seen: Seen): Promise<Dispatched> {
  const mine = parts.own === undefined || request.user !== undefined ? undefined : answerOwn(parts.own, request);
  if (mine !== undefined) return { answer: await mine, form: plain };
  const { services, authorizer, tables, nonResource, clock } = parts;
  const info = requestInfo(request.method, decodePath(request.path), request.query);
  seen.info = info;
  const authenticated = request.user ?? (await authenticate(parts, request, seen.warnings));
  const asked = attributesOf(info, authenticated);
  const user = parts.impersonate(request, asked, authorizer);
  const attributes = user === authenticated ? asked : attributesOf(info, user);
  const verdict = authorizer.authorize(attributes);
  if (verdict.decision !== "allow") {
    throw forbidden(attributes, verdict.reason);
  }
  const remote = parts.aggregator?.find(info.path);
  if (remote !== undefined) return { answer: await forward(remote, request, user), form: plain };
  const caller: Caller = { services, request, info, user, now: clock.now() };
  return info.isResource ? dispatch(caller, tables) : nonResource(caller);
}

async function authenticate(
  { authenticators }: HandlerParts,
  request: ServerRequest,
  warnings: string[],
): Promise<User> {
  for (const authenticator of authenticators) {
    const found = authenticator.authenticate(request, warnings);
    const user = found instanceof Promise ? await found : found;
    if (user !== undefined) return user;
  }
  // A proof that nobody knows is no anonymous request.
  const { clientCertificate, hasBadCertificate = false } = request;
  if (clientCertificate !== undefined || hasBadCertificate || presentedToken(request) !== undefined)
    throw unauthorized();
  if (hasMisplacedToken(request))
    warnings.push("the provided Authorization header contains extra space before the bearer token, and is ignored");
  return anonymous;
}

function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw badRequest("the path is not properly encoded");
  }
}

function failed({ log }: HandlerParts, request: ServerRequest, error: unknown): Answer {
  const status = error instanceof StatusError ? error : crash(log, request, error);
  const answer: ObjectAnswer = statusAnswer(status.status);
  const warnings = error instanceof Error ? warningsOf.get(error) : undefined;
  return warnings === undefined ? answer : { ...answer, warnings };
}

/** A bug: the client learns that something is wrong, the log learns what. */
function crash(log: Logger, request: ServerRequest, error: unknown): StatusError {
  if (request.signal.aborted) return failure(499, "", "the client is gone");
  log.error("a request failed", { method: request.method, path: request.path, error: error as Error });
  log.debug("where", { stack: error instanceof Error ? error.stack : undefined });
  return internalError(error instanceof Error ? error.message : String(error));
}

/** Failures are told in YAML or protobuf to those who accept nothing else. */
function formOfFailure(request: ServerRequest): Form {
  switch ((request.header("accept") ?? "").trim()) {
    case "application/yaml":
      return { ...plain, encoding: "yaml" };
    case "application/vnd.kubernetes.protobuf":
      return { ...plain, encoding: "protobuf" };
    default:
      return plain;
  }
}
