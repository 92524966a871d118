/** Reads request bodies under a limit, also when they are compressed: a small body may not become a large one. */
import type { Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { failure } from "#api/status-error.ts";

/** Upstream's limit of a request's body. */
export const bodyBytesMax = 3 * 1024 * 1024;

export async function readBody(
  input: Readable,
  contentLength: string | undefined,
  contentEncoding: string | undefined,
  limitBytes = bodyBytesMax,
): Promise<Buffer> {
  if (contentLength !== undefined && Number(contentLength) > limitBytes) {
    input.resume();
    throw tooLarge(limitBytes);
  }
  const decoded = decoderOf(contentEncoding);
  if (decoded === undefined) return collect(input, limitBytes);
  input.pipe(decoded);
  input.once("error", (error) => decoded.destroy(error));
  try {
    return await collect(decoded, limitBytes);
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

function collect(input: Readable, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    input.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= limitBytes) pieces.push(piece);
      else {
        input.removeAllListeners("data");
        input.resume();
        reject(tooLarge(limitBytes));
      }
    });
    const onClose = () => reject(new Error("the client went away before its body was complete"));
    input.once("end", () => {
      input.removeListener("close", onClose);
      resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces));
    });
    input.once("error", reject);
    input.once("close", onClose);
  });
}

const isZlibError = (error: unknown): error is Error =>
  error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith("Z_");

function tooLarge(limitBytes: number) {
  return failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);
}
