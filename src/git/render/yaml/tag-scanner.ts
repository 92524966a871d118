/** Reads YAML tags (`!!str`, `!local`, `!<verbatim>`) and the directives `%YAML` and `%TAG`. */
import { type Cursor, isBlankOrEnd, isBreakOrEnd, isWordCharacter } from "./cursor.ts";

const uriCharacters = /[-0-9A-Za-z_;/?:@&=+$,.!~*'()[\]%]/;

export function scanTag(cursor: Cursor): { handle: string; suffix: string } {
  const tag = cursor.at(1) === 0x3c ? scanVerbatimTag(cursor) : scanShorthandTag(cursor);
  if (!isBlankOrEnd(cursor.at())) cursor.fail("did not find expected whitespace or line break");
  return tag;
}

function scanVerbatimTag(cursor: Cursor): { handle: string; suffix: string } {
  cursor.skip(2);
  const suffix = scanUri(cursor);
  if (suffix === "") cursor.fail("did not find expected tag URI");
  if (cursor.at() !== 0x3e) cursor.fail("did not find the expected '>'");
  cursor.skip();
  return { handle: "", suffix };
}

function scanShorthandTag(cursor: Cursor): { handle: string; suffix: string } {
  const handle = scanHandle(cursor);
  if (handle.length > 1 && handle.endsWith("!")) {
    const suffix = scanUri(cursor);
    if (suffix === "") cursor.fail("did not find expected tag URI");
    return { handle, suffix };
  }
  const suffix = handle.slice(1) + scanUri(cursor);
  return suffix === "" ? { handle: "", suffix: "!" } : { handle: "!", suffix };
}

function scanHandle(cursor: Cursor): string {
  const start = cursor.index;
  if (cursor.at() !== 0x21) cursor.fail("did not find expected '!'");
  cursor.skip();
  while (isWordCharacter(cursor.at())) cursor.skip();
  if (cursor.at() === 0x21) cursor.skip();
  return cursor.text.slice(start, cursor.index);
}

function scanUri(cursor: Cursor): string {
  const start = cursor.index;
  while (uriCharacters.test(cursor.text[cursor.index] ?? " ")) cursor.skip();
  const uri = cursor.text.slice(start, cursor.index);
  if (!uri.includes("%")) return uri;
  try {
    return decodeURIComponent(uri);
  } catch {
    return cursor.fail("did not find URI escaped octet");
  }
}

/** A directive line: its name, and its arguments joined by one space. */
export function scanDirective(cursor: Cursor): { name: string; rest: string } {
  cursor.skip();
  const start = cursor.index;
  while (isWordCharacter(cursor.at())) cursor.skip();
  const name = cursor.text.slice(start, cursor.index);
  if (name === "") cursor.fail("could not find expected directive name");
  if (!isBlankOrEnd(cursor.at())) cursor.fail("found unexpected non-alphabetical character");
  const rest = name === "YAML" ? scanVersion(cursor) : name === "TAG" ? scanTagPrefix(cursor) : undefined;
  if (rest === undefined) return cursor.fail("found unknown directive name");
  cursor.skipBlanks();
  if (cursor.at() === 0x23) cursor.readToBreak();
  if (!isBreakOrEnd(cursor.at())) cursor.fail("did not find expected comment or line break");
  cursor.skipLine();
  return { name, rest };
}

function scanVersion(cursor: Cursor): string {
  cursor.skipBlanks();
  const match = /^\d{1,2}\.\d{1,2}(?!\d)/.exec(cursor.text.slice(cursor.index, cursor.index + 6));
  if (match === null) return cursor.fail("did not find expected version number");
  cursor.skip(match[0].length);
  return match[0];
}

function scanTagPrefix(cursor: Cursor): string {
  cursor.skipBlanks();
  const handle = scanHandle(cursor);
  if (handle !== "!" && !handle.endsWith("!")) cursor.fail("did not find expected '!'");
  if (!isBlankOrEnd(cursor.at())) cursor.fail("did not find expected whitespace");
  cursor.skipBlanks();
  const prefix = scanUri(cursor);
  if (prefix === "" || !isBlankOrEnd(cursor.at())) cursor.fail("did not find expected whitespace or line break");
  return `${handle} ${prefix}`;
}
