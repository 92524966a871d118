/** Makes a pod's sandbox: its network, its namespaces and the group that holds its limits. */
import type { Pod } from "#api/core/pod.ts";
import { RuntimeClass } from "#api/node/runtime-class.ts";
import { podLogDirectory } from "#agent/agent-paths.ts";
import type { SandboxConfig } from "#agent/runtime/cri-types.ts";
import { namespaceOptions, podLabels, seccompProfile } from "./container-config.ts";
import { podDns, podHostName, type DnsSettings } from "./pod-dns.ts";
import type { PodContext } from "./pod-context.ts";

/** What the runtime calls the way in which a pod's class wants it to run; empty: the usual one. */
export async function runtimeHandler({ spec }: Pod, { client }: PodContext): Promise<string> {
  const name = spec?.runtimeClassName ?? "";
  return name === "" ? "" : (await client.get(RuntimeClass, { name })).handler;
}

export function sandboxConfig(
  pod: Pod,
  attempt: number,
  cgroupParent: string,
  context: PodContext,
  hostDns: DnsSettings,
): SandboxConfig {
  const { name = "", namespace = "", uid = "", annotations = {} } = pod.metadata;
  const { hostNetwork, securityContext = {} } = pod.spec ?? { containers: [] };
  const { servers, searches, options } = podDns(pod, context.dns, hostDns);
  const { runAsUser, runAsGroup, fsGroup, supplementalGroups = [] } = securityContext;
  const sysctls = (securityContext.sysctls ?? []).map(
    ({ name: key, value }) => [key.replaceAll("/", "."), value] as const,
  );
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return {
    metadata: { name, namespace, uid, attempt },
    // The runtime refuses a host name of its own in the node's namespaces.
    hostname: hostNetwork === true ? "" : podHostName(pod, context.dns.domain).kernel,
    logDirectory: podLogDirectory(context.paths, { namespace, name, uid }),
    dnsConfig: { servers, searches, options },
    labels: { ...podLabels(pod), ...pod.metadata.labels },
    annotations,
    linux: {
      cgroupParent,
      sysctls: Object.fromEntries(sysctls),
      securityContext: {
        namespaceOptions: namespaceOptions(pod),
        ...(runAsUser === undefined ? {} : { runAsUser: { value: runAsUser } }),
        ...(runAsGroup === undefined || runAsUser === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
        supplementalGroups: [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])],
        privileged: containers.some((container) => container.securityContext?.privileged === true),
        seccomp: seccompProfile({ type: "RuntimeDefault" }, context.paths.seccomp),
      },
    },
  };
}
