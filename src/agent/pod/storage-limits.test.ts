import { expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import { exceededStorage, hasStorageLimits } from "./storage-limits.ts";

const limit = (amount: string) => ({ resources: { limits: { "ephemeral-storage": amount } } });
const podOf = (spec: Partial<NonNullable<Pod["spec"]>>): Pod => ({ metadata: {}, spec: { containers: [], ...spec } });
const usage = (volume: number, a: number, b: number) => ({
  volumes: new Map([["v", volume]]),
  containers: new Map([
    ["a", a],
    ["b", b],
  ]),
});
const mi = 1024 * 1024;

test("a volume, a pod and a container are held to their limits, in that order", () => {
  const volumes = [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }];
  const both = [
    { name: "a", ...limit("1Mi") },
    { name: "b", ...limit("2Mi") },
  ];
  const message = (pod: Pod, used: ReturnType<typeof usage>) => exceededStorage(pod, used)?.message;
  expect(message(podOf({ volumes, containers: both }), usage(2 * mi, 0, 0))).toBe(
    'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
  );
  expect(message(podOf({ containers: both }), usage(2 * mi, mi, mi))).toBe(
    "Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. ",
  );
  expect(message(podOf({ containers: both }), usage(0, 2 * mi, 0))).toBe(
    'Container a exceeded its local ephemeral storage limit "1Mi". ',
  );
  expect(message(podOf({ volumes, containers: both }), usage(mi, mi, mi))).toBeUndefined();
});

test("a container without a limit frees the pod of one", () => {
  expect(
    exceededStorage(podOf({ containers: [{ name: "a", ...limit("1Mi") }, { name: "b" }] }), usage(9 * mi, 0, 9 * mi)),
  ).toBeUndefined();
  expect(hasStorageLimits(podOf({ containers: [{ name: "a" }] }))).toBe(false);
});
