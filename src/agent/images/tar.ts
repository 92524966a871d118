/** Writes tar archives (ustar): the layers and archives of the few images that Capstan makes itself. */

export interface TarEntry {
  /** Relative, without a leading slash; a directory's name ends with one. Up to 100 bytes. */
  name: string;
  mode?: number;
  content?: Uint8Array;
  /** A symbolic link to here. */
  linkTo?: string;
}

const blockBytes = 512;
const nameBytesMax = 100;

/** The same entries give the same bytes: no times, no owners. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const content = entry.content ?? new Uint8Array();
    parts.push(headerOf(entry, content.length), content);
    const rest = content.length % blockBytes;
    if (rest > 0) parts.push(new Uint8Array(blockBytes - rest));
  }
  parts.push(new Uint8Array(2 * blockBytes));
  return Buffer.concat(parts);
}

function headerOf({ name, mode, linkTo }: TarEntry, size: number): Buffer {
  if (Buffer.byteLength(name) > nameBytesMax) throw new Error(`bug: name too long for a tar entry: ${name}`);
  const isDirectory = name.endsWith("/");
  const header = Buffer.alloc(blockBytes);
  header.write(name, 0);
  header.write(octal(mode ?? (isDirectory ? 0o755 : 0o644), 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write("        ", 148);
  header.write(linkTo !== undefined ? "2" : isDirectory ? "5" : "0", 156);
  header.write(linkTo ?? "", 157);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return header;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
