/**
 * Warning headers, as many as a client can take: when all together are too long, each is cut, and the last ones are left
 * out. Upstream: apiserver/pkg/endpoints/filters/warning.go.
 */

/** Characters of all texts before they are cut, and after which none more is added. */
export const warningsCharactersMax = 4096;
/** Characters of one text where texts are cut. */
export const cutWarningCharactersMax = 256;

export function warningHeaders(texts: readonly string[]): string[] {
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  if (total <= warningsCharactersMax) return texts.map(warningHeader);
  const headers: string[] = [];
  let written = 0;
  for (const text of texts) {
    if (written >= warningsCharactersMax) break;
    const characters = Array.from(text.slice(0, 2 * cutWarningCharactersMax)).slice(0, cutWarningCharactersMax);
    written += characters.length;
    headers.push(warningHeader(characters.join("")));
  }
  return headers;
}

/** RFC 7234 §5.5, as upstream's net.NewWarningHeader writes it. */
function warningHeader(text: string): string {
  const clean = text.replace(/\p{Cc}/gu, "");
  // Header values are bytes: UTF-8 goes out as latin1 text.
  return Buffer.from(`299 - "${clean.replace(/[\\"]/g, "\\$&")}"`).toString("latin1");
}
