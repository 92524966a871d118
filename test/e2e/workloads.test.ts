/** Controllers over pods that really run, on two nodes: what the official conformance suite asks of each kind of workload. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "#test/support/cluster.ts";
import { eventually } from "#test/support/process.ts";

const image = "localhost/busybox:1";
/** Ends at once when it is told to; ready as long as /ready is there. */
const idle = ["sh", "-c", "touch /ready; trap 'exit 0' TERM; while :; do sleep 0.2; done"];
const readinessProbe = { exec: { command: ["test", "-f", "/ready"] }, periodSeconds: 1 };
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.create({ nodes: 2 });
});
afterAll(async () => await cluster?.remove());

interface SeenPod {
  metadata: { name: string; uid: string; labels: Record<string, string>; deletionTimestamp?: string };
  spec: { containers: { image: string }[]; nodeName?: string };
  status: { phase: string; containerStatuses?: { ready: boolean }[] };
}

const create = (...items: object[]) => cluster.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
const patch = (what: string, change: object) => cluster.ask("patch", what, "-p", JSON.stringify(change));
const podsOf = async (app: string) => (await cluster.see<{ items: SeenPod[] }>("pods", "-l", `app=${app}`)).items;
const namesOf = async (app: string) => (await podsOf(app)).map(({ metadata }) => metadata.name).sort();
const until = (look: () => Promise<boolean>, what: string) => eventually(look, { what, timeoutMs: 60_000 });

const workload = (kind: string, name: string, spec: object, container: object = {}) => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image, command: idle, ...container }] },
    },
    ...spec,
  },
});

test("a deployment whose new pods do not come up keeps its old ones, and scales both in proportion", async () => {
  const rollingUpdate = { maxSurge: 3, maxUnavailable: 2 };
  await create(workload("Deployment", "web", { replicas: 10, strategy: { rollingUpdate } }));
  await cluster.ask("rollout", "status", "deployment/web", "--timeout", "60s");
  await cluster.ask("set", "image", "deployment/web", "c=localhost/none:1");
  const replicas = async () =>
    (await cluster.see<{ items: { spec: { replicas: number } }[] }>("rs", "-l", "app=web")).items
      .map(({ spec }) => spec.replicas)
      .sort();
  await until(async () => String(await replicas()) === "5,8", "8 old and 5 new replicas");
  await cluster.ask("scale", "deployment/web", "--replicas", "30");
  await until(async () => String(await replicas()) === "13,20", "20 old and 13 new replicas");
  await cluster.ask("rollout", "undo", "deployment/web");
  await cluster.ask("scale", "deployment/web", "--replicas", "2");
  await cluster.ask("rollout", "status", "deployment/web", "--timeout", "60s");
  await cluster.ask("delete", "deployment/web");
});

test("a stateful set goes in order, waits for who is not ready, and updates from the partition on", async () => {
  const headless = { apiVersion: "v1", kind: "Service", metadata: { name: "db" }, spec: { clusterIP: "None" } };
  await create(headless, workload("StatefulSet", "db", { serviceName: "db", replicas: 3 }, { readinessProbe }));
  await cluster.ask("rollout", "status", "statefulset/db", "--timeout", "60s");
  const annotations = { changed: "yes" };
  await patch("statefulset/db", {
    spec: { updateStrategy: { rollingUpdate: { partition: 2 } }, template: { metadata: { annotations } } },
  });
  const revisions = async () => (await podsOf("db")).map(({ metadata }) => metadata.labels["controller-revision-hash"]);
  await until(async () => {
    const [a, b, c] = await revisions();
    return a === b && c !== undefined && c !== b;
  }, "an update of the last pod alone");
  await cluster.ask("delete", "pod", "db-0");
  await cluster.ask("rollout", "status", "statefulset/db", "--timeout", "60s");
  const [first, second, third] = await revisions();
  expect(first).toBe(second);
  expect(third).not.toBe(second);
  await patch("statefulset/db", { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } });
  await until(async () => new Set(await revisions()).size === 1, "an update of all");
  await cluster.ask("rollout", "status", "statefulset/db", "--timeout", "60s");

  const unready = async (pod: string) => {
    await cluster.ask("exec", pod, "--", "rm", "/ready");
    await cluster.ask("wait", "--for=condition=Ready=false", `pod/${pod}`, "--timeout", "30s");
  };
  await unready("db-0");
  await cluster.ask("scale", "statefulset/db", "--replicas", "4");
  await until(
    async () => (await cluster.ask("get", "sts/db", "-o", "jsonpath={.status.observedGeneration}")) === "4",
    "the controller to have seen this",
  );
  expect(await namesOf("db")).toEqual(["db-0", "db-1", "db-2"]);
  await cluster.ask("exec", "db-0", "--", "touch", "/ready");
  await until(async () => (await namesOf("db")).length === 4, "the fourth pod");
  await cluster.ask("scale", "statefulset/db", "--replicas", "0");
  await until(async () => (await namesOf("db")).length === 0, "the end of all");
  await cluster.ask("delete", "sts/db", "service/db");
});

test("a daemon set is on each node that fits, and an undo leaves pods alone that need none", async () => {
  await create(workload("DaemonSet", "agent", {}));
  await cluster.ask("rollout", "status", "daemonset/agent", "--timeout", "60s");
  const before = await podsOf("agent");
  expect(before.map(({ spec }) => spec.nodeName).sort()).toEqual(["node-1", "node-2"]);
  await cluster.ask("set", "image", "daemonset/agent", "c=localhost/none:1");
  const isNew = ({ spec }: SeenPod) => spec.containers[0]?.image === "localhost/none:1";
  await until(async () => (await podsOf("agent")).some(isNew), "a new pod");
  await cluster.ask("rollout", "undo", "daemonset/agent");
  await cluster.ask("rollout", "status", "daemonset/agent", "--timeout", "60s");
  const after = (await podsOf("agent")).map(({ metadata }) => metadata.uid);
  expect(before.filter(({ metadata }) => after.includes(metadata.uid))).toHaveLength(1);
  await patch("daemonset/agent", { spec: { template: { spec: { nodeSelector: { color: "blue" } } } } });
  await until(async () => (await podsOf("agent")).length === 0, "no pod");
  await cluster.ask("label", "node", "node-2", "color=blue");
  await until(async () => (await podsOf("agent"))[0]?.spec.nodeName === "node-2", "a pod on the node");
  await cluster.ask("delete", "daemonset/agent");
});

test("what somebody writes to a node's capacity can be asked for, and a pod goes for one of more weight", async () => {
  const dongle = "example.com/dongle";
  const capacity = (amount: string | null) =>
    cluster.ask(
      "patch",
      "node",
      "node-2",
      "--subresource",
      "status",
      "-p",
      `{"status":{"capacity":{"${dongle}":${amount}}}}`,
    );
  const allocatable = async () =>
    (await cluster.see<{ status: { allocatable: Record<string, string> } }>("node", "node-2")).status.allocatable[
      dongle
    ];
  await capacity('"2"');
  await until(async () => (await allocatable()) === "2", "the resource");
  const greedy = (name: string, priority: number) => [
    { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value: priority },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { app: "greedy" } },
      spec: {
        priorityClassName: name,
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "c", image, command: idle, resources: { limits: { [dongle]: "2" } } }],
      },
    },
  ];
  await create(...greedy("light", 1));
  await cluster.ask("wait", "--for=condition=Ready", "pod/light", "--timeout", "60s");
  await create(...greedy("heavy", 2));
  await cluster.ask("wait", "--for=condition=Ready", "pod/heavy", "--timeout", "60s");
  expect(await namesOf("greedy")).toEqual(["heavy"]);
  await cluster.ask("delete", "pod/heavy", "priorityclass/light", "priorityclass/heavy");
  await capacity("null");
  await until(async () => (await allocatable()) === undefined, "the end of the resource");
});

interface SeenJob {
  status: {
    succeeded?: number;
    failed?: number;
    completedIndexes?: string;
    failedIndexes?: string;
    conditions?: { type: string; reason: string; message: string }[];
  };
}

const job = (name: string, script: string, spec: object, volumes: object = {}) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: {
    ...spec,
    template: {
      metadata: { labels: { app: name } },
      spec: {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 1,
        ...volumes,
        containers: [
          {
            name: "c",
            image,
            command: ["sh", "-c", script],
            ...("volumes" in volumes ? { volumeMounts: [{ name: "v", mountPath: "/v" }] } : {}),
          },
        ],
      },
    },
  },
});
const ended = (name: string) =>
  eventually(
    async () => {
      const { status } = await cluster.see<SeenJob>("job", name);
      const last = status.conditions?.at(-1);
      return last === undefined || !["Complete", "Failed"].includes(last.type) ? undefined : { ...status, last };
    },
    { what: `the end of ${name}`, timeoutMs: 60_000 },
  );

test("indexed jobs count by index, end as their policies say, and tell why", async () => {
  const indexed = { completionMode: "Indexed", completions: 3, parallelism: 3 };
  const first = "[ $JOB_COMPLETION_INDEX = 0 ] || ";
  const failJob = { action: "FailJob", onExitCodes: { operator: "In", values: [42] } };
  const failIndex = { action: "FailIndex", onExitCodes: { operator: "NotIn", values: [0] } };
  await create(
    job("all", "true", indexed),
    job("one-is-enough", `${first}sleep 600`, { ...indexed, successPolicy: { rules: [{ succeededIndexes: "0" }] } }),
    job("bad-code", "exit 42", { backoffLimit: 3, podFailurePolicy: { rules: [failJob] } }),
    job("bad-index", `${first}exit 1`, {
      ...indexed,
      backoffLimitPerIndex: 2,
      podFailurePolicy: { rules: [failIndex] },
    }),
    job("too-many", "exit 1", { ...indexed, parallelism: 1, backoffLimitPerIndex: 0, maxFailedIndexes: 0 }),
  );
  expect(await ended("all")).toMatchObject({ succeeded: 3, completedIndexes: "0-2", last: { type: "Complete" } });
  expect(await ended("one-is-enough")).toMatchObject({ completedIndexes: "0", last: { reason: "SuccessPolicy" } });
  expect(await ended("bad-code")).toMatchObject({
    failed: 1,
    last: { type: "Failed", reason: "PodFailurePolicy", message: expect.stringContaining("exit code 42") },
  });
  expect(await ended("bad-index")).toMatchObject({
    completedIndexes: "0",
    failedIndexes: "1,2",
    last: { type: "Failed", reason: "FailedIndexes" },
  });
  expect(await ended("too-many")).toMatchObject({ failedIndexes: "0", last: { reason: "MaxFailedIndexesExceeded" } });
});

test("a job does not count a pod that was evicted as a failure, if it is told not to", async () => {
  const rule = { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] };
  const script = "[ -f /v/seen ] && exit 0; touch /v/seen; trap 'exit 1' TERM; sleep 600 & wait";
  const path = `${cluster.folder}/evicted`;
  const volumes = { volumes: [{ name: "v", hostPath: { path, type: "DirectoryOrCreate" } }] };
  await create(job("evicted", script, { backoffLimit: 0, podFailurePolicy: { rules: [rule] } }, volumes));
  const pod = await eventually(async () => (await podsOf("evicted")).find(({ status }) => status.phase === "Running"));
  await eventually(async () => (await cluster.kubectl(["exec", pod.metadata.name, "--", "ls", "/v/seen"])).code === 0);
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod.metadata.name } };
  const url = `/api/v1/namespaces/default/pods/${pod.metadata.name}/eviction`;
  await cluster.kubectl(["create", "--raw", url, "-f", "-"], { input: JSON.stringify(eviction) });
  const { last, failed } = await ended("evicted");
  expect([last.type, failed]).toEqual(["Complete", undefined]);
});

test("sidecars start before what comes after them and end after it, last first", async () => {
  const path = `${cluster.folder}/order`;
  const volumeMounts = [{ name: "v", mountPath: "/v" }];
  const says = (name: string, more: string) => ({ name, image, command: ["sh", "-c", `${more}`], volumeMounts });
  const side = (name: string) => ({
    ...says(
      name,
      `echo ${name} >> /v/log; trap 'echo ${name}-end >> /v/log; exit 0' TERM; while :; do sleep 0.1; done`,
    ),
    restartPolicy: "Always",
    startupProbe: { exec: { command: ["grep", name, "/v/log"] }, periodSeconds: 1 },
  });
  await create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "order" },
    spec: {
      restartPolicy: "Never",
      initContainers: [says("init", "echo init >> /v/log"), side("one"), side("two")],
      containers: [says("main", "echo main >> /v/log")],
      volumes: [{ name: "v", hostPath: { path, type: "DirectoryOrCreate" } }],
    },
  });
  await cluster.ask("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/order", "--timeout", "60s");
  const reader = { ...says("c", "cat /v/log"), volumeMounts };
  const { nodeName } = (await cluster.see<SeenPod>("pod", "order")).spec;
  await create({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "reader" },
    spec: {
      nodeName,
      restartPolicy: "Never",
      containers: [reader],
      volumes: [{ name: "v", hostPath: { path } }],
    },
  });
  await cluster.ask("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/reader", "--timeout", "60s");
  const order = ["init", "one", "two", "main", "two-end", "one-end"];
  expect((await cluster.ask("logs", "reader")).split("\n")).toEqual(order);
});
