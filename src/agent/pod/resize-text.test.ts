import { expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import { resizeText } from "./resize-text.ts";

const pod: Pod = {
  metadata: { name: "p" },
  spec: {
    initContainers: [{ name: "i", restartPolicy: "Always" }],
    containers: [
      { name: "c", resources: { requests: { memory: "1Mi", cpu: "1m" }, limits: { cpu: "2m" } } },
      { name: "d", resources: { requests: {} } },
    ],
  },
};

const containers =
  '"initContainers":[{"name":"i","resources":{}}],' +
  '"containers":[{"name":"c","resources":{"limits":{"cpu":"2m"},"requests":{"cpu":"1m","memory":"1Mi"}}},' +
  '{"name":"d","resources":{}}]';

test("a resize says what every container gets, in the order of Go", () => {
  expect(resizeText("started", pod, 2)).toBe(`Pod resize started: {${containers},"generation":2}`);
});

test("a resize that waits says why", () => {
  expect(resizeText("Deferred", pod, 3, "no room")).toBe(
    `Pod resize Deferred: {${containers},"generation":3,"error":"no room"}`,
  );
});
