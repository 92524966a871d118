import { expect, test } from "vitest";
import { daemonSetState, deploymentState, statefulSetState } from "./status.ts";

const rolling = { updateStrategy: { type: "RollingUpdate" } };

test.each([
  ["a spec that was not seen yet", { generation: 2 }, { observedGeneration: 1 }, /spec update to be observed/, false],
  ["too few new replicas", {}, { updatedReplicas: 1 }, /1 out of 3 new replicas have been updated/, false],
  ["old replicas that end", {}, { updatedReplicas: 3, replicas: 4 }, /1 old replicas are pending termination/, false],
  [
    "new replicas that are not available",
    {},
    { updatedReplicas: 3, replicas: 3, availableReplicas: 2 },
    /2 of 3 updated replicas are available/,
    false,
  ],
  ["all done", {}, { updatedReplicas: 3, replicas: 3, availableReplicas: 3 }, /successfully rolled out/, true],
])("a deployment with %s", (_, metadata, status, text, isDone) => {
  const state = deploymentState({ metadata: { name: "web", ...metadata }, spec: { replicas: 3 }, status } as never);
  expect(state.text).toMatch(text);
  expect(state.isDone).toBe(isDone);
});

test("a deployment past its deadline has failed", () => {
  const conditions = [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }];
  expect(deploymentState({ metadata: { name: "web" }, status: { conditions } } as never).hasFailed).toBe(true);
});

test.each([
  [{ desiredNumberScheduled: 2 }, /0 out of 2 new pods/, false],
  [{ desiredNumberScheduled: 2, updatedNumberScheduled: 2 }, /0 of 2 updated pods are available/, false],
  [{ desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }, /successfully rolled out/, true],
])("a daemon set of status %j", (status, text, isDone) => {
  const state = daemonSetState({ metadata: { name: "d" }, spec: rolling, status } as never);
  expect([state.text, state.isDone]).toEqual([expect.stringMatching(text), isDone]);
});

test.each([
  [{}, { observedGeneration: 1 }, /Waiting for 3 pods to be ready/, false],
  [{}, { observedGeneration: 1, readyReplicas: 3, updateRevision: "b", currentRevision: "a" }, /at revision b/, false],
  [{}, { observedGeneration: 1, readyReplicas: 3, updateRevision: "b", currentRevision: "b" }, /complete 0 pods/, true],
  [{ partition: 1 }, { observedGeneration: 1, readyReplicas: 3, updatedReplicas: 1 }, /1 out of 2 new pods/, false],
  [{ partition: 1 }, { observedGeneration: 1, readyReplicas: 3, updatedReplicas: 2 }, /roll out complete/, true],
])("a stateful set of rolling update %j and status %j", (rollingUpdate, status, text, isDone) => {
  const strategy =
    Object.keys(rollingUpdate).length === 0 ? rolling.updateStrategy : { type: "RollingUpdate", rollingUpdate };
  const state = statefulSetState({
    metadata: { name: "s", generation: 1 },
    spec: { replicas: 3, updateStrategy: strategy },
    status,
  } as never);
  expect([state.text, state.isDone]).toEqual([expect.stringMatching(text), isDone]);
});

test("what is replaced by hand has no rollout to follow", () => {
  const spec = { updateStrategy: { type: "OnDelete" } };
  expect(() => daemonSetState({ metadata: {}, spec } as never)).toThrow(/only available for RollingUpdate/);
});
