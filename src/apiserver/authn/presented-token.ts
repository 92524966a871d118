/**
 * The token that a request shows: in its Authorization header, or among the protocols of a WebSocket, where browsers can set
 * no header. Upstream: apiserver/pkg/authentication/request/{bearertoken,websocket}.
 */
import { unauthorized } from "#api/status-catalogue.ts";
import type { ServerRequest } from "#apiserver/request.ts";

const protocolHeader = "sec-websocket-protocol";
const tokenProtocol = "base64url.bearer.authorization.k8s.io.";

/** undefined: none. Throws a 401 StatusError for one that cannot be read. */
export function presentedToken(request: ServerRequest): string | undefined {
  return bearerToken(request) ?? webSocketToken(request);
}

/** Another scheme is no proof that anyone here knows, and neither is a second space before the token. */
function bearerToken(request: ServerRequest): string | undefined {
  const [scheme = "", token = ""] = partsOf(request);
  return isBearer(scheme) && token !== "" ? token : undefined;
}

const partsOf = (request: ServerRequest): string[] => (request.header("authorization") ?? "").trim().split(" ");
const isBearer = (scheme: string): boolean => scheme.toLowerCase() === "bearer";

/** A token that is not read, for the space before it. */
export function hasMisplacedToken(request: ServerRequest): boolean {
  const [scheme = "", token, ...more] = partsOf(request);
  return isBearer(scheme) && token === "" && more.length > 0;
}

function webSocketToken(request: ServerRequest): string | undefined {
  if (request.upgrade === undefined || request.header("upgrade")?.toLowerCase() !== "websocket") return undefined;
  const protocols = protocolsOf(request.header(protocolHeader) ?? "");
  const [first, ...more] = protocols.filter((protocol) => protocol.startsWith(tokenProtocol));
  if (first === undefined) return undefined;
  const encoded = first.slice(tokenProtocol.length);
  const token = Buffer.from(encoded, "base64url");
  if (more.length > 0 || token.toString("base64url") !== encoded) throw unauthorized();
  // One must be left that the answer can name.
  if (token.length > 0 && protocols.length === 1) throw unauthorized();
  return token.length === 0 ? undefined : token.toString();
}

const protocolsOf = (header: string): string[] => header.split(",").map((protocol) => protocol.trim());

/** The protocols that may be passed on and chosen. */
export const withoutTokens = (header: string): string =>
  protocolsOf(header)
    .filter((protocol) => !protocol.startsWith(tokenProtocol))
    .join(",");
