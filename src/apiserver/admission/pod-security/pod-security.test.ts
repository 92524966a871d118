import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { V1PodSpec } from "#api/generated/types.ts";
import { violations, violationsText } from "./evaluate.ts";
import { levels, policyOf, type Standard, standardText } from "./levels.ts";

const text = (standard: Standard, spec: Partial<V1PodSpec>, annotations: Record<string, string> = {}): string =>
  violationsText(violations(standard, { metadata: { annotations }, spec: { containers: [], ...spec } }));
const baseline: Standard = { level: "baseline", minor: undefined };
const restricted: Standard = { level: "restricted", minor: undefined };
const container = (securityContext: object, name = "c") => ({ name, securityContext });

describe("pod security levels", () => {
  it.each<[string, string, Standard, Partial<V1PodSpec>, Record<string, string>?]>([
    [
      "AppArmor",
      'forbidden AppArmor profiles (pod and container "c" and annotation must not set AppArmor profile type to "Other", "Unconfined", "container.apparmor.security.beta.kubernetes.io/c="x"")',
      baseline,
      {
        securityContext: { appArmorProfile: { type: "Unconfined" } },
        containers: [container({ appArmorProfile: { type: "Other" } })],
      },
      { "container.apparmor.security.beta.kubernetes.io/c": "x" },
    ],
    [
      "kinds of volumes, of which images are no worse than containers",
      'restricted volume types (volumes "b", "c" use restricted volume types "hostPath", "unknown")',
      { level: "restricted", minor: 0 },
      {
        securityContext: { runAsNonRoot: true },
        volumes: [{ name: "a", image: { reference: "r" } }, { name: "b", hostPath: { path: "/" } }, { name: "c" }],
      },
    ],
    [
      "capabilities",
      'non-default capabilities (containers "c", "d" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
      baseline,
      {
        containers: [
          container({ capabilities: { add: ["SYS_ADMIN", "KILL"] } }),
          container({ capabilities: { add: ["NET_RAW"] } }, "d"),
        ],
      },
    ],
    [
      "hosts of probes",
      'probe or lifecycle host (container "c" uses probe or lifecycle hosts "1.1.1.1", "2.2.2.2")',
      baseline,
      {
        containers: [
          {
            name: "c",
            livenessProbe: { httpGet: { host: "2.2.2.2", port: 80 } },
            lifecycle: { preStop: { tcpSocket: { host: "1.1.1.1", port: 80 } } },
          },
        ],
      },
    ],
    [
      "/proc",
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
      baseline,
      { containers: [container({ procMount: "Unmasked" })] },
    ],
    [
      "sysctls by version",
      "forbidden sysctls (net.ipv4.tcp_rmem)",
      { level: "baseline", minor: 31 },
      { securityContext: { sysctls: [{ name: "net.ipv4.tcp_rmem", value: "1" }] } },
    ],
    [
      "Windows",
      "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
      baseline,
      { securityContext: { windowsOptions: { hostProcess: true } } },
    ],
    [
      "annotations of old versions",
      'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
      { level: "baseline", minor: 18 },
      {},
      { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" },
    ],
    [
      "one volume",
      'restricted volume types (volume "v" uses restricted volume type "nfs")',
      restricted,
      { volumes: [{ name: "v", nfs: { server: "s", path: "/" } }] },
    ],
  ])("tell of %s as upstream does", (_, expected, standard, spec, annotations) => {
    expect(text(standard, spec, annotations)).toBe(expected);
  });

  it("ask nothing of a pod without containers, and nothing at all at privileged", () => {
    expect(text(restricted, {})).toBe("");
    const host = { hostNetwork: true, containers: [container({ privileged: true })] };
    expect(text({ level: "privileged", minor: undefined }, host)).toBe("");
  });

  it("forbid at restricted whatever they forbid at baseline", () => {
    const context = fc.record(
      {
        privileged: fc.boolean(),
        procMount: fc.constantFrom("Default", "Unmasked"),
        capabilities: fc.record({ add: fc.subarray(["KILL", "SYS_TIME", "NET_BIND_SERVICE"]) }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(context, fc.boolean(), (securityContext, hostPID) => {
        const spec = { hostPID, containers: [container(securityContext)] };
        return text(baseline, spec) === "" || text(restricted, spec) !== "";
      }),
    );
  });

  it("are read from labels, strict where it is enforced and silent where it is only told", () => {
    const label = (mode: string) => `pod-security.kubernetes.io/${mode}`;
    fc.assert(
      fc.property(fc.constantFrom(...levels), fc.option(fc.nat({ max: 40 }), { nil: undefined }), (level, minor) => {
        const version = minor === undefined ? "latest" : `v1.${minor}`;
        const { policy, errors } = policyOf({ [label("enforce")]: level, [label("enforce-version")]: version });
        expect(errors).toEqual([]);
        expect(standardText(policy.enforce)).toBe(`${level}:${version}`);
        expect(policy.warn.level).toBe(level);
      }),
    );
    const { policy, errors } = policyOf({ [label("enforce")]: "x", [label("warn")]: "y", [label("audit")]: "z" });
    expect(errors).toHaveLength(3);
    expect(policy).toMatchObject({
      enforce: { level: "restricted" },
      warn: { level: "privileged" },
      audit: { level: "privileged" },
    });
  });
});
