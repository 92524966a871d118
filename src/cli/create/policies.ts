/** `capstan create priorityclass|poddisruptionbudget`. */
import { UsageError } from "#cli/command.ts";
import { isEquality, operatorNames, readSelector } from "#cli/label-selector.ts";
import { createSubcommand } from "./subcommand.ts";

export const createPriorityClass = createSubcommand({
  word: "priorityclass",
  summary: "Create a priority class",
  examples: [`capstan create priorityclass high --value=1000 --description="before all others"`],
  flags: [
    { name: "value", type: "integer", default: 0, placeholder: "NUMBER", help: "The priority" },
    { name: "global-default", type: "boolean", help: "For pods that name no class" },
    { name: "description", type: "string", placeholder: "TEXT", help: "When to use it" },
    {
      name: "preemption-policy",
      type: "string",
      default: "PreemptLowerPriority",
      placeholder: "PreemptLowerPriority|Never",
      help: "Whether its pods may drive others away",
    },
  ],
  build: ({ flags }, name) => ({
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name },
    value: flags.integer("value"),
    ...(flags.boolean("global-default") ? { globalDefault: true } : {}),
    ...(flags.given("description") ? { description: flags.string("description") } : {}),
    preemptionPolicy: flags.string("preemption-policy"),
  }),
});

export const createPodDisruptionBudget = createSubcommand({
  word: "poddisruptionbudget",
  summary: "Create a pod disruption budget",
  examples: ["capstan create poddisruptionbudget web --selector=app=web --min-available=1"],
  flags: [
    { name: "selector", type: "string", placeholder: "QUERY", help: "Which pods" },
    { name: "min-available", type: "string", placeholder: "COUNT|PERCENT", help: "How many must stay" },
    { name: "max-unavailable", type: "string", placeholder: "COUNT|PERCENT", help: "How many may be away" },
  ],
  build({ flags }, name) {
    if (!flags.given("selector")) throw new UsageError("a selector must be specified");
    const given = ["min-available", "max-unavailable"].filter((one) => flags.given(one));
    if (given.length === 0) throw new UsageError("one of min-available or max-unavailable must be specified");
    if (given.length > 1) throw new UsageError("min-available and max-unavailable cannot be both specified");
    const text = flags.string(given[0]!);
    if (!/^(\d+|\d+%)$/.test(text)) throw new UsageError(`invalid format specified for ${given[0]}`);
    const amount = text.endsWith("%") ? text : Number(text);
    const bound = given[0] === "min-available" ? { minAvailable: amount } : { maxUnavailable: amount };
    return {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name },
      spec: { ...bound, selector: selectorOf(flags.string("selector")) },
      status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
    };
  },
});

/** Equalities become matchLabels, all else matchExpressions. Throws UsageError. */
function selectorOf(text: string): object {
  const requirements = readSelector(text);
  const odd = requirements.find(({ operator }) => operator === "!=" || operator === "gt" || operator === "lt");
  if (odd !== undefined) throw new UsageError(`${JSON.stringify(odd.operator)} is not a valid label selector operator`);
  const labels = requirements.filter(isEquality).map(({ key, values }) => [key, values[0] ?? ""] as const);
  const expressions = requirements
    .filter((one) => !isEquality(one))
    .map(({ key, operator, values }) => ({
      key,
      operator: operatorNames[operator],
      ...(values.length === 0 ? {} : { values }),
    }));
  return {
    ...(labels.length === 0 ? {} : { matchLabels: Object.fromEntries(labels) }),
    ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
  };
}
