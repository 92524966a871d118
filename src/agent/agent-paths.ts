/** Where the agent keeps what, below the data directory. Nothing else in the agent spells these names. */
import { join } from "node:path";

export interface AgentPaths {
  readonly root: string;
  /** Archives in here are imported. */
  readonly images: string;
  /** Pods' volumes, hosts files and termination messages; a mount of its own, shared with the runtime's mount namespace. */
  readonly pods: string;
  /** Secrets live in memory only: one tmpfs for all pods. */
  readonly memory: string;
  readonly logs: string;
  readonly runtime: string;
  readonly runtimeConfig: string;
  readonly runtimeSocket: string;
  readonly runtimeLog: string;
  /** Holds the pinned mount namespace. */
  readonly namespaces: string;
  readonly mountNamespace: string;
  readonly cniConfig: string;
  readonly cniState: string;
  readonly seccomp: string;
}

export function agentPaths(dataDirectory: string): AgentPaths {
  const root = join(dataDirectory, "agent");
  const pods = join(root, "pods");
  const runtime = join(root, "containerd");
  const namespaces = join(runtime, "ns");
  return {
    root,
    images: join(root, "images"),
    pods,
    memory: join(pods, ".memory"),
    logs: join(root, "logs"),
    runtime,
    runtimeConfig: join(runtime, "config.toml"),
    runtimeSocket: join(runtime, "containerd.sock"),
    runtimeLog: join(runtime, "containerd.log"),
    namespaces,
    mountNamespace: join(namespaces, "mnt"),
    cniConfig: join(root, "cni", "net.d"),
    cniState: join(root, "cni", "state"),
    seccomp: join(root, "seccomp"),
  };
}

/** Upstream's name of a pod's log directory. */
export function podLogDirectory(
  paths: AgentPaths,
  { namespace, name, uid }: { namespace: string; name: string; uid: string },
): string {
  return join(paths.logs, `${namespace}_${name}_${uid}`);
}
