import { describe, expect, it } from "vitest";
import type { V1Pod } from "#api/generated/types.ts";
import { defaultPod } from "./pod-defaults.ts";

const huge = { limits: { cpu: "1", "hugepages-2Mi": "4Mi" } };
const cases: readonly [claim: string, pod: object, container: object, filled: object | undefined][] = [
  ["nothing is filled in where nothing is said", {}, huge, {}],
  [
    "requests alone are left as they are, and have no limits",
    { requests: { cpu: "1" } },
    { limits: { cpu: "1" } },
    { requests: { cpu: "1" } },
  ],
  [
    "huge pages are limited where only requests are said, and then the rest is",
    { requests: { cpu: "1" } },
    huge,
    { requests: { cpu: "1", "hugepages-2Mi": "4Mi" }, limits: { "hugepages-2Mi": "4Mi" } },
  ],
  [
    "huge pages are those of the containers, requests too, and what is left is the limit",
    { limits: { cpu: "2", memory: "1Gi" } },
    huge,
    {
      limits: { cpu: "2", memory: "1Gi", "hugepages-2Mi": "4Mi" },
      requests: { cpu: "1", memory: "1Gi", "hugepages-2Mi": "4Mi" },
    },
  ],
  [
    "huge pages that the pod asks for have no other limit",
    { limits: { cpu: "2" }, requests: { "hugepages-2Mi": "8Mi" } },
    huge,
    { limits: { cpu: "2" }, requests: { cpu: "1", "hugepages-2Mi": "8Mi" } },
  ],
];

describe("a pod's own resources", () => {
  it.each(cases)("%s", (_, resources, own, filled) => {
    const pod = {
      metadata: { name: "p" },
      spec: {
        containers: [{ name: "c", image: "i", resources: structuredClone(own) }],
        resources: structuredClone(resources),
      },
    } as V1Pod;
    defaultPod(pod);
    expect(pod.spec!.resources).toEqual(filled);
  });
});

describe("what pods were told in other ways", () => {
  it.each([
    [{ podIP: "a" }, { podIP: "a", podIPs: [{ ip: "a" }] }],
    [{ podIPs: [{ ip: "a" }, { ip: "b" }] }, { podIP: "a", podIPs: [{ ip: "a" }, { ip: "b" }] }],
    [
      { podIP: "c", podIPs: [{ ip: "a" }, { ip: "b" }] },
      { podIP: "c", podIPs: [{ ip: "c" }] },
    ],
    [
      { podIP: "", podIPs: [] },
      { podIP: "", podIPs: [] },
    ],
  ])("the addresses %j are %j", (status, expected) => {
    const pod: V1Pod = { metadata: { name: "p" }, spec: { containers: [] }, status };
    defaultPod(pod);
    expect(pod.status).toEqual(expected);
  });

  it("init containers are a field", () => {
    const key = "pod.beta.kubernetes.io/init-containers";
    const pod: V1Pod = { metadata: { name: "p", annotations: { [key]: "[]" } }, spec: { containers: [] } };
    defaultPod(pod);
    expect(pod.metadata).toEqual({ name: "p" });
  });
});
