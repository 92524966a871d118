import type { Pod } from "#api/core/pod.ts";
import { expect, test } from "vitest";
import type { PodContext } from "./pod-context.ts";
import { PodWorker } from "./pod-worker.ts";
import type { StatusWriter } from "./status-writer.ts";

const over: Pod = {
  metadata: { name: "p", namespace: "n", uid: "u", resourceVersion: "1" },
  spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
  status: { phase: "Failed" },
};

test("a pod whose deletion is heard of after all of it went is still let go", async () => {
  const gone: string[] = [];
  const context = {
    clock: { now: () => 0 },
    hostIps: [],
    volumes: { tearDown: async () => {} },
    cgroups: { removePod: async () => {} },
    log: { warn: (text: string, about: unknown) => gone.push(`${text} ${JSON.stringify(about)}`) },
  } as unknown as PodContext;
  const worker = new PodWorker(over, {
    context,
    statuses: { put: () => {} } as unknown as StatusWriter,
    refusesResize: () => undefined,
    finished: ({ metadata }) => void gone.push(metadata.deletionTimestamp ?? "not to be deleted"),
  });
  worker.begin();
  await expect.poll(() => worker.isGone).toBe(true);
  expect(gone).toEqual([]);
  worker.update({ ...over, metadata: { ...over.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } });
  await expect.poll(() => gone).toEqual(["2026-01-01T00:00:00Z"]);
});
