/** One call of a webhook: a review out as JSON, its response back. Upstream: apiserver/pkg/util/webhook/client.go. */
import { Agent, request as httpsRequest } from "node:https";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import { type ClientConfig, destinationOf, urlOf } from "./destination.ts";
import { faultText, statusText } from "./fault-text.ts";

/** A webhook's answer is never larger. */
export const answerBytesMax = 16 * 1024 * 1024;
/** Connections to one webhook; further calls wait for one of them, within their own time. */
const connectionsMax = 256;
const idleConnectionsMax = 16;

const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax, maxFreeSockets: idleConnectionsMax });

/** A call that gave no usable answer; the message is as clients are told it. */
export class WebhookError extends Error {}

export interface Call {
  config: ClientConfig;
  timeoutSeconds: number;
  review: object;
  cache: ClusterCache;
  random: () => number;
}

/** The answer's JSON. Throws WebhookError. */
export async function callWebhook({ config, timeoutSeconds, review, cache, random }: Call): Promise<unknown> {
  const url = urlOf(config, timeoutSeconds);
  const { code, text } = await posted(url, { config, timeoutSeconds, review, cache, random });
  if (code < 200 || code > 206) throw new WebhookError(statusText(code, text));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WebhookError(decodeText(text, error as Error));
  }
}

const decodeText = (text: string, { message }: Error): string =>
  text === ""
    ? "couldn't get version/kind; json parse error: unexpected end of JSON input"
    : `couldn't get version/kind; json parse error: ${goSyntaxText(text, message)}`;

/** encoding/json's words for text that is no JSON at all. */
function goSyntaxText(text: string, message: string): string {
  const [first = ""] = text.trimStart();
  return /[[{"\d\-tfn]/.test(first) ? message : `invalid character '${first}' looking for beginning of value`;
}

interface Posted {
  code: number;
  text: string;
}

async function posted(url: string, call: Call): Promise<Posted> {
  try {
    const body = Buffer.from(JSON.stringify(call.review));
    const signal = AbortSignal.timeout(call.timeoutSeconds * 1000);
    return await postOnce(new URL(url), call, body, signal, true);
  } catch (error) {
    throw new WebhookError(`Post ${JSON.stringify(url)}: ${faultText(error as Error)}`);
  }
}

/** A kept connection may have ended meanwhile: then the call is made once more. */
function postOnce(url: URL, call: Call, body: Buffer, signal: AbortSignal, mayRepeat: boolean): Promise<Posted> {
  const { config, cache, random } = call;
  const { caBundle = "" } = config;
  const target = destinationOf(config, cache, random);
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        ...target,
        path: `${url.pathname}${url.search}`,
        method: "POST",
        ...(caBundle === "" ? {} : { ca: Buffer.from(caBundle, "base64") }),
        headers: {
          host: url.host,
          "content-type": "application/json",
          accept: "application/json, */*",
          "user-agent": "kube-apiserver-admission",
          "content-length": body.length,
        },
        signal,
        agent,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > answerBytesMax) answer.destroy(new Error(`response is larger than ${answerBytesMax} bytes`));
          else chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("end", () => resolve({ code: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
      },
    );
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      if (mayRepeat && outgoing.reusedSocket && error.code === "ECONNRESET")
        resolve(postOnce(url, call, body, signal, false));
      else reject(error);
    });
    outgoing.end(body);
  });
}
