/** What survives: containers a stop of everything, acknowledged writes a kill -9 at any moment; and two nodes as one network. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster } from "#test/support/cluster.ts";
import { eventually, run } from "#test/support/process.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.create({ nodes: 2, flags: ["--disable", "git"] });
});
afterAll(async () => await cluster?.remove());

const kubectl = async (...args: string[]) => {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
};
const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: kubernetes.io/hostname, labelSelector: { matchLabels: { app: web } } }] } }
      containers:
        - { name: web, image: "localhost/busybox:1", command: [sh, -c, "mkdir /tmp/www && hostname > /tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www"], ports: [{ containerPort: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`;
const containers = async () =>
  (
    await kubectl(
      "get",
      "pods",
      "-l",
      "app=web",
      "-o",
      'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\\n"}{end}',
    )
  )
    .split("\n")
    .sort()
    .join("\n");

describe("two nodes", () => {
  it("a Service reaches the pods of both, from both", async () => {
    await cluster.apply(manifest);
    await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    const nodes = await kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.nodeName}");
    expect(nodes.split(" ").sort()).toEqual(["node-1", "node-2"]);
    const address = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    for (const { netns } of cluster.nodes) {
      const seen = new Set<string>();
      await eventually(
        async () => {
          seen.add((await run(["curl", "-fsS", "--max-time", "5", `http://${address}/`], { netns })).stdout);
          return seen.size === 2;
        },
        { what: "answers of both pods" },
      );
    }
  });
});

describe("restarts", () => {
  it("a stop and a start of the control plane and its node leave containers alone", async () => {
    const before = await containers();
    await cluster.stopServer();
    await cluster.startServer();
    await kubectl("wait", "--for=condition=Ready", "node/node-1", "node/node-2", "--timeout=60s");
    expect(await containers()).toBe(before);
  });
  it("kill -9 at random moments loses nothing that was answered for", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const before = acknowledged.length;
      let killed = false;
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let at = 0; !killed; at += 1) {
          const name = `kept-${round}-${writer}-${at}`;
          const { code } = await cluster.capstan(["create", "configmap", name, "--from-literal", "a=b"]);
          if (code === 0) acknowledged.push(name);
        }
      });
      await eventually(async () => acknowledged.length >= before + 5, { what: "writes that were answered" });
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
      await cluster.stopServer("SIGKILL");
      killed = true;
      await Promise.all(writers);
      await cluster.startServer();
    }
    const kept = new Set((await kubectl("get", "configmaps", "-o", "jsonpath={.items[*].metadata.name}")).split(" "));
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([]);
  });
  it("and the containers still run", async () => {
    await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=60s");
    expect((await containers()).match(/ 0$/gm)).toHaveLength(2);
  });
});
