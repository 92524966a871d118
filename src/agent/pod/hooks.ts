/** What a container wants done after its start and before its end. Upstream: pkg/kubelet/lifecycle/handlers.go. */
import http from "node:http";
import https from "node:https";
import { sleep } from "#lib/sleep.ts";
import type { V1LifecycleHandler } from "#api/generated/types.ts";
import { expand } from "./expansion.ts";
import { bracket, portNumber, requestHeaders, type ProbeTarget } from "./probe.ts";

export interface HookOptions {
  readonly timeoutSeconds: number;
  /** Ends the waiting, not a command in the container. */
  readonly signal: AbortSignal;
  /** Who was asked over TLS answered in plain HTTP, and was asked again so. */
  fellBack?(host: string): void;
}

/** Rejects when the hook fails. */
export async function runHook(
  { exec, httpGet, sleep: pause }: V1LifecycleHandler,
  target: ProbeTarget,
  options: HookOptions,
): Promise<void> {
  const { timeoutSeconds, signal } = options;
  if (exec !== undefined) {
    const words = (exec.command ?? []).map((word) => expand(word, (name) => target.environment.get(name)));
    const { exitCode, stdout, stderr } = await target.runtime.execSync(target.containerId, words, timeoutSeconds);
    if (exitCode !== 0)
      throw new Error(
        `command '${words.join(" ")}' exited with ${exitCode}: ${Buffer.concat([stdout, stderr]).toString("utf8")}`,
      );
  } else if (httpGet !== undefined) {
    const port = portNumber(httpGet.port, target.container);
    if (port === undefined) throw new Error(`couldn't find port: ${String(httpGet.port)}`);
    const host = `${bracket(httpGet.host === undefined || httpGet.host === "" ? target.ip : httpGet.host)}:${port}`;
    const path = httpGet.path ?? "/";
    const url = new URL(
      `${(httpGet.scheme ?? "HTTP").toLowerCase()}://${host}${path.startsWith("/") ? "" : "/"}${path}`,
    );
    await callEither(url, requestHeaders(httpGet, host, "lifecycle"), options);
  } else if (pause !== undefined) {
    await sleep(pause.seconds * 1000, signal);
  }
}

/** What speaks plain HTTP where TLS was asked for is asked again so, without what proves who asks. */
async function callEither(url: URL, headers: readonly [string, string][], options: HookOptions): Promise<void> {
  const { signal, fellBack } = options;
  try {
    await call(url, headers, signal);
  } catch (error) {
    if (url.protocol !== "https:" || !isPlainAnswer(error as NodeJS.ErrnoException)) throw error;
    const kept = headers.filter(([name]) => name.toLowerCase() !== "authorization");
    await call(new URL(url.href.replace(/^https:/, "http:")), kept, signal);
    fellBack?.(url.host);
  }
}

const isPlainAnswer = ({ code, message }: NodeJS.ErrnoException): boolean =>
  code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER" || message.includes("wrong version number");

/** Any answer will do: upstream looks at none. */
function call(url: URL, headers: readonly [string, string][], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const library = url.protocol === "https:" ? https : http;
    const options = { agent: false, setHost: false, headers: headers.flat(), rejectUnauthorized: false, signal };
    const request = library.request(url, options as unknown as http.RequestOptions);
    request.on("response", (response) => {
      response.resume();
      request.destroy();
      resolve();
    });
    request.on("error", reject);
    request.end();
  });
}
