import { describe, expect, it } from "vitest";
import { type Flag, FlagError, parseArguments } from "./command.ts";

const flags: Flag[] = [
  { name: "namespace", short: "n", type: "string", help: "" },
  { name: "wait", type: "boolean", default: true, help: "" },
  { name: "stdin", short: "i", type: "boolean", help: "" },
  { name: "tty", short: "t", type: "boolean", help: "" },
  { name: "replicas", type: "integer", default: 0, help: "" },
  { name: "filename", short: "f", type: "strings", help: "" },
  { name: "dry-run", type: "string", default: "none", bareValue: "unchanged", help: "" },
];

describe("flags", () => {
  it.each([
    [["-n", "a"], "namespace", "a"],
    [["-na"], "namespace", "a"],
    [["-n=a"], "namespace", "a"],
    [["--namespace=a=b"], "namespace", "a=b"],
    [["--dry-run"], "dry-run", "unchanged"],
    [["--dry-run=server"], "dry-run", "server"],
  ])("%j sets %s to %s", (argv, name, value) => {
    expect(parseArguments(argv, flags).flags.string(name)).toBe(value);
  });
  it("stand anywhere among the arguments, until --", () => {
    const parsed = parseArguments(["pod", "-it", "a", "--", "sh", "-c", "x"], flags);
    expect(parsed.args).toEqual(["pod", "a", "sh", "-c", "x"]);
    expect(parsed.afterDashes).toEqual(["sh", "-c", "x"]);
    expect(parsed.flags.boolean("stdin") && parsed.flags.boolean("tty")).toBe(true);
  });
  it("keep every value of a repeated list, and only the last of others", () => {
    const parsed = parseArguments(["-f", "a", "--filename=b", "-n", "x", "-n", "y"], flags);
    expect(parsed.flags.strings("filename")).toEqual(["a", "b"]);
    expect(parsed.flags.string("namespace")).toBe("y");
  });
  it("tell what was given from what is default", () => {
    const { flags: values } = parseArguments(["--wait=false"], flags);
    expect([values.boolean("wait"), values.given("wait"), values.given("replicas")]).toEqual([false, true, false]);
  });
  it.each([
    [["--nope"], "unknown flag: --nope"],
    [["-z"], "unknown shorthand flag: 'z' in -z"],
    [["--namespace"], "flag needs an argument: --namespace"],
    [["--replicas=x"], 'invalid argument "x" for "--replicas" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [
      ["--wait=maybe"],
      'invalid argument "maybe" for "--wait" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ])("%j is refused: %s", (argv, message) => {
    expect(() => parseArguments(argv, flags)).toThrow(new FlagError(message));
  });
});
