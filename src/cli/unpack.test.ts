/** Archives as a hostile container may send them, taken apart by the real tar. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { unpack } from "./unpack.ts";

type Member = [name: string, type: "file" | "hard" | "link" | "fifo" | "folder", content?: string];
const typeFlags = { file: "0", hard: "1", link: "2", folder: "5", fifo: "6" } as const;
const block = 512;

function archive(members: readonly Member[]): Buffer {
  const pieces = members.flatMap(([name, type, content = ""]) => {
    const bytes = Buffer.from(type === "file" ? content : "");
    const head = Buffer.alloc(block);
    const put = (text: string, at: number) => head.write(text, at, "latin1");
    put(name, 0);
    put("0004755\0", 100);
    put("0000000\0", 108);
    put("0000000\0", 116);
    put(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    put("00000000000\0", 136);
    put("        ", 148);
    put(typeFlags[type], 156);
    if (type === "link" || type === "hard") put(content, 157);
    put("ustar\0", 257);
    put("00", 263);
    const sum = head.reduce((total, byte) => total + byte, 0);
    put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [head, bytes, Buffer.alloc((block - (bytes.length % block)) % block)];
  });
  return Buffer.concat([...pieces, Buffer.alloc(2 * block)]);
}

let folder: string;
let home: string;
const victim = () => join(home, "victim");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "capstan-unpack-"));
  home = join(folder, "home");
  mkdirSync(victim(), { recursive: true });
  writeFileSync(join(victim(), "key"), "mine");
});
afterEach(() => rmSync(folder, { recursive: true }));

async function unpacked(members: readonly Member[], target = "log", name = "log"): Promise<string[]> {
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text.trim());
  const unpacking = unpack({ name, target: join(home, target), isPreserving: true, warn });
  unpacking.write(archive(members));
  await unpacking.finish();
  unpacking.clear();
  return warnings;
}

it("takes out what was asked for, under its new name, without the rights of its owner", async () => {
  expect(
    await unpacked(
      [
        ["log", "folder"],
        ["log/deep", "folder"],
        ["log/deep/a", "file", "text"],
      ],
      "new/name",
    ),
  ).toEqual([]);
  const file = join(home, "new/name/deep/a");
  expect(readFileSync(file, "utf8")).toBe("text");
  expect(statSync(file).mode & 0o7000).toBe(0);
  expect(readdirSync(join(home, "new"))).toEqual(["name"]);
});

it("takes out all of a folder", async () => {
  await unpacked(
    [
      ["./", "folder"],
      ["./a", "file", "text"],
    ],
    "all",
    ".",
  );
  expect(readdirSync(join(home, "all"))).toEqual(["a"]);
});

it.each<[string, Member[]]>([
  [
    "other names",
    [
      ["victim/key", "file", "theirs"],
      ["evil", "file", "x"],
    ],
  ],
  [
    "a link to a neighbour, and a file through it",
    [
      ["log", "link", "victim"],
      ["log/key", "file", "theirs"],
    ],
  ],
  [
    "the same one folder deeper",
    [
      ["log", "folder"],
      ["log/v", "link", "../victim"],
      ["log/v/key", "file", "theirs"],
    ],
  ],
  [
    "an absolute link, and a file through it",
    [
      ["log", "folder"],
      ["log/v", "link", "/tmp"],
      ["log/v/key", "file", "x"],
    ],
  ],
  [
    "a way up",
    [
      ["log/../victim/key", "file", "theirs"],
      ["../victim/key", "file", "theirs"],
    ],
  ],
  [
    "a hard link to a neighbour",
    [
      ["log", "folder"],
      ["log/k", "hard", "victim/key"],
      ["log/k", "file", "theirs"],
    ],
  ],
  [
    "no file and no folder",
    [
      ["log", "folder"],
      ["log/pipe", "fifo"],
    ],
  ],
])("lets %s change nothing outside", async (_, members) => {
  await unpacked(members);
  expect(readdirSync(home).filter((name) => name !== "log")).toEqual(["victim"]);
  expect(readdirSync(victim())).toEqual(["key"]);
  expect(readFileSync(join(victim(), "key"), "utf8")).toBe("mine");
  expect(readdirSync(folder)).toEqual(["home"]);
});

it("does not take absolute names for those of this machine", async () => {
  const name = join(folder, "absolute");
  await unpacked([[name, "file", "x"]]);
  expect(existsSync(name)).toBe(false);
});

it("says which links and special files it leaves out", async () => {
  const warnings = await unpacked([
    ["log", "folder"],
    ["log/a", "link", "b"],
    ["log/pipe", "fifo"],
  ]);
  expect(warnings.sort()).toEqual([
    'warning: skipping special file: "log/pipe"',
    'warning: skipping symlink: "log/a" -> "b"',
  ]);
});

it("replaces links that are there already instead of following them", async () => {
  mkdirSync(join(home, "log"));
  symlinkSync(victim(), join(home, "log", "v"));
  await unpacked([
    ["log", "folder"],
    ["log/v", "folder"],
    ["log/v/key", "file", "theirs"],
  ]);
  expect(readFileSync(join(victim(), "key"), "utf8")).toBe("mine");
  expect(readFileSync(join(home, "log", "v", "key"), "utf8")).toBe("theirs");
});
