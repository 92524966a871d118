/**
 * The body of an answer as it arrives. Not the stream's own iterator: an HTTP/2 stream that its peer has closed counts as
 * closed while bytes still wait in it, and the iterator then says "premature close".
 */
import type { Readable } from "node:stream";
import { LostConnectionError } from "./lost-connection.ts";

/** Listens from the call on; ends with the body, throws if the stream breaks off before. Leaving early ends the stream. */
export function bodyOf(stream: Readable): AsyncIterable<Uint8Array> {
  let wake: () => void = () => {};
  let failure: Error | undefined;
  const onChange = (): void => wake();
  stream.on("readable", onChange).on("end", onChange).on("close", onChange);
  stream.on("error", (error: Error) => {
    failure ??= error;
    wake();
  });
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = stream.read() as Uint8Array | null;
        if (piece !== null) yield piece;
        else if (stream.readableEnded) return;
        else if (failure !== undefined) throw failure;
        else if (stream.destroyed) throw new LostConnectionError("the connection ended in the middle of an answer");
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      if (!stream.readableEnded) stream.destroy();
    }
  }
  return { [Symbol.asyncIterator]: pieces };
}
