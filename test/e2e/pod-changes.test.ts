/** What a running pod may be given and what it may be asked for, with real containers on two nodes. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "#test/support/cluster.ts";
import { eventually } from "#test/support/process.ts";

const image = "localhost/busybox:1";
/** Ends at once when it is told to. */
const idle = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"];
let cluster: TestCluster;

interface SeenPod {
  metadata: { uid: string };
  status: {
    phase: string;
    reason?: string;
    containerStatuses?: { restartCount: number; resources?: unknown; ready: boolean }[];
  };
}

beforeAll(async () => {
  cluster = await TestCluster.create({ nodes: 2 });
});
afterAll(async () => await cluster?.remove());

/** As a list: kubectl then checks what it sends against the protobuf form of /openapi/v2. */
async function create(...objects: object[]): Promise<void> {
  await cluster.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
}

const podOf = (name: string, container: object, spec: object = {}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", image, command: idle, ...container }], ...spec },
});

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

const see = async (name: string): Promise<SeenPod> =>
  JSON.parse(await kubectl("get", "pod", name, "-o", "json")) as SeenPod;

const whenReady = (name: string) =>
  eventually(async () => {
    const pod = await see(name);
    return pod.status.containerStatuses?.every(({ ready }) => ready) === true ? pod : undefined;
  });

test("cpu changes in place, memory as its policy says, and what the node does not have is infeasible", async () => {
  const amounts = { cpu: "100m", memory: "64Mi" };
  const resizePolicy = [{ resourceName: "memory", restartPolicy: "RestartContainer" }];
  await create(podOf("resized", { resources: { requests: amounts, limits: amounts }, resizePolicy }));
  await whenReady("resized");
  const resize = (cpu: string, memory: string) => {
    const resources = { requests: { cpu, memory }, limits: { cpu, memory } };
    const patch = JSON.stringify({ spec: { containers: [{ name: "c", resources }] } });
    return kubectl("patch", "pod", "resized", "--subresource", "resize", "-p", patch);
  };
  const quota = () =>
    kubectl(
      "exec",
      "resized",
      "--",
      "sh",
      "-c",
      "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d' ' -f1 /sys/fs/cgroup/cpu.max",
    );
  await resize("200m", "64Mi");
  await eventually(async () => (await quota()).trim() === "20000", { what: "the new quota" });
  expect((await see("resized")).status.containerStatuses?.[0]?.restartCount).toBe(0);
  await resize("200m", "96Mi");
  const restarted = await eventually(async () => {
    const [status] = (await see("resized")).status.containerStatuses ?? [];
    return status?.ready === true && status.restartCount === 1 ? status : undefined;
  });
  expect(restarted.resources).toEqual({
    requests: { cpu: "200m", memory: "96Mi" },
    limits: { cpu: "200m", memory: "96Mi" },
  });
  await expect(resize("1000", "96Mi")).rejects.toThrow("node didn't have enough allocatable resources: cpu");
});

test("a pod sees an image and a bound claim as volumes", async () => {
  const path = `${cluster.folder}/volume`;
  const size = { storage: "1Mi" };
  const claimed = { storageClassName: "by-hand", accessModes: ["ReadWriteOnce"] };
  await create(
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: "by-hand" },
      spec: { ...claimed, capacity: size, hostPath: { path, type: "DirectoryOrCreate" } },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "claim" },
      spec: { ...claimed, resources: { requests: size } },
    },
    podOf(
      "mounts",
      {
        volumeMounts: [
          { name: "image", mountPath: "/image" },
          { name: "claim", mountPath: "/claim" },
        ],
      },
      {
        volumes: [
          { name: "image", image: { reference: image, pullPolicy: "IfNotPresent" } },
          { name: "claim", persistentVolumeClaim: { claimName: "claim" } },
        ],
      },
    ),
  );
  await whenReady("mounts");
  const said = await kubectl("exec", "mounts", "--", "sh", "-c", "ls /image; echo kept > /claim/f; cat /claim/f");
  expect(said).toContain("bin");
  expect(said).toContain("kept");
  expect((await cluster.kubectl(["exec", "mounts", "--", "touch", "/image/x"])).stderr).toContain(
    "Read-only file system",
  );
});

test("who preempts gets the room at once", async () => {
  const cpus = Number((await kubectl("get", "node", "node-1", "-o", "jsonpath={.status.allocatable.cpu}")).trim());
  const resources = { requests: { cpu: `${Math.floor(cpus * 700)}m` } };
  const nodeSelector = { "kubernetes.io/hostname": "node-1" };
  for (const [name, value] of [
    ["low", 1],
    ["high", 1000],
  ] as const)
    await create({ apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value });
  await create(podOf("victim", { resources }, { nodeSelector, priorityClassName: "low" }));
  await whenReady("victim");
  await create(podOf("winner", { resources }, { nodeSelector, priorityClassName: "high" }));
  expect((await whenReady("winner")).status.phase).toBe("Running");
  expect((await cluster.kubectl(["get", "pod", "victim"])).code).not.toBe(0);
});

test("a runtime class names the runtime's handler, not itself", async () => {
  await create({
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name: "unknown" },
    handler: "no-such",
  });
  await create(podOf("classed", {}, { runtimeClassName: "unknown" }));
  await eventually(async () =>
    (await kubectl("get", "events", "--field-selector", "involvedObject.name=classed")).includes('"no-such"'),
  );
});

test("files and folders are copied into a container and out again", async () => {
  await create(podOf("copied", {}));
  await whenReady("copied");
  const local = join(cluster.folder, "copied");
  mkdirSync(join(local, "deep"), { recursive: true });
  writeFileSync(join(local, "deep", "text"), "over and back\n");
  writeFileSync(join(local, "large"), randomBytes(3_000_000));
  const capstan = async (...args: string[]) => {
    const { code, stderr } = await cluster.capstan(args);
    expect(code, stderr).toBe(0);
  };
  await capstan("cp", local, "copied:/tmp/there");
  expect(await kubectl("exec", "copied", "--", "cat", "/tmp/there/deep/text")).toBe("over and back\n");
  await capstan("cp", "copied:/tmp/there", `${local}-back`);
  expect(readFileSync(join(`${local}-back`, "deep", "text"), "utf8")).toBe("over and back\n");
  expect(readFileSync(join(`${local}-back`, "large")).equals(readFileSync(join(local, "large")))).toBe(true);
  const missing = await cluster.capstan(["cp", "copied:/tmp/nothing", `${local}-none`]);
  expect(missing.code).not.toBe(0);
  expect(missing.stderr).toContain("/tmp/nothing".split("/").at(-1));
});
