/** One call of a webhook: an AdmissionReview out, its response back. Upstream: apiserver/pkg/admission/plugin/webhook, util/webhook. */
import { request as httpsRequest } from "node:https";
import type { V1Service } from "#api/generated/types.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { objectAt } from "#apiserver/admission/lookup.ts";

export interface ClientConfig {
  url?: string;
  service?: { namespace?: string; name?: string; path?: string; port?: number };
  caBundle?: string;
}

/** A webhook's answer is never larger. */
const answerBytesMax = 3 * 1024 * 1024;
const defaultPort = 443;

export class WebhookError extends Error {}

interface Target {
  /** As errors show it. */
  url: URL;
  shown: string;
  /** Where to connect, if not where the URL says. */
  host: string;
  port: number;
}

export async function callWebhook(
  config: ClientConfig,
  timeoutSeconds: number,
  review: object,
  request: AdmissionRequest,
): Promise<unknown> {
  const shown = `Post ${JSON.stringify(urlOf(config, timeoutSeconds))}`;
  try {
    return await post(targetOf(config, timeoutSeconds, request), config, timeoutSeconds, review);
  } catch (error) {
    throw new WebhookError(`${shown}: ${faultText(error as NodeJS.ErrnoException)}`);
  }
}

function urlOf({ url, service }: ClientConfig, timeoutSeconds: number): string {
  const query = `timeout=${timeoutSeconds}s`;
  if (url !== undefined) return `${url}${url.includes("?") ? "&" : "?"}${query}`;
  const { name = "", namespace = "", path = "/", port = defaultPort } = service ?? {};
  return `https://${name}.${namespace}.svc:${port}${path.startsWith("/") ? path : `/${path}`}?${query}`;
}

function targetOf(config: ClientConfig, timeoutSeconds: number, request: AdmissionRequest): Target {
  const shown = urlOf(config, timeoutSeconds);
  const url = new URL(shown);
  const port = url.port === "" ? defaultPort : Number(url.port);
  const { service } = config;
  if (config.url !== undefined || service === undefined)
    return { url, shown, host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port };
  return { url, shown, port, host: addressOf(service, port, request) };
}

/** A Service's own address, as long as it has the port. */
function addressOf(
  { namespace = "", name = "" }: NonNullable<ClientConfig["service"]>,
  port: number,
  { services }: AdmissionRequest,
): string {
  const service = objectAt<V1Service & { metadata: object }>(
    services,
    "/registry/core/services/",
    `${namespace}/${name}`,
  );
  if (service === undefined) throw new WebhookError(`service ${JSON.stringify(name)} not found`);
  const { ports = [], clusterIP = "", type, externalName = "" } = service.spec ?? {};
  if (type === "ExternalName") return externalName;
  if (!ports.some((one) => one.port === port))
    throw new WebhookError(`no service port ${port} found for service ${JSON.stringify(name)}`);
  if (clusterIP === "" || clusterIP === "None")
    throw new WebhookError(`no endpoints available for service ${JSON.stringify(name)}`);
  return clusterIP;
}

function faultText(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const where = `${error.address?.includes(":") === true ? `[${error.address}]` : (error.address ?? "")}:${error.port ?? ""}`;
  switch (error.code) {
    case "ECONNREFUSED":
      return `dial tcp ${where}: connect: connection refused`;
    case "EHOSTUNREACH":
      return `dial tcp ${where}: connect: no route to host`;
    case "ENOTFOUND":
      return `dial tcp: lookup ${(error as { hostname?: string }).hostname ?? ""}: no such host`;
    case "ABORT_ERR":
      return "context deadline exceeded";
    default:
      return error.message;
  }
}

function post(
  { url, host, port }: Target,
  { caBundle }: ClientConfig,
  timeoutSeconds: number,
  review: object,
): Promise<unknown> {
  const body = Buffer.from(JSON.stringify(review));
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        host,
        port,
        path: `${url.pathname}${url.search}`,
        method: "POST",
        servername: url.hostname,
        ...(caBundle === undefined || caBundle === "" ? {} : { ca: Buffer.from(caBundle, "base64") }),
        headers: {
          host: url.host,
          "content-type": "application/json",
          accept: "application/json, */*",
          "content-length": body.length,
        },
        signal: AbortSignal.timeout(timeoutSeconds * 1000),
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > answerBytesMax)
            answer.destroy(new WebhookError(`response is larger than ${answerBytesMax} bytes`));
          else chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          if (answer.statusCode !== 200)
            reject(
              new WebhookError(
                `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`,
              ),
            );
          else resolve(parsed(text, reject));
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function parsed(text: string, reject: (error: Error) => void): unknown {
  try {
    return JSON.parse(text);
  } catch {
    reject(new WebhookError("could not decode the response"));
    return undefined;
  }
}
