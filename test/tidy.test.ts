/** House rules that lint cannot say. */
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { arrows } from "../scripts/arrows.ts";

const root = join(import.meta.dirname, "..");
const source = join(root, "src");

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("/generated"))
    .map((entry) => join(entry.parentPath, entry.name));
}
const imports = (file: string) =>
  [...readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map((match) => match[1]!);
const folderOf = (file: string) => relative(source, file).split("/")[0]!;
const all = files(source);

describe("tidy", () => {
  it("imports across folders follow the arrows", () => {
    const wrong = all.flatMap((file) =>
      imports(file)
        .map((name) => name.match(/^#(\w+)\//)?.[1])
        .filter(
          (to) =>
            to !== undefined && to !== "test" && to !== folderOf(file) && !["main.ts", "main"].includes(folderOf(file)),
        )
        .filter((to) => !(arrows[folderOf(file)] ?? []).includes(to!))
        .map((to) => `${relative(root, file)} imports ${to}`),
    );
    expect(wrong).toEqual([]);
  });
  it("no import climbs out of its folder", () => {
    expect(
      all.filter((file) => imports(file).some((name) => name.startsWith("../"))).map((file) => relative(root, file)),
    ).toEqual([]);
  });
  it("the arrows in ARCHITECTURE.md are the table", () => {
    const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
    const listed = text.match(/<!-- arrows -->\n([\s\S]*?)\n<!-- \/arrows -->/)?.[1] ?? "";
    const expected = Object.entries(arrows).map(
      ([from, to]) => `- \`${from}\` → ${to.length === 0 ? "nothing" : to.join(", ")}`,
    );
    expect(listed.split("\n")).toEqual(expected);
  });
  it("a file can be read in one sitting", () => {
    const long = all
      .map((file) => [relative(root, file), readFileSync(file, "utf8").split("\n").length] as const)
      .filter(([, lines]) => lines > 700);
    expect(long).toEqual([]);
  });
  it("planners never wait, read clocks or throw dice", () => {
    const pure = all.filter(
      (file) =>
        /src\/(reconcilers|scheduler\/plugins)\/(?!driver|reconciler|all|start|inputs)[\w/-]+\.ts$/.test(file) &&
        !file.endsWith(".test.ts"),
    );
    const acting = pure.filter((file) =>
      /\bawait\b|\bDate\.now\(|\bMath\.random\(|new Date\(\)|setTimeout\(/.test(readFileSync(file, "utf8")),
    );
    expect(acting.map((file) => relative(root, file))).toEqual([]);
  });
  it("no import of a file with a name that says nothing", () => {
    expect(
      all
        .filter((file) => /\/(utils?|helpers?|common|manager|index)\.ts$/.test(file))
        .map((file) => relative(root, file)),
    ).toEqual([]);
  });
});
