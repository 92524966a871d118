/** Reads request bodies under limits of size and time, also when they are compressed: a small body may not become a large one. */
import type { Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { failure } from "#api/status-error.ts";

/** Upstream's limit of a request's body. */
export const bodyBytesMax = 3 * 1024 * 1024;

export interface BodyLimits {
  bytes: number;
  /** From when somebody reads it to its end. */
  ms: number;
}

export async function readBody(
  input: Readable,
  contentLength: string | undefined,
  contentEncoding: string | undefined,
  limits: BodyLimits,
): Promise<Buffer> {
  if (contentLength !== undefined && Number(contentLength) > limits.bytes) {
    input.resume();
    throw tooLarge(limits.bytes);
  }
  const decoded = decoderOf(contentEncoding);
  if (decoded === undefined) return collect(input, limits);
  input.pipe(decoded);
  input.once("error", (error) => decoded.destroy(error));
  try {
    return await collect(decoded, limits);
  } catch (error) {
    input.unpipe(decoded);
    decoded.destroy();
    input.resume();
    if (isZlibError(error)) throw failure(400, "BadRequest", `the body could not be decompressed: ${error.message}`);
    throw error;
  }
}

function decoderOf(contentEncoding: string | undefined) {
  switch (contentEncoding?.trim().toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return undefined;
    case "gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    default:
      throw failure(
        415,
        "UnsupportedMediaType",
        `content encoding ${JSON.stringify(contentEncoding)} is not supported`,
      );
  }
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

const isZlibError = (error: unknown): error is Error =>
  error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith("Z_");

const tooSlow = () => failure(408, "Timeout", "the body of the request took too long");

function tooLarge(limitBytes: number) {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
}
