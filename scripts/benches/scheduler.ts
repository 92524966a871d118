/** How fast pods get nodes in a large cluster: the cycle alone, without an API server. Prints a table. */
import type { V1Node, V1Pod, V1PodSpec } from "#api/generated/types.ts";
import { systemRandom } from "#lib/random.ts";
import { allPlugins } from "#scheduler/all.ts";
import { clusterOf } from "#scheduler/cluster-of.ts";
import { decide } from "#scheduler/cycle.ts";
import { podInfoOf } from "#scheduler/pod-info.ts";

const nodes = Number(process.argv[2] ?? 1000);
const pods = Number(process.argv[3] ?? 2000);
const zones = 10;

const workloads: Record<string, Partial<V1PodSpec>> = {
  basic: {},
  "topology spread": {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "topology.kubernetes.io/zone",
        whenUnsatisfiable: "DoNotSchedule",
        labelSelector: { matchLabels: { app: "a" } },
      },
    ],
  },
  "required pod affinity": {
    affinity: {
      podAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: "topology.kubernetes.io/zone", labelSelector: { matchLabels: { app: "a" } } },
        ],
      },
    },
  },
  "required pod anti-affinity": {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "a" } } },
        ],
      },
    },
  },
};

function nodeOf(at: number): V1Node {
  const name = `node-${at}`;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": `zone-${at % zones}` },
    },
    spec: {},
    status: { allocatable: { cpu: "32", memory: "128Gi", "ephemeral-storage": "100Gi", pods: "110" } },
  };
}

function podOf(at: number, spec: Partial<V1PodSpec>): V1Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${at}`, namespace: "default", uid: `uid-${at}`, labels: { app: "a" } },
    spec: {
      containers: [{ name: "c", image: "pause", resources: { requests: { cpu: "100m", memory: "128Mi" } } }],
      ...spec,
    },
  };
}

console.log(`${nodes} nodes, ${pods} pods`);
for (const [name, spec] of Object.entries(workloads)) {
  const cluster = clusterOf(Array.from({ length: nodes }, (_, at) => nodeOf(at)));
  const latencies: number[] = [];
  let placed = 0;
  const start = performance.now();
  for (let at = 0; at < pods; at++) {
    const before = performance.now();
    const pod = podOf(at, spec);
    const decision = decide(podInfoOf(pod), cluster, { plugins: allPlugins, random: systemRandom, startAt: at });
    if (decision.kind === "chosen") {
      placed++;
      cluster.state.addPod(podInfoOf(pod, decision.node));
    }
    latencies.push(performance.now() - before);
  }
  const rate = pods / ((performance.now() - start) / 1000);
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2);
  console.log(
    `${name.padEnd(28)} ${rate.toFixed(0).padStart(6)} pods/s   p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   placed ${placed}`,
  );
}
