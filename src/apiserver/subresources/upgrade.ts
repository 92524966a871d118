/**
 * Takes an upgrade request through to a backend as raw bytes. Only a 101 opens the way; any other answer (a redirect
 * above all) is refused and both connections end, so that nothing that follows on them can reach the backend.
 * Upstream: apimachinery/pkg/util/proxy/upgradeaware.go.
 */
import type { Duplex } from "node:stream";
import { failure } from "#api/status-error.ts";
import type { HijackedAnswer } from "#apiserver/answer.ts";
import { withoutTokens } from "#apiserver/authn/presented-token.ts";
import type { ServerRequest } from "#apiserver/request.ts";

/** The head of an answer is small. */
const headBytesMax = 64 * 1024;

/** What proves who the client is stays here; the backend is shown the server's own certificate. */
const dropped = new Set(["authorization", "cookie", "host", "proxy-authorization"]);

export async function passUpgrade(
  request: ServerRequest,
  backend: Duplex,
  path: string,
  host: string,
  more: Readonly<Record<string, string | readonly string[]>> = {},
): Promise<HijackedAnswer> {
  const { socket, head } = request.upgrade!;
  // Nobody waits for a backend any more when the client is gone.
  socket.once("close", () => backend.destroy());
  backend.write(upgradeHead(request, path, host, more));
  const { text, rest, code } = await answerHead(backend);
  if (code !== 101) {
    backend.destroy();
    throw failure(
      code >= 400 ? code : 502,
      code >= 400 ? "" : "BadGateway",
      `the backend refused the upgrade: ${text.split("\r\n")[0] ?? ""}`,
    );
  }
  socket.write(text);
  if (rest.length > 0) socket.write(rest);
  if (head.length > 0) backend.write(head);
  join(socket, backend);
  return { type: "hijacked" };
}

/** Bytes both ways until one side ends. */
export function join(a: Duplex, b: Duplex): void {
  a.pipe(b);
  b.pipe(a);
  const endBoth = () => {
    a.destroy();
    b.destroy();
  };
  for (const side of [a, b]) {
    side.on("error", endBoth);
    side.on("close", endBoth);
  }
}

export function upgradeHead(
  request: ServerRequest,
  path: string,
  host: string,
  replaced: Readonly<Record<string, string | readonly string[]>> = {},
): string {
  const lines = [`${request.method} ${path} HTTP/1.1`, `Host: ${host}`];
  for (const [name, value] of Object.entries(request.headers())) {
    if (
      value === undefined ||
      dropped.has(name) ||
      name.startsWith("impersonate-") ||
      name.startsWith("x-remote-") ||
      Object.hasOwn(replaced, name)
    )
      continue;
    for (const one of [value].flat()) {
      const text = name === "sec-websocket-protocol" ? withoutTokens(one) : one;
      lines.push(`${name}: ${text.replace(/[\r\n]/g, " ")}`);
    }
  }
  for (const [name, values] of Object.entries(replaced))
    for (const value of [values].flat()) if (value !== "") lines.push(`${name}: ${value.replace(/[\r\n]/g, " ")}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

export interface AnswerHead {
  code: number;
  /** The head as it came, its empty line included. */
  text: string;
  /** What came behind it. */
  rest: Buffer;
}

export function answerHead(backend: Duplex): Promise<AnswerHead> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const stop = () => {
      backend.removeListener("data", onData);
      backend.removeListener("end", onEnd);
      backend.removeListener("error", onEnd);
      backend.removeListener("close", onEnd);
    };
    const onEnd = () => {
      stop();
      reject(failure(502, "BadGateway", "the backend closed the connection"));
    };
    const onData = (piece: Buffer) => {
      bytes = Buffer.concat([bytes, piece]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0 && bytes.length <= headBytesMax) return;
      stop();
      backend.pause();
      if (end < 0) {
        backend.destroy();
        reject(failure(502, "BadGateway", "the backend's answer has too large a head"));
        return;
      }
      const text = bytes.subarray(0, end + 4).toString("latin1");
      resolve({ code: Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 502), text, rest: bytes.subarray(end + 4) });
    };
    backend.on("data", onData);
    backend.once("end", onEnd);
    backend.once("error", onEnd);
    backend.once("close", onEnd);
  });
}
