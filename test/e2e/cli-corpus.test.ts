/** capstan's own commands answer what kubectl answers, word for word, on a corpus of argument lists. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Target, comparable, runCapstan, runKubectl, words } from "#test/parity/cli/compare.ts";
import { differing } from "#test/parity/cli/differing.ts";
import { dryRuns } from "#test/parity/cli/dry-runs.ts";
import { prepare, withFiles } from "#test/parity/cli/prepare.ts";
import { reads } from "#test/parity/cli/reads.ts";
import { compareScenario } from "#test/parity/cli/scenario.ts";
import { scenarios } from "#test/parity/cli/scenarios.ts";
import { kubectlProgram } from "#test/support/clients.ts";
import { TestCluster } from "#test/support/cluster.ts";

let cluster: TestCluster;
let target: Target;

beforeAll(async () => {
  cluster = await TestCluster.create();
  target = { kubectl: await kubectlProgram(), kubeconfig: cluster.kubeconfig, folder: cluster.folder };
  await prepare(target);
});
afterAll(async () => await cluster?.remove());

test("commands that change nothing print what kubectl prints", async () => {
  const wrong: string[] = [];
  for (const line of [...reads, ...dryRuns]) {
    const args = words(withFiles(line, target.folder));
    const [theirs, ours] = await Promise.all([runKubectl(target, { args }), runCapstan(target, { args })]);
    if (comparable(theirs) !== comparable(ours) && !differing.reads.has(line)) wrong.push(line);
  }
  expect(wrong).toEqual([]);
});

test.for(Object.entries(scenarios))("commands that change print what kubectl prints: %s", async ([name, steps]) => {
  const compared = await compareScenario(target, name, steps);
  const wrong = compared.filter(
    ({ kubectl, capstan, line }) => kubectl !== capstan && !differing.steps.has(`${name} ${line}`),
  );
  expect(wrong).toEqual([]);
});
