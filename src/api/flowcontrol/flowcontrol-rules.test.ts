import { describe, expect, it } from "vitest";
import type { V1FlowSchema, V1PriorityLevelConfiguration } from "#api/generated/types.ts";
import {
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from "./bootstrap-objects.ts";
import { flowSchemaErrors } from "./flow-schema-rules.ts";
import { defaultPriorityLevel, priorityLevelErrors } from "./priority-level-rules.ts";

const levels = [...mandatoryPriorityLevels, ...suggestedPriorityLevels];
const schemas = [...mandatoryFlowSchemas, ...suggestedFlowSchemas];
const queued = (queues: number, handSize: number): V1PriorityLevelConfiguration => ({
  metadata: { name: "l" },
  spec: {
    type: "Limited",
    limited: { limitResponse: { type: "Queue", queuing: { queues, handSize, queueLengthLimit: 1 } } },
  },
});

describe("flow control", () => {
  it("what every cluster has keeps its own rules, and each schema its level", () => {
    expect(schemas.flatMap(flowSchemaErrors)).toEqual([]);
    expect(levels.flatMap(priorityLevelErrors)).toEqual([]);
    const names = levels.map(({ metadata }) => metadata.name);
    for (const { spec } of schemas) expect(names).toContain(spec!.priorityLevelConfiguration.name);
  });
  it("defaults leave what every cluster has as it is", () => {
    for (const level of levels) {
      const copy = structuredClone(level);
      defaultPriorityLevel(copy);
      expect(copy).toEqual(level);
    }
  });
  it("mandatory objects are fixed, but for the shares of the exempt level", () => {
    const catchAll = structuredClone(mandatoryFlowSchemas[1]!);
    catchAll.spec!.matchingPrecedence = 77;
    expect(flowSchemaErrors(catchAll).map(({ field }) => field)).toEqual(["spec"]);
    const exempt = structuredClone(mandatoryPriorityLevels[0]!);
    exempt.spec!.exempt = { nominalConcurrencyShares: 5, lendablePercent: 1 };
    expect(priorityLevelErrors(exempt)).toEqual([]);
  });
  it.each([
    [64, 8, []],
    [2, 4, ["should not be greater than queues (2)"]],
    [512, 8, ["required entropy bits of deckSize 512 and handSize 8 should not be greater than 60"]],
    [-1, 1, ["must be positive", "should not be greater than queues (-1)"]],
  ])("%i queues with hands of %i have these faults", (queues, handSize, expected) => {
    const faults = priorityLevelErrors(queued(queues, handSize)).map(({ message }) =>
      message.replace(/^.*?: -?\d+: /, ""),
    );
    expect(faults).toEqual(expected);
  });
  it.each([
    [{ kind: "User", user: { name: "a" } }, []],
    [{ kind: "User" }, ["user is required when subject kind is 'User'"]],
    [
      { kind: "Group", group: { name: "a" }, user: { name: "b" } },
      ["user is forbidden when subject kind is not 'User'"],
    ],
    [{ kind: "ServiceAccount", serviceAccount: { name: "*", namespace: "n" } }, []],
  ])("the subject %j has these faults", (subject, expected) => {
    const rules = [{ subjects: [subject], nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/a/*"] }] }];
    const schema: V1FlowSchema = {
      metadata: { name: "s" },
      spec: { priorityLevelConfiguration: { name: "l" }, matchingPrecedence: 5, rules },
    };
    expect(flowSchemaErrors(schema).map(({ message }) => message.split(": ")[1])).toEqual(expected);
  });
});
