import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CelCompileError, compileCel } from "./program.ts";
import { type CelType, listOf, mapOf, optionalOf, typeText, types } from "./types.ts";
import { CelError, none, valueOf } from "./value.ts";

const self: CelType = {
  kind: "object",
  name: "Widget",
  fields: new Map<string, CelType>([
    ["text", types.string],
    ["size", types.int],
    ["list", listOf(types.int)],
    ["map", mapOf(types.string, types.string)],
    ["when", types.timestamp],
    ["__if__", types.int],
  ]),
};
const variables = new Map<string, CelType>([
  ["self", self],
  ["oldSelf", optionalOf(self)],
]);
const json = { text: "2Gi", size: 3, list: [1, 2, 3], map: { k: "v" }, when: "2021-01-01T00:00:00Z", if: 1, hidden: 1 };
const run = (source: string) =>
  compileCel(source, variables, { hasBindings: true }).run(
    new Map([
      ["self", valueOf(json, self)],
      ["oldSelf", none as unknown],
    ]),
  );

function compileText(source: string): string {
  try {
    compileCel(source, variables);
    return "";
  } catch (error) {
    if (error instanceof CelCompileError) return error.message;
    throw error;
  }
}

function errorOf(source: string): string {
  try {
    return String(run(source));
  } catch (error) {
    if (error instanceof CelError) return error.message;
    throw error;
  }
}

describe("a CEL expression", () => {
  it.each<[string, string]>([
    ["dyn(1)", "dyn"],
    ["optional.of(dyn(1)).orValue('x')", "dyn"],
    ["optional.none().orValue('x')", "string"],
    ["[[], [1]]", "list(list(int))"],
    ["self.size > 1 ? [] : ['a']", "list(string)"],
    ["[]", "list(dyn)"],
    ["{'a': []}", "map(string, list(dyn))"],
    ["[].map(x, x + 1)", "list(int)"],
  ])("%s is of type %s", (source, text) => expect(typeText(compileCel(source, variables).type)).toBe(text));

  it.each([
    "self.size + 1 == 4 && 7 / 2 == 3 && -7 % 3 == -1 && 2.0 * 1.5 == 3.0",
    "1 < 1.5 && 2u > 1 && 'a' < 'b' && b'a' == b'a'",
    "self.list.all(x, x > 0) && self.list.exists_one(x, x == 3) && self.list.map(x, x > 1, x * 2) == [4, 6]",
    "self.list.all(i, v, v == i + 1) && self.map.exists(k, v, k + v == 'kv')",
    "self.map.transformMap(k, v, v + '!') == {'k': 'v!'} && self.list.transformList(i, v, i * v) == [0, 2, 6]",
    "has(self.map.k) && !has(self.map.z) && self.__if__ == 1",
    "(1 / 0 == 1) || true",
    "!(false && 1 / 0 == 1)",
    "self.map.?z.orValue('d') == 'd' && self.map[?'k'].hasValue() && oldSelf.optMap(o, o.size).orValue(7) == 7",
    "[?optional.of(1), ?optional.none()] == [1] && {?'a': optional.none()} == {}",
    "self.when.getFullYear() == 2021 && self.when + duration('36h') > timestamp('2021-01-02T11:00:00Z')",
    "timestamp('2020-03-01T23:30:00Z').getHours('+02:00') == 1 && duration('90s').getMinutes() == 1",
    "'héllo'.size() == 5 && 'a-b-c'.split('-', 2) == ['a', 'b-c'] && 'abc'.substring(1) == 'bc'",
    "'%s=%d %.2f %b %x'.format(['a', 1, 1.5, true, 255]) == 'a=1 1.50 1 ff'",
    "[3, 1, 2].sort() == [1, 2, 3] && [3, 1, 2].sortBy(x, -x) == [3, 2, 1] && [1, 1, 2].distinct().sum() == 3 && [[1], [2]].flatten() == [1, 2]",
    "sets.contains([1, 2], [2]) && !sets.intersects([1], [2]) && sets.equivalent([1, 2], [2, 1, 1])",
    "quantity(self.text).isGreaterThan(quantity('1Gi')) && quantity('1').sub(1).sign() == 0 && !isQuantity('1x')",
    "ip('::1').isLoopback() && cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8')",
    "type(ip('10.0.0.1')) == net.IP && string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8'",
    "url('https://[::1]:80/a b?x=1&x=2').getHostname() == '::1' && url('/a b').getEscapedPath() == '/a%20b'",
    "semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && isSemver('v1.2', true) && !isSemver('v1.2')",
    "format.dns1123Label().validate('A_b').value().size() == 1 && format.named('nothing') == optional.none()",
    "'%s %s'.format([[1.5, null], {'k': duration('2h')}]) == '[1.500000, null] {\"k\":duration(\"7200s\")}'",
    "'%.1e %X %%'.format([1052.03, 'hi']) == '1.1\u202f×\u202f10⁰³ 6869 %'",
    "cel.bind(x, self.size + 1, x * x) == 16 && [[], [1]].size() == 2",
    "'abc 123'.find('[0-9]+') == '123' && self.text.matches('^[0-9]+Gi$')",
    "string(duration('1h')) == '3600s' && string(1.0) == '1' && int('3') + int(2.9) == 5",
    "string(999999.5) == '999999.5' && string(1234567.0) == '1.234567e+06' && string(0.00001) == '1e-05'",
    "'%.1f|%f'.format([1234567.25, -0.5]) == '1,234,567.2|-0.500000'",
    "timestamp('2020-01-01T01:00:00+01:00') == timestamp('2020-01-01T00:00:00Z')",
    "optional.ofNonZeroValue(timestamp('0001-01-01T00:00:00Z')) == optional.none()",
    "'ab'.replace('', '-') == '-a-b-' && 'ab'.replace('', '-', 1) == '-ab'",
    "!isURL('https://a:b:c/') && url('mailto:a').getEscapedPath() == ''",
    String.raw`'a\n\x41\u0042\U00000043' == "a\nABC" && r'\d' == '\\d' && '''a'b''' == "a'b"`,
  ])("holds: %s", (source) => {
    expect(run(source)).toBe(true);
  });

  it.each([
    [
      "self.size ==",
      "1:13",
      "Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    ],
    ["other > 3", "1:1", "undeclared reference to 'other' (in container '')"],
    ["self.size == 'x'", "1:11", "found no matching overload for '_==_' applied to '(int, string)'"],
    ["self.text.size(1) == 1", "1:15", "found no matching overload for 'size' applied to 'string.(int)'"],
    ["self.hidden == 1", "1:5", "undefined field 'hidden'"],
    ["has(self)", "1:5", "invalid argument to has() macro"],
    ["self.text.matches('(')", "1:19", "invalid matches argument"],
    ["duration('x') == duration('1s')", "1:10", "invalid duration argument"],
    ["timestamp('2021-02-29T00:00:00Z') == self.when", "1:11", "invalid timestamp argument"],
    ["timestamp(-62135596801) == self.when", "1:11", "invalid timestamp argument"],
    ["[1, 'a'] == []", "1:5", "expected type 'int' but found 'string'"],
    ["{'a': 1, 'b': dyn(1)} == {}", "1:18", "expected type 'int' but found 'dyn'"],
    [
      "'%d'.format(['a']) == ''",
      "1:14",
      "error during formatting: decimal clause can only be used on integers, was given string",
    ],
    ["'%d %d'.format([1]) == ''", "1:15", "index 1 out of range"],
    ["'%d'.format([1, 2]) == ''", "1:12", "too many arguments supplied to string.format (expected 1, got 2)"],
    ["cel.bind(x, 1, 2) == 2", "1:1", "undeclared reference to 'cel' (in container '')"],
    ["self.size && true", "1:5", "expected type 'bool' but found 'int'"],
    [
      "[1].filter(x, x) == []",
      "1:11",
      "found no matching overload for '_?_:_' applied to '(int, list(int), list(int))'",
    ],
    [
      "[[1], []] == [['a']]",
      "1:11",
      "found no matching overload for '_==_' applied to '(list(list(int)), list(list(string)))'",
    ],
    ["[?1] == []", "1:3", "expected type 'optional_type(int)' but found 'int'"],
    ["self.text.reverse() == ''", "1:18", "found no matching overload for 'reverse' applied to 'string.()'"],
    ["oldSelf > 1", "1:9", "found no matching overload for '_>_' applied to '(optional_type(Widget), int)'"],
    [
      "self.size.map(x, x) == []",
      "1:5",
      "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
    ],
  ])("is refused: %s", (source, place, text) => {
    expect(compileText(source).split("\n")[0]).toBe(`ERROR: <input>:${place}: ${text}`);
  });

  it.each<[string, string | undefined]>([
    ["int('x') == 1", "program instantiation failed: type conversion error from 'string' to 'int'"],
    ["[1].all(i, i == int('x'))", "program instantiation failed: type conversion error from 'string' to 'int'"],
    ["self.text.find(')') == ''", "program instantiation failed: error parsing regexp: unexpected ): `)`"],
    ["self.text.findAll(self.text) == []", undefined],
    ["int(self.text) == 1 && bool('true')", undefined],
  ])("%s fails before it is run, or not", (source, text) =>
    expect(compileCel(source, variables).constantFault).toBe(text),
  );

  it("tells so many faults, and how many more there are", () => {
    const lines = compileText("$".repeat(120)).split("\n");
    expect(lines.filter((line) => line.startsWith("ERROR"))).toHaveLength(100);
    expect(lines.at(-1)).toBe("21 more errors were truncated");
  });

  it("is refused whole if it is too long", () => {
    expect(compileText("a".repeat(100_001))).toBe(
      "ERROR: <input>:-1:0: expression code point size exceeds limit: size: 100001, limit 100000",
    );
  });

  it("shows the place of a fault below its line", () => {
    expect(compileText("true &&\n  other")).toBe(
      "ERROR: <input>:2:3: undeclared reference to 'other' (in container '')\n |   other\n | ..^",
    );
  });

  it.each([
    ["1 / (self.size - 3) == 1", "division by zero"],
    ["self.list[3] == 1", "index out of bounds: 3"],
    ["self.map['z'] == ''", "no such key: z"],
    ["9223372036854775807 + self.size > 0", "integer overflow"],
    ["optional.none().value() == 1", "optional.none() dereference"],
    ["duration('2562047h') + duration('1h') > duration('1h')", "integer overflow"],
    ["timestamp(253402300799) + duration('1s') > self.when", "timestamp overflow"],
    [
      "cidr('10.0.0.0') == cidr('::/0')",
      "network address parse error during conversion from string: network address parse error during conversion from string: netip.ParsePrefix(\"10.0.0.0\"): no '/'",
    ],
    ["int(self.text) == 1", "type conversion error from 'string' to 'int'"],
    ["uint('-' + self.text) == 1u", "type conversion error from 'string' to 'uint'"],
    ["timestamp(self.text) == self.when", "type conversion error from 'string' to 'google.protobuf.Timestamp'"],
    ["dyn(self.text).foo == 1", "no such key: foo"],
    ["dyn(self.list).foo == 1", "unsupported index type 'string' in list"],
    ["dyn(self.list)[1.5] == 1", "unsupported index value 1.5 in list"],
    ["dyn(self.text) + dyn(1) == 1", "no such overload"],
    ["dyn(null) + dyn(1) == 1", "no such overload: _+_"],
    ["dyn(self.text).startsWith(dyn(1))", "no such overload: startsWith(string, int)"],
    ["size(dyn(1)) == 1", "no such overload: size"],
    ["dyn(1) && true", "no such overload"],
    ["self.list.filter(x, dyn(x)) == []", "no such overload"],
    ["string(b'\\xff') == ''", "invalid UTF-8 in bytes, cannot convert to string"],
    ["[1, 2].sortBy(x, x > 1 ? dyn('a') : dyn(1)) == []", "list elements must have the same type"],
    ["[dyn(1), dyn('a')].max() == 1", "no such overload"],
    ["[].min() == 1", "min called on empty list"],
    ["[?dyn(1)] == []", "cannot initialize optional list element from non-optional value 1"],
    ["{?'a': dyn(null)} == {}", "cannot initialize optional entry 'a' from non-optional value null"],
    ["dyn(1).optMap(x, x).hasValue()", "no such overload"],
    [
      "quantity('bad') == quantity('1')",
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])("fails: %s", (source, text) => {
    expect(errorOf(source)).toBe(text);
  });

  it("ends when it has taken too many steps", () => {
    const source = `${"[1,2,3,4,5,6,7,8,9,10].all(a, ".repeat(8)}a > 0${")".repeat(8)}`;
    expect(errorOf(source)).toBe("operation cancelled: actual cost limit exceeded");
  });

  it("never crashes on a text that is none", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."self.list[(1+'\"{}),?: &|!<>=-x".split("")), maxLength: 30 }),
        (source) => {
          expect(typeof compileText(source)).toBe("string");
        },
      ),
    );
  });
});
