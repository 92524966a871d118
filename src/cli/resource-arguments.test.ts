import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseArguments } from "./command.ts";
import { parseObjects, readFileObjects } from "./resource-arguments.ts";
import { fileFlags, kustomizeFlag } from "./targets.ts";

const read = (text: string): unknown[] => parseObjects(text, "f").map(({ object }) => object);
const map = (name: string, more: object = {}) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, ...more });
const yaml = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

describe("objects of a file", () => {
  const json = (name: string): string => JSON.stringify(map(name, { data: { a: '}"{\n---\n' } }));
  const same = (name: string): object => map(name, { data: { a: '}"{\n---\n' } });
  const table: [claim: string, text: string, objects: unknown[]][] = [
    [
      "documents, empty ones among them",
      `---\n${yaml("a")}--- # b\n# nothing\n---\n${yaml("b")}`,
      [map("a"), map("b")],
    ],
    ["JSON, one after another", `${json("a")}\n ${json("b")}\n`, [same("a"), same("b")]],
    [
      "a document in braces that is no JSON",
      "{apiVersion: v1, kind: A, metadata: {}}",
      [{ ...map("a"), kind: "A", metadata: {} }],
    ],
    [
      "a dashed line inside a text",
      `${yaml("a")}data:\n  k: |\n    x\n    ---\n    y\n`,
      [map("a", { data: { k: "x\n---\ny\n" } })],
    ],
    [
      "a list of one kind, whose items do not say it again",
      '{"kind":"ConfigMapList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}',
      [map("a")],
    ],
    [
      "words and numbers as servers read them",
      `${yaml("a")}x: {m: 0644, w: yes, t: "0644"}\n`,
      [map("a", { x: { m: 420, w: true, t: "0644" } })],
    ],
  ];
  test.each(table)("%s", (_claim, text, objects) => {
    expect(read(text)).toEqual(objects);
  });

  test("a fault is told with the line of its document", () => {
    expect(() => read(`${yaml("a")}---\na: b\n c: d\n`)).toThrow(
      "error parsing f: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context",
    );
  });
});

test("where faults are gathered, what stands before one counts", () => {
  const faults: Error[] = [];
  const found = parseObjects(`${yaml("a")}---\na: b\n---\nkind: X\n`, "f", faults);
  expect(found.map(({ object }) => object)).toEqual([map("a")]);
  expect(faults.map(({ message }) => message)).toEqual([
    'error validating "f": error validating data: [apiVersion not set, kind not set]; if you choose to ignore these errors, turn validation off with --validate=false',
  ]);
});

test("the objects of -k are those that the folder renders to, and -f does not go with it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "capstan-k-"));
  try {
    writeFileSync(join(folder, "kustomization.yaml"), "namePrefix: p-\nresources: [a.yaml]\n");
    writeFileSync(join(folder, "a.yaml"), JSON.stringify(map("a")));
    const given = (...argv: string[]) => parseArguments(argv, [...fileFlags, kustomizeFlag]).flags;
    expect(await readFileObjects(given("-k", folder), process.stdin)).toEqual([{ object: map("p-a"), source: folder }]);
    const both = readFileObjects(given("-k", folder, "-f", folder), process.stdin);
    await expect(both).rejects.toThrow("only one of -f or -k can be specified");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
