/** The order of keys in go-yaml: letters after everything else, runs of digits by their number. */
const letter = /\p{L}/u;
const digit = /\p{Nd}/u;

const isLetter = (character: string): boolean => {
  const code = character.charCodeAt(0);
  if (code < 0x80) return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
  return letter.test(character);
};
const isDigit = (character: string | undefined): boolean => {
  if (character === undefined) return false;
  const code = character.charCodeAt(0);
  return code < 0x80 ? code >= 0x30 && code <= 0x39 : digit.test(character);
};

export function compareKeys(left: string, right: string): number {
  if (left === right) return 0;
  return isLess([...left], [...right]) ? -1 : 1;
}

function isLess(left: readonly string[], right: readonly string[]): boolean {
  for (let index = 0; index < left.length && index < right.length; index += 1) {
    const [mine, other] = [left[index]!, right[index]!];
    if (mine === other) continue;
    const [isMyLetter, isOtherLetter] = [isLetter(mine), isLetter(other)];
    if (isMyLetter && isOtherLetter) return mine.codePointAt(0)! < other.codePointAt(0)!;
    if (isMyLetter || isOtherLetter) return isOtherLetter;
    return isNumberLess(left, right, index);
  }
  return left.length < right.length;
}

function isNumberLess(left: readonly string[], right: readonly string[], index: number): boolean {
  const start = (left[index] === "0" || right[index] === "0") && isInsideNumber(left, index) ? 1n : 0n;
  const mine = numberAt(left, index, start);
  const other = numberAt(right, index, start);
  if (mine.value !== other.value) return mine.value < other.value;
  if (mine.end !== other.end) return mine.end < other.end;
  return left[index]!.codePointAt(0)! < right[index]!.codePointAt(0)!;
}

/** Whether digits other than 0 come right before the position. */
function isInsideNumber(text: readonly string[], index: number): boolean {
  for (let before = index - 1; before >= 0 && isDigit(text[before]); before -= 1) if (text[before] !== "0") return true;
  return false;
}

function numberAt(text: readonly string[], index: number, start: bigint): { value: bigint; end: number } {
  let value = start;
  let end = index;
  for (; isDigit(text[end]); end += 1)
    value = BigInt.asIntN(64, value * 10n + BigInt(text[end]!.codePointAt(0)! - 0x30));
  return { value, end };
}
