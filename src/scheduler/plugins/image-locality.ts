/** Likes nodes that have the pod's large images already, unless all have them. Upstream: plugins/imagelocality. */
import type { PodInfo } from "#scheduler/pod-info.ts";
import type { ImageOnNodes } from "#scheduler/cluster-state.ts";
import { scoreMax } from "#scheduler/normalize.ts";
import { type Cluster, definePlugin } from "#scheduler/plugin.ts";

const mebibyte = 1024 * 1024;
const leastBytes = 23 * mebibyte;
const mostBytesPerContainer = 1000 * mebibyte;

interface Images {
  known: readonly { image: ImageOnNodes; /** Its size, less if few nodes have it. */ weight: number }[];
  containers: number;
}

export const imageLocality = definePlugin<undefined, Images>({
  name: "ImageLocality",
  retryWhen: [],
  scoring: {
    weight: 1,
    prepare: (pod, cluster) => imagesOf(pod, cluster),
    score: (_, node, { known, containers }) =>
      shareOf(
        known.reduce((sum, { image, weight }) => sum + (image.nodes.has(node.name) ? weight : 0), 0),
        mostBytesPerContainer * containers,
      ),
  },
});

function imagesOf({ spec }: PodInfo, { state }: Cluster): Images {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const nodes = state.nodes.length;
  const mounted = (spec.volumes ?? []).flatMap(({ image }) => image?.reference ?? []);
  const known = [...containers.map(({ image }) => image ?? ""), ...mounted].flatMap((name) => {
    const image = state.images.get(withTag(name));
    return image === undefined ? [] : [{ image, weight: Math.trunc((image.bytes * image.nodes.size) / nodes) }];
  });
  return { known, containers: containers.length + mounted.length };
}

function shareOf(bytes: number, mostBytes: number): number {
  const within = Math.min(Math.max(bytes, leastBytes), mostBytes);
  return Math.trunc((scoreMax * (within - leastBytes)) / (mostBytes - leastBytes));
}

/** "busybox" is "busybox:latest". */
const withTag = (name: string): string => (name.lastIndexOf(":") <= name.lastIndexOf("/") ? `${name}:latest` : name);
