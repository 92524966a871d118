/** Reads a file of NAME='value' lines, the part of POSIX shell that fileKeyRef allows. Upstream: pkg/util/env. */

const envFileBytesMax = 64 * 1024;

/** Comments and empty lines are skipped; a quoted value may go on over several lines. Throws on anything else. */
export function parseEnvFile(text: string): Map<string, string> {
  if (Buffer.byteLength(text) > envFileBytesMax) throw new Error("environment file is too large");
  const variables = new Map<string, string>();
  const line = /[ \t]*(?:#[^\n]*|([A-Za-z_][A-Za-z0-9_]*)=(?:'([^']*)'|([^\s'"#]*))[ \t]*(?:#[^\n]*)?|)(?:\r?\n|$)/y;
  while (line.lastIndex < text.length) {
    const at = line.lastIndex;
    const found = line.exec(text);
    if (found === null || line.lastIndex === at) throw new Error(`invalid environment file at byte ${at}`);
    const [, name, quoted, bare] = found;
    if (name !== undefined) variables.set(name, quoted ?? bare ?? "");
  }
  return variables;
}
