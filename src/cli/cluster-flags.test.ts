import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readClusterFlags, serverFlags } from "./cluster-flags.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-flags-"));
const config = join(folder, "config.yaml");
writeFileSync(config, "data-dir: /from/file\nhttps-listen-port: 7000\nnode-label: [a=1, b=2]\ndisable-agent: true\n");
afterAll(() => rmSync(folder, { recursive: true }));

describe("cluster flags", () => {
  it("the command line beats the environment, which beats the file, which beats the default", () => {
    const flags = readClusterFlags(["--config", config, "--data-dir=/from/line"], serverFlags, {
      CAPSTAN_DATA_DIR: "/from/env",
      CAPSTAN_HTTPS_LISTEN_PORT: "7001",
    });
    expect([
      flags.string("data-dir"),
      flags.integer("https-listen-port"),
      flags.boolean("disable-agent"),
      flags.string("cluster-domain"),
    ]).toEqual(["/from/line", 7001, true, "cluster.local"]);
    expect(flags.strings("node-label")).toEqual(["a=1", "b=2"]);
  });
  it("a list on the command line replaces the file's", () => {
    expect(readClusterFlags(["--config", config, "--node-label=c=3"], serverFlags, {}).strings("node-label")).toEqual([
      "c=3",
    ]);
  });
  it.each([
    [["--disable", "nonsense"], "--disable nonsense: no such part; parts are dns, proxy, network, git"],
    [["extra"], 'unexpected argument "extra"'],
    [
      ["--config", "/does/not/exist"],
      "--config /does/not/exist: ENOENT: no such file or directory, open '/does/not/exist'",
    ],
  ])("%j is refused", (argv, message) => {
    expect(() => readClusterFlags(argv, serverFlags, {})).toThrow(message);
  });
  it("an unknown key of the file is refused", () => {
    const wrong = join(folder, "wrong.yaml");
    writeFileSync(wrong, "data_dir: x\n");
    expect(() => readClusterFlags(["--config", wrong], serverFlags, {})).toThrow(
      `--config ${wrong}: unknown key "data_dir"`,
    );
  });
});
