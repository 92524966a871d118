/** What /configz says: how this node is set, as a KubeletConfiguration. Only what is true of it. Upstream: component-base/configz. */
import { podsMax } from "#agent/node/node-facts.ts";
import { heartbeatEveryMs, leaseSeconds, statusEveryMs } from "#agent/node/node-registration.ts";
import { durationText } from "#api/duration.ts";
import { crashBackOff } from "#agent/pod/crash-back-off.ts";
import { logBytesMax, logFilesMax } from "./log-rotation.ts";
import type { NodeServerOptions } from "./node-request.ts";
import { allowedMs, deniedMs } from "./node-authorizer.ts";

type Settings = Pick<
  NodeServerOptions,
  "port" | "paths" | "clusterDns" | "clusterDomain" | "resolvConf" | "runtimeEndpoint"
>;

export function nodeConfig(settings: Settings): { kubeletconfig: object } {
  const { port, paths, clusterDns, clusterDomain, resolvConf, runtimeEndpoint } = settings;
  const endpoint = runtimeEndpoint ?? "";
  return {
    kubeletconfig: {
      enableServer: true,
      podLogsDir: paths.logs,
      address: "0.0.0.0",
      port,
      authentication: { x509: {}, webhook: { enabled: true }, anonymous: { enabled: false } },
      authorization: {
        mode: "Webhook",
        webhook: {
          cacheAuthorizedTTL: durationText(allowedMs),
          cacheUnauthorizedTTL: durationText(deniedMs),
        },
      },
      enableDebuggingHandlers: true,
      clusterDomain,
      clusterDNS: clusterDns,
      nodeStatusUpdateFrequency: durationText(statusEveryMs),
      nodeStatusReportFrequency: durationText(heartbeatEveryMs),
      nodeLeaseDurationSeconds: leaseSeconds,
      cgroupsPerQOS: true,
      cgroupDriver: "cgroupfs",
      cpuManagerPolicy: "none",
      memoryManagerPolicy: "None",
      topologyManagerPolicy: "none",
      maxPods: podsMax,
      podPidsLimit: -1,
      resolvConf: resolvConf ?? "/etc/resolv.conf",
      cpuCFSQuota: true,
      cpuCFSQuotaPeriod: "100ms",
      failSwapOn: false,
      containerLogMaxSize: `${logBytesMax / 1_048_576}Mi`,
      containerLogMaxFiles: logFilesMax,
      configMapAndSecretChangeDetectionStrategy: "Watch",
      enableSystemLogHandler: true,
      enableSystemLogQuery: false,
      crashLoopBackOff: { maxContainerRestartPeriod: durationText(crashBackOff.limitMs) },
      registerNode: true,
      localStorageCapacityIsolation: true,
      containerRuntimeEndpoint: endpoint === "" ? `unix://${paths.runtimeSocket}` : endpoint,
    },
  };
}
