/** Reads request bodies under limits of size and time. As upstream, it takes them as they come, whatever Content-Encoding says. */
import type { Readable } from "node:stream";
import { failure } from "#api/status-error.ts";

/** Upstream's limit of a request's body. */
export const bodyBytesMax = 3 * 1024 * 1024;

export interface BodyLimits {
  bytes: number;
  /** From when somebody reads it to its end. */
  ms: number;
}

export function readBody(input: Readable, contentLength: string | undefined, limits: BodyLimits): Promise<Buffer> {
  if (contentLength === undefined || Number(contentLength) <= limits.bytes) return collect(input, limits);
  input.resume();
  return Promise.reject(tooLarge(limits.bytes));
}

function collect(input: Readable, limits: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const refuse = (why: Error) => {
      clearTimeout(timer);
      input.removeAllListeners("data");
      input.resume();
      reject(why);
    };
    const timer = setTimeout(() => refuse(tooSlow()), limits.ms);
    input.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= limits.bytes) pieces.push(piece);
      else refuse(tooLarge(limits.bytes));
    });
    const onClose = () => {
      clearTimeout(timer);
      reject(new Error("the client went away before its body was complete"));
    };
    input.once("end", () => {
      clearTimeout(timer);
      input.removeListener("close", onClose);
      resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
    });
    input.once("error", reject);
    input.once("close", onClose);
  });
}

const tooSlow = () => failure(408, "Timeout", "the body of the request took too long");

function tooLarge(limitBytes: number) {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
}
