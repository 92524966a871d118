/** The configuration of the agent's own containerd: every path below one directory, nothing from /etc or /opt. */
import type { AgentPaths } from "#agent/agent-paths.ts";

export interface ContainerdSettings {
  paths: AgentPaths;
  /** Which low-level runtime pods get that name no RuntimeClass. */
  defaultRuntime: string;
  runtimes: readonly { name: string; binary: string }[];
  sandboxImage: string;
  cniBinaries: string;
  snapshotter: "overlayfs" | "native";
  /** Root without CAP_SYS_RESOURCE may not lower oom scores: the runtime then takes the nearest it may set. */
  restrictOomScore: boolean;
}

export function containerdConfig(settings: ContainerdSettings): string {
  const { paths, runtimes, defaultRuntime } = settings;
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  return `version = 2
root = ${quote(`${paths.runtime}/root`)}
state = ${quote(`${paths.runtime}/state`)}
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.restart"]
oom_score = 0

[grpc]
  address = ${quote(paths.runtimeSocket)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${quote(`${paths.runtime}/opt`)}

[${cri}]
  sandbox_image = ${quote(settings.sandboxImage)}
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = ${String(settings.restrictOomScore)}
  tolerate_missing_hugetlb_controller = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [${cri}.cni]
    bin_dir = ${quote(settings.cniBinaries)}
    conf_dir = ${quote(paths.cniConfig)}
    max_conf_num = 1
  [${cri}.containerd]
    snapshotter = ${quote(settings.snapshotter)}
    default_runtime_name = ${quote(defaultRuntime)}
${runtimes.map((runtime) => runtimeSection(cri, runtime)).join("")}`;
}

function runtimeSection(cri: string, { name, binary }: { name: string; binary: string }): string {
  return `    [${cri}.containerd.runtimes.${name}]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.${name}.options]
        BinaryName = ${quote(binary)}
`;
}

/** A basic TOML string; JSON's escapes are a part of TOML's. */
const quote = (text: string): string => JSON.stringify(text);
