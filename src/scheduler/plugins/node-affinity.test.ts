import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { scores, verdicts } from "#scheduler/try-plugin.ts";
import type { V1NodeSelectorTerm } from "#api/generated/types.ts";
import { nodeAffinity } from "./node-affinity.ts";

const no = "neverFits: node(s) didn't match Pod's node affinity/selector";
const requiring = (...nodeSelectorTerms: V1NodeSelectorTerm[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const labelled = (key: string, operator: string, ...values: string[]): V1NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, values }],
});
const named = (operator: string, name: string): V1NodeSelectorTerm => ({
  matchFields: [{ key: "metadata.name", operator, values: [name] }],
});
const nodes = [
  node("a", { labels: { disk: "ssd", num: "5" } }),
  node("b", { labels: { disk: "hdd", num: "x" } }),
  node("c"),
];

it.each([
  ["selector", { nodeSelector: { disk: "ssd" } }, ["fits", no, no]],
  ["In", requiring(labelled("disk", "In", "ssd", "hdd")), ["fits", "fits", no]],
  ["NotIn holds where the label is missing", requiring(labelled("disk", "NotIn", "ssd")), [no, "fits", "fits"]],
  ["Exists", requiring(labelled("disk", "Exists")), ["fits", "fits", no]],
  ["DoesNotExist", requiring(labelled("disk", "DoesNotExist")), [no, no, "fits"]],
  ["Gt compares numbers only", requiring(labelled("num", "Gt", "4")), ["fits", no, no]],
  ["Lt", requiring(labelled("num", "Lt", "5")), [no, no, no]],
  [
    "terms are alternatives",
    requiring(labelled("disk", "In", "ssd"), labelled("disk", "In", "hdd")),
    ["fits", "fits", no],
  ],
  ["an empty term finds nothing", requiring({}), [no, no, no]],
  ["a field", requiring(named("NotIn", "b")), ["fits", no, "fits"]],
  [
    "both selector and affinity",
    { nodeSelector: { disk: "ssd" }, ...requiring(labelled("num", "In", "x")) },
    [no, no, no],
  ],
])("NodeAffinity: %s", (_, spec, expected) => {
  expect(verdicts(nodeAffinity, pod("p", spec), nodes)).toEqual(expected);
});

it("NodeAffinity: terms that name different nodes at once conflict", () => {
  const both = { matchFields: [...(named("In", "a").matchFields ?? []), ...(named("In", "b").matchFields ?? [])] };
  expect(verdicts(nodeAffinity, pod("p", requiring(both)), nodes)).toBe("neverFits: pod affinity terms conflict");
});

it("NodeAffinity: the weights of what a node has are summed, the most is 100", () => {
  const preferring = (...terms: [number, V1NodeSelectorTerm][]) => ({
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: terms.map(([weight, preference]) => ({ weight, preference })),
      },
    },
  });
  const spec = preferring([30, labelled("disk", "Exists")], [10, labelled("disk", "In", "ssd")]);
  expect(scores(nodeAffinity, pod("p", spec), nodes)).toEqual([100, 75, 0]);
  expect(scores(nodeAffinity, pod("p"), nodes)).toBeUndefined();
});
