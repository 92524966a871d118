import { describe, expect, it } from "vitest";
import { substituteObject, substituteText } from "./substitute.ts";

const variables = { NAME: "web", EMPTY: "", N: "3", PATH_: "/a/b.tar.gz" };

describe("substitution", () => {
  it.each([
    ["a ${NAME} b", "a web b"],
    ["${NAME}${N}", "web3"],
    ["$${NAME} stays", "${NAME} stays"],
    ["$NAME stays", "$NAME stays"],
    ["${NONE:=def}", "def"],
    ["${EMPTY:=def}", "def"],
    ["${EMPTY-def}", ""],
    ["${NONE-def}", "def"],
    ["${NONE:-${NAME}}", "web"],
    ["${NAME:+alt}", "alt"],
    ["${NAME:1}", "eb"],
    ["${NAME:0:2}", "we"],
    ["${NAME^^}", "WEB"],
    ["${#NAME}", "3"],
    ["${NAME/e/x}", "wxb"],
    ["${PATH_##*/}", "b.tar.gz"],
    ["${PATH_%.*}", "/a/b.tar"],
    ["${unclosed", "${unclosed"],
  ])("%s becomes %s", (text, expected) => {
    expect(substituteText(text, variables)).toBe(expected);
  });
  it("a name without value or default is an error that names it", () => {
    expect(() => substituteText("${NONE}", variables)).toThrow('variable not set (strict mode): "NONE"');
  });
  it("a value that is one variable gets the type its text has in YAML; a part of a text stays text", () => {
    expect(substituteObject({ replicas: "${N}", name: "x-${N}" }, variables)).toEqual({ replicas: 3, name: "x-3" });
  });
});
