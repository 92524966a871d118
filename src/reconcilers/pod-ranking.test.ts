import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import { byDeletionOrder, byDeletionOrderOfJob } from "./pod-ranking.ts";

const now = Date.parse("2024-06-01T00:00:00Z");

interface Facts {
  node?: string;
  phase?: string;
  readySince?: string;
  cost?: string;
  restarts?: number;
  sidecarRestarts?: number;
  initRestarts?: number;
  created?: string;
}

function pod(name: string, facts: Facts): Pod {
  const { node = "n", phase = "Running", readySince, cost, restarts = 0, created = "2024-01-01T00:00:00Z" } = facts;
  const status = (container: string, restartCount = 0) => ({
    restartCount,
    name: container,
    image: "",
    imageID: "",
    ready: true,
  });
  const conditions =
    readySince === undefined ? [] : [{ type: "Ready", status: "True", lastTransitionTime: readySince }];
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: created,
      ...(cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": cost } }),
    },
    spec: {
      nodeName: node,
      containers: [],
      initContainers: [{ name: "init" }, { name: "sidecar", restartPolicy: "Always" }],
    },
    status: {
      phase,
      conditions,
      containerStatuses: [status("main", restarts)],
      initContainerStatuses: [status("init", facts.initRestarts), status("sidecar", facts.sidecarRestarts)],
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
    ["more restarts of sidecars before fewer", { ...ready, sidecarRestarts: 2 }, ready],
    ["restarts of sidecars count less than others", { ...ready, restarts: 1 }, { ...ready, sidecarRestarts: 9 }],
    [
      "restarts of init containers do not count",
      { ...ready, created: "2024-05-31T23:59:00Z" },
      { ...ready, created: "2020-01-01T00:00:00Z", initRestarts: 9 },
    ],
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

  const ofJobs: readonly [claim: string, first: Facts, last: Facts][] = [
    ["a cost does not count", { ...ready, cost: "5", created: "2024-05-01T00:00:00Z" }, { ...ready, cost: "1" }],
    ["the youngest by a second goes", { created: "2024-01-01T00:00:01Z" }, { created: "2024-01-01T00:00:00Z" }],
    [
      "the one ready for a second less goes",
      { readySince: "2020-01-01T00:00:01Z" },
      { readySince: "2020-01-01T00:00:00Z" },
    ],
    ["unready before ready", {}, ready],
  ];
  test.each(ofJobs)("of a job's pods %s", (_, first, last) => {
    const pods = [pod("a-last", last), pod("b-first", first)];
    expect(byDeletionOrderOfJob(pods).map(({ metadata }) => metadata.name)).toEqual(["b-first", "a-last"]);
  });
});
