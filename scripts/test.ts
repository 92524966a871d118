/** Runs the checks and tests that are named, or all, one after the other; goes on after a failure and counts. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");
const scratch = mkdtempSync(join(tmpdir(), "capstan-test-"));

interface Step {
  name: string;
  command: readonly string[];
  /** The step runs a vitest project, whose tests are counted one by one. */
  project?: string;
}
const vitest = (project: string): Step => ({
  name: project,
  project,
  command: [
    "vitest",
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${join(scratch, project)}.json`,
  ],
});
const steps: readonly Step[] = [
  { name: "format", command: ["oxfmt", "--check", "src", "test", "scripts"] },
  { name: "types", command: ["tsc", "--noEmit"] },
  { name: "lint", command: ["oxlint", "--deny-warnings", "src", "test", "scripts"] },
  vitest("unit"),
  { name: "build", command: ["node", "scripts/build.ts"] },
  vitest("parity"),
  vitest("e2e"),
];

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !steps.some((step) => step.name === name));
if (unknown !== undefined) {
  console.error(`scripts/test: no step ${unknown}; steps are ${steps.map(({ name }) => name).join(" ")}`);
  process.exit(2);
}

const total = { passed: 0, failed: 0 };
for (const step of steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  console.log(`\n== ${step.name}: ${step.command.slice(0, 4).join(" ")}`);
  const startedMs = Date.now();
  const result = spawnSync(join(bin, step.command[0]!), step.command.slice(1), {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"] ?? ""}` },
  });
  const counted = step.project === undefined ? undefined : countTests(join(scratch, `${step.project}.json`));
  const ok = result.status === 0;
  total.passed += counted?.passed ?? (ok ? 1 : 0);
  total.failed += counted === undefined ? (ok ? 0 : 1) : Math.max(counted.failed, ok ? 0 : 1);
  console.log(`== ${step.name}: ${ok ? "ok" : "FAILED"} in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}
rmSync(scratch, { recursive: true });
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

function countTests(file: string): { passed: number; failed: number } | undefined {
  try {
    const report = JSON.parse(readFileSync(file, "utf8")) as { numPassedTests: number; numFailedTests: number };
    return { passed: report.numPassedTests, failed: report.numFailedTests };
  } catch {
    return undefined; // vitest did not get as far as a report
  }
}
