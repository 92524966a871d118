/**
 * Sends a request on to an aggregated API server and its answer back, byte for byte. Upstream: kube-aggregator/pkg/apiserver/
 * handler_proxy.go, apimachinery/pkg/util/proxy.
 */
import type { IncomingMessage } from "node:http";
import type { Answer, Headers } from "#apiserver/answer.ts";
import { passBody, passedHeaders, staysHere } from "#apiserver/http/pass-request.ts";
import type { ServerRequest, User } from "#apiserver/request.ts";
import { passUpgrade } from "#apiserver/subresources/upgrade.ts";
import { faultText } from "#apiserver/webhook/fault-text.ts";
import { isAvailable } from "./availability.ts";
import { userHeaders } from "./front-proxy.ts";
import type { RemoteServer } from "./remote-server.ts";

const unavailable = (text: string): Answer => ({ type: "text", code: 503, text: `${text}\n` });

export async function forward(server: RemoteServer, request: ServerRequest, user: User): Promise<Answer> {
  if (!isAvailable(server.service)) return unavailable("service unavailable");
  const path = `${request.path}${request.rawQuery === "" ? "" : `?${request.rawQuery}`}`;
  try {
    const { host, port } = server.destination();
    if (request.upgrade !== undefined) return await upgraded(server, request, user, path, `${host}:${port}`);
    const answer = await server.request(
      {
        method: request.method,
        path,
        headers: { ...clientHeaders(request), ...userHeaders(user), host: `${host}:${port}` },
        signal: request.signal,
      },
      (outgoing) => passBody(request, outgoing),
    );
    return answered(answer);
  } catch (error) {
    return unavailable(faultText(error as Error));
  }
}

function clientHeaders(request: ServerRequest): Record<string, string | string[]> {
  const headers = passedHeaders(request);
  const { remoteAddress } = request;
  const before = request.header("x-forwarded-for");
  if (remoteAddress !== undefined)
    headers["x-forwarded-for"] = before === undefined ? remoteAddress : `${before}, ${remoteAddress}`;
  return headers;
}

function answered(answer: IncomingMessage): Answer {
  const code = answer.statusCode ?? 502;
  if (code >= 300 && code < 400 && answer.headers.location !== undefined) {
    answer.destroy();
    return { type: "text", code: 502, text: "the backend attempted to redirect this request, which is not permitted" };
  }
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined && !staysHere(name)) headers[name] = value;
  return { type: "stream", code, headers: headers as Headers, body: answer };
}

async function upgraded(
  server: RemoteServer,
  request: ServerRequest,
  user: User,
  path: string,
  host: string,
): Promise<Answer> {
  const socket = await server.connect();
  return passUpgrade(request, socket, path, host, userHeaders(user));
}
