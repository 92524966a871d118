/** Cuts a character off the ends of a text. A pattern like `x+$` would look from every x anew: a long run of them takes a square of time. */

export function trimStart(text: string, character: string): string {
  let start = 0;
  while (text[start] === character) start += 1;
  return text.slice(start);
}

export function trimEnd(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}
