/** What kubelets do in a story without nodes: they report how the pods of a namespace are. */
import { expect } from "vitest";
import type { KubernetesObject } from "#api/object.ts";
import { administrator } from "./story-server.ts";
import { fill } from "./story-step.ts";
import type { Runnable } from "./story.ts";

const sinceLongAgo = "2024-01-01T00:00:00Z";
const condition = (type: string, isTrue: boolean) => ({
  type,
  status: isTrue ? "True" : "False",
  lastTransitionTime: sinceLongAgo,
});
const conditions = (isReady: boolean) => [condition("Ready", isReady), condition("ContainersReady", isReady)];

const waitMs = 10_000;

/** Waits for `count` pods that match, and reports a status for each. */
function report(selector: string, count: number, status: (index: number) => object): Runnable {
  return {
    async run(transport, names) {
      const api = transport(administrator);
      const path = fill("/api/v1/namespaces/{ns}/pods", names);
      const query = { labelSelector: selector };
      const pods = async () =>
        ((await api.request({ method: "GET", path, query })).body as { items: KubernetesObject[] }).items;
      await expect.poll(async () => (await pods()).length, { timeout: waitMs, interval: 15 }).toBe(count);
      for (const [index, { metadata }] of (await pods()).entries()) {
        names.set(`pod${"abcdefgh"[index]}`, metadata.name ?? "");
        await api.request({
          method: "PATCH",
          path: `${path}/${metadata.name}/status`,
          body: { status: status(index) },
          contentType: "application/merge-patch+json",
        });
      }
    },
  };
}

/** They are there; nothing is reported. Their names are {poda}, {podb} … from here on. */
export const podsExist = (selector: string, count: number): Runnable => report(selector, count, () => ({}));

export const podsBecomeReady = (selector: string, count: number): Runnable =>
  report(selector, count, (index) => ({
    phase: "Running",
    podIP: `10.42.7.${index + 1}`,
    podIPs: [{ ip: `10.42.7.${index + 1}` }],
    conditions: conditions(true),
  }));

export const podsSucceed = (selector: string, count: number): Runnable =>
  report(selector, count, () => ({ phase: "Succeeded", conditions: conditions(false) }));

export const podsFail = (selector: string, count: number): Runnable =>
  report(selector, count, () => ({ phase: "Failed", conditions: conditions(false) }));
