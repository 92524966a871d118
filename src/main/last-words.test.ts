import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "capstan-words-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const mark = join(folder, "running");
const modules = { words: join(import.meta.dirname, "last-words.ts"), log: join(import.meta.dirname, "../lib/log.ts") };

/** What a process says that runs this after it was given last words. */
async function wordsOf(code: string): Promise<string> {
  const program = `
    import { haveLastWords } from ${JSON.stringify(modules.words)};
    import { createLogger } from ${JSON.stringify(modules.log)};
    const words = haveLastWords(createLogger());
    words.mark(${JSON.stringify(mark)});
    ${code}`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (piece: Buffer) => (text += piece.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  return text;
}

describe("last words", () => {
  it.each([
    ["an error", "setTimeout(() => { throw new Error('bad luck'); })", /nobody caught.*uncaughtException.*bad luck/],
    ["a rejection", "Promise.reject(new Error('worse luck'))", /nobody caught.*unhandledRejection.*worse luck/],
    ["an exit", "process.exit(7)", /without having been asked to.*code=7/],
    ["an empty event loop", "", /without having been asked to.*nothingLeftToDo=true/],
    ["a hang-up", "setInterval(() => {}, 1000); process.kill(process.pid, 'SIGHUP')", /SIGHUP/],
  ])("say that %s ended the process", async (_name, code, expected) => {
    expect(await wordsOf(code)).toMatch(expected);
    rmSync(mark, { force: true });
  });

  it("are none when it was asked to end", async () => {
    expect(await wordsOf("words.ending()")).toBe("");
    expect(existsSync(mark)).toBe(false);
  });

  it("of a killed process come with the next start", async () => {
    writeFileSync(mark, "1\n");
    expect(await wordsOf("words.ending()")).toMatch(/last run was killed/);
  });
});
