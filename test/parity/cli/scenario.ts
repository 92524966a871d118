/** Runs a scenario's steps with both clients, each in a namespace of its own. */
import { type Target, comparable, runCapstan, runKubectl, withoutChance, words } from "./compare.ts";
import type { ScenarioStep } from "./scenarios.ts";

export interface Compared {
  line: string;
  kubectl: string;
  capstan: string;
}

export async function compareScenario(
  target: Target,
  name: string,
  steps: readonly ScenarioStep[],
): Promise<Compared[]> {
  const theirs = `ck-${name}`;
  const ours = `cc-${name}`;
  for (const namespace of [theirs, ours]) {
    await runKubectl(target, { args: ["create", "namespace", namespace] });
    await runKubectl(target, {
      args: ["wait", "--for=create", "serviceaccount/default", "-n", namespace, "--timeout=10s"],
    });
  }
  const compared: Compared[] = [];
  for (const [at, step] of steps.entries()) {
    const [line, input] = typeof step === "string" ? [step, ""] : step;
    const stepFor = (namespace: string) => ({
      args: words(line.replaceAll("NS", namespace)),
      input: input.replaceAll("NS", namespace),
      namespace,
    });
    const [kubectl, capstan] = await Promise.all([
      runKubectl(target, stepFor(theirs)),
      runCapstan(target, stepFor(ours)),
    ]);
    const text = (finished: typeof kubectl) => withoutChance(comparable(finished, { [theirs]: "NS", [ours]: "NS" }));
    compared.push({ line: `${at + 1}: ${line}`, kubectl: text(kubectl), capstan: text(capstan) });
  }
  for (const namespace of [theirs, ours])
    await runKubectl(target, { args: ["delete", "namespace", namespace, "--wait=false"] });
  return compared;
}
