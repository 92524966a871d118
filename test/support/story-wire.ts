/** Requests over HTTPS, where the wire itself is the subject: headers, media types, methods, raw bytes. */
import { request as httpsRequest } from "node:https";
import type { StoryServer } from "./story-server.ts";

export interface WireRequest {
  method: string;
  path: string;
  headers?: Readonly<Record<string, string | string[]>>;
  body?: string | Buffer;
  /** Without the administrator's certificate. */
  isAnonymous?: boolean;
}

export interface WireAnswer {
  code: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

export type Wire = (request: WireRequest) => Promise<WireAnswer>;

export async function wireTo(server: StoryServer): Promise<Wire> {
  const { port, ca, cert, key } = await server.listen();
  return ({ method, path, headers = {}, body, isAnonymous = false }) =>
    new Promise((resolve, reject) => {
      const options = {
        host: "127.0.0.1",
        port,
        ca,
        ...(isAnonymous ? {} : { cert, key }),
        method,
        path,
        headers,
        agent: false,
      };
      const sent = httpsRequest(options, (response) => {
        response
          .toArray()
          .then((chunks) =>
            resolve({
              code: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks as Buffer[]).toString("utf8"),
            }),
          )
          .catch(reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
}
