import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import { byDeletionOrder } from "./pod-ranking.ts";

const now = Date.parse("2024-06-01T00:00:00Z");

interface Facts {
  node?: string;
  phase?: string;
  readySince?: string;
  cost?: string;
  restarts?: number;
  created?: string;
}

function pod(name: string, facts: Facts): Pod {
  const { node = "n", phase = "Running", readySince, cost, restarts = 0, created = "2024-01-01T00:00:00Z" } = facts;
  const conditions =
    readySince === undefined ? [] : [{ type: "Ready", status: "True", lastTransitionTime: readySince }];
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: created,
      ...(cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": cost } }),
    },
    spec: { nodeName: node, containers: [] },
    status: {
      phase,
      conditions,
      containerStatuses: [{ restartCount: restarts, name: "main", image: "", imageID: "", ready: true }],
    },
  };
}

const ready = { readySince: "2024-05-01T00:00:00Z" };

describe("pods that go first", () => {
  const table: readonly [claim: string, first: Facts, last: Facts, neighbours?: readonly string[]][] = [
    ["unassigned before assigned", { ...ready, node: "" }, { phase: "Pending" }],
    ["pending before running", { phase: "Pending" }, {}],
    ["unready before ready", {}, ready],
    ["lower cost before higher", { ...ready, cost: "-5" }, { ...ready, cost: "1" }],
    ["a cost that is no number is zero", { ...ready, cost: "x" }, { ...ready, cost: "1" }],
    ["a cost with a plus sign is no number", { ...ready, cost: "+9" }, { ...ready, cost: "1" }],
    ["readiness outranks cost", { cost: "100" }, { ...ready, cost: "-100" }],
    ["from the crowded node", { ...ready, node: "full" }, { ...ready, node: "empty" }, ["full", "full", "empty"]],
    [
      "ready for a shorter time before longer",
      { readySince: "2024-05-31T23:59:00Z" },
      { readySince: "2020-01-01T00:00:00Z" },
    ],
    ["more restarts before fewer", { ...ready, restarts: 4 }, { ...ready, restarts: 1 }],
    [
      "younger before older",
      { ...ready, created: "2024-05-31T23:59:00Z" },
      { ...ready, created: "2020-01-01T00:00:00Z" },
    ],
  ];
  test.each(table)("%s", (_, first, last, neighbours = []) => {
    const related = neighbours.map((node, index) => pod(`related-${index}`, { node }));
    const pods = [pod("b-last", last), pod("a-first", first)];
    const names = (given: Pod[]) => byDeletionOrder(given, related, now).map(({ metadata }) => metadata.name);
    expect(names(pods)).toEqual(["a-first", "b-last"]);
    expect(names(pods.reverse())).toEqual(["a-first", "b-last"]);
  });
});
