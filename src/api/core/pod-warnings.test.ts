import { describe, expect, it } from "vitest";
import type { V1PodSpec } from "#api/generated/types.ts";
import { podWarnings } from "./pod-warnings.ts";

const port = (more: object) => ({ containerPort: 80, protocol: "TCP", ...more });
const container = (name: string, ...ports: object[]) => ({ name, image: "i", ports });
const preferred = (values: string[]) => ({
  nodeAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      { weight: 1, preference: { matchExpressions: [{ key: "a", operator: "In", values }] } },
    ],
  },
});
const preference = "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference";
const claim = (resources: object) => ({ volumeClaimTemplate: { spec: { resources } } });
const claimPath = "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources";

const cases: readonly [claim: string, spec: object, warnings: string[]][] = [
  [
    "a host port on one address and on all is ambiguous",
    {
      containers: [
        container("a", port({ hostPort: 80, hostIP: "10.0.0.1" }), port({ hostPort: 80 })),
        container("b", port({ hostPort: 80, hostIP: "10.0.0.2" }), port({ hostPort: 81 })),
      ],
    },
    [
      "spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]",
      "spec.containers[1].ports[0]: dangerously ambiguous port definition with spec.containers[0].ports[1]",
    ],
  ],
  [
    "names of ports count in containers of every sort",
    {
      containers: [container("a", port({ name: "web", hostPort: 1 }))],
      initContainers: [
        { ...container("i", port({ name: "web", hostPort: 2 })), restartPolicy: "Always" },
        container("j", port({ name: "web", hostPort: 3 })),
      ],
    },
    [
      'spec.initContainers[1].ports[0]: duplicate port name "web" with spec.initContainers[0].ports[0], services and probes that select ports by name will use spec.initContainers[0].ports[0]',
      'spec.containers[0].ports[0]: duplicate port name "web" with spec.initContainers[0].ports[0], services and probes that select ports by name will use spec.initContainers[0].ports[0]',
    ],
  ],
  [
    "a preferred node has labels that can be",
    { affinity: preferred(["ok", "-"]) },
    [expect.stringContaining(`${preference}.matchExpressions[0].values[1]: - is invalid, a valid label must be`)],
  ],
  [
    "a claim's storage is whole",
    { volumes: [{ name: "v", ephemeral: claim({ requests: { storage: "1500m" }, limits: { storage: "1500m" } }) }] },
    [
      `${claimPath}.requests[storage]: fractional byte value "1500m" is invalid, must be an integer`,
      `${claimPath}.limits[storage]: fractional byte value "1500m" is invalid, must be an integer`,
    ],
  ],
  [
    "addresses should be canonical",
    { dnsConfig: { nameservers: ["1.2.3.4", "2001:DB8::1"] }, hostAliases: [{ ip: "::0" }] },
    [
      'spec.dnsConfig.nameservers[1]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      'spec.hostAliases[0].ip: IPv6 address "::0" should be in RFC 5952 canonical format ("::")',
    ],
  ],
];

describe("warnings of pods", () => {
  it.each(cases)("%s", (_, spec, expected) => {
    expect(podWarnings({ containers: [], ...spec } as V1PodSpec, { name: "p" }, "")).toEqual(expected);
  });

  it("templates warn of AppArmor annotations, pods do so when they are made", () => {
    const key = "container.apparmor.security.beta.kubernetes.io/c";
    const meta = { name: "p", annotations: { [key]: "unconfined" } };
    const spec = { containers: [{ name: "c", image: "i" }] };
    expect(podWarnings(spec, meta, "")).toEqual([]);
    expect(podWarnings(spec, meta, "spec.template")).toEqual([
      `spec.template.metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`,
    ]);
  });
});
