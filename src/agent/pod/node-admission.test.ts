import { expect, test } from "vitest";
import type { Node } from "#api/core/node.ts";
import type { Pod } from "#api/core/pod.ts";
import { refuse } from "./node-admission.ts";

const node: Node = {
  metadata: { name: "n1", labels: { disk: "ssd" } },
  status: { allocatable: { cpu: "2", memory: "1Gi", pods: "3" } },
};

type Spec = NonNullable<Pod["spec"]>;
const podOf = (spec: Partial<Spec>, cpu = "1"): Pod => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c", resources: { requests: { cpu } } }], ...spec },
});

const port = (hostPort: number, hostIP?: string): Spec["containers"] => [
  { name: "c", ports: [{ containerPort: 80, hostPort, ...(hostIP === undefined ? {} : { hostIP }) }] },
];
const asks = (requests: Record<string, string>): Partial<Spec> => ({
  containers: [{ name: "c", resources: { requests } }],
});

test.each<[string, Pod, Pod[], string | undefined]>([
  ["fits", podOf({}), [podOf({})], undefined],
  ["asks for too much", podOf({}, "1500m"), [podOf({})], "OutOfcpu"],
  ["is one too many", podOf({}, "0"), [podOf({}, "0"), podOf({}, "0"), podOf({}, "0")], "OutOfpods"],
  ["wants another node", podOf({ nodeSelector: { disk: "hdd" } }), [], "NodeAffinity"],
  ["wants a port that is taken", podOf({ containers: port(99) }), [podOf({ containers: port(99) })], "NodePorts"],
  ["wants it of one address", podOf({ containers: port(99, "::1") }), [podOf({ containers: port(99) })], "NodePorts"],
  ["wants it of all", podOf({ containers: port(99) }), [podOf({ containers: port(99, "127.0.0.1") })], "NodePorts"],
  [
    "wants it of another address",
    podOf({ containers: port(99, "127.0.0.2") }),
    [podOf({ containers: port(99, "127.0.0.1") })],
    undefined,
  ],
  ["asks for too much of another node", podOf({ nodeSelector: { disk: "hdd" } }, "3"), [], "OutOfcpu"],
  ["asks for too much of all", podOf(asks({ cpu: "3", memory: "2Gi", "ephemeral-storage": "1" })), [], "OutOfcpu"],
  [
    "asks for too much of two",
    podOf(asks({ memory: "2Gi", "ephemeral-storage": "1", "hugepages-2Mi": "2Mi" })),
    [],
    "OutOfmemory",
  ],
  ["asks for what no node has", podOf(asks({ "example.com/x": "1" })), [], undefined],
  ["asks for what this node lacks", podOf(asks({ "hugepages-2Mi": "2Mi" })), [], "OutOfhugepages-2Mi"],
  ["is of another system", podOf({ os: { name: "windows" } }), [], "PodOSNotSupported"],
  [
    "says so in a label",
    { ...podOf({}), metadata: { name: "p", labels: { "kubernetes.io/os": "windows" } } },
    [],
    "PodOSSelectorNodeLabelDoesNotMatch",
  ],
  [
    "wants its groups only",
    podOf({ securityContext: { supplementalGroupsPolicy: "Strict" } }),
    [],
    "SupplementalGroupsPolicyNotSupported",
  ],
  [
    "sets an unsafe sysctl",
    podOf({ securityContext: { sysctls: [{ name: "net/core/somaxconn", value: "1" }] } }),
    [],
    "SysctlForbidden",
  ],
  [
    "sets a safe one",
    podOf({ securityContext: { sysctls: [{ name: "net/ipv4/ip_local_port_range", value: "1 2" }] } }),
    [],
    undefined,
  ],
])("a pod that %s", (_, pod, others, reason) => expect(refuse(pod, node, others)?.reason).toBe(reason));

test("says what there was and what was asked for", () => {
  expect(refuse(podOf({}, "1500m"), node, [podOf({})])?.message).toBe(
    "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
  );
});
