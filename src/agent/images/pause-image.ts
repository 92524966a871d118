/** The sandbox image: nothing but the pause program. */
import { ociArchive } from "./oci-archive.ts";
import { pauseProgram } from "./pause-program.ts";

export const pauseImage = "localhost/capstan-pause:1";

export function pauseArchive(architecture: string): Buffer {
  return ociArchive({
    name: pauseImage,
    architecture,
    entries: [{ name: "pause", mode: 0o755, content: pauseProgram(architecture) }],
    config: { Entrypoint: ["/pause"] },
  });
}
