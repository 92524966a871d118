/** The client library for Node, as operators use it: informers, watches, objects of any kind. */
import {
  CoreV1Api,
  type Informer,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  makeInformer,
  type ObjectCache,
  PatchStrategy,
  type V1ConfigMap,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster } from "#test/support/cluster.ts";
import { eventually } from "#test/support/process.ts";

const path = "/api/v1/namespaces/default/configmaps";

let cluster: TestCluster;
let config: KubeConfig;
let objects: KubernetesObjectApi;
function connect(): void {
  config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  objects = KubernetesObjectApi.makeApiClient(config);
}
beforeAll(async () => {
  cluster = await TestCluster.create({ flags: ["--disable", "git"] });
  connect();
});
afterAll(async () => await cluster?.remove());

type Note = V1ConfigMap & KubernetesObject;
const note = (name: string, data: Record<string, string> = {}): Note => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default", labels: { kind: "note" } },
  data,
});

function informer(): { informer: Informer<V1ConfigMap> & ObjectCache<V1ConfigMap>; seen: string[]; errors: unknown[] } {
  const api = config.makeApiClient(CoreV1Api);
  const list = async () => await api.listNamespacedConfigMap({ namespace: "default", labelSelector: "kind=note" });
  const made = makeInformer<V1ConfigMap>(config, path, list, "kind=note");
  const seen: string[] = [];
  const errors: unknown[] = [];
  for (const verb of ["add", "update", "delete"] as const)
    made.on(verb, ({ metadata, data }) => seen.push(`${verb} ${metadata?.name} ${data?.["a"] ?? ""}`.trimEnd()));
  made.on("error", (error) => errors.push(error));
  return { informer: made, seen, errors };
}

describe("objects of any kind", () => {
  it("are created, read, listed, replaced, patched, applied and deleted", async () => {
    const created = await objects.create(note("one", { a: "1" }));
    expect(created).toMatchObject({ kind: "ConfigMap", data: { a: "1" } });
    const read = await objects.read<Note>({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" } });
    expect(read.metadata?.uid).toBe(created.metadata?.uid);
    const { items } = await objects.list<Note>(
      "v1",
      "ConfigMap",
      "default",
      undefined,
      undefined,
      undefined,
      undefined,
      "kind=note",
    );
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(["one"]);
    expect((await objects.replace({ ...read, data: { a: "2" } })).data).toEqual({ a: "2" });
    const patched = await objects.patch<Note>({ ...note("one"), data: { b: "3" } });
    expect(patched.data).toEqual({ a: "2", b: "3" });
    const applied = await objects.patch<Note>(
      note("one", { c: "4" }),
      undefined,
      undefined,
      "operator",
      true,
      PatchStrategy.ServerSideApply,
    );
    expect(applied.data).toEqual({ a: "2", b: "3", c: "4" });
    expect(applied.metadata?.managedFields?.find(({ operation }) => operation === "Apply")?.manager).toBe("operator");
    await objects.delete(note("one"));
    await expect(
      objects.read({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one" } }),
    ).rejects.toMatchObject({
      code: 404,
    });
  });
  it("are found by the kind alone, in groups, as reviews and as custom resources", async () => {
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "r", namespace: "default" },
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
    };
    expect(await objects.create(role)).toMatchObject({ rules: role.rules });
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: { verb: "get", resource: "pods" } },
    } as KubernetesObject;
    expect(await objects.create(review)).toMatchObject({ status: { allowed: true } });
    await objects.create({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "tools.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "tools", kind: "Tool" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", properties: { edge: { type: "integer" } } } },
          },
        ],
      },
    } as KubernetesObject);
    const tool = { apiVersion: "example.com/v1", kind: "Tool", metadata: { name: "t", namespace: "default" }, edge: 3 };
    // Discovery of a new kind takes a moment.
    const made = await eventually(async () => await KubernetesObjectApi.makeApiClient(config).create(tool));
    expect(made).toMatchObject({ edge: 3 });
  });
});

describe("an informer", () => {
  it("lists, follows changes and keeps what it saw", async () => {
    const { informer: notes, seen, errors } = informer();
    await objects.create(note("before", { a: "0" }));
    await notes.start();
    await objects.create(note("after", { a: "1" }));
    await objects.patch<Note>(note("after", { a: "2" }));
    await objects.delete(note("before"));
    await objects.delete(note("after"));
    await eventually(async () => seen.length === 5);
    expect(seen).toEqual(["add before 0", "add after 1", "update after 2", "delete before 0", "delete after 2"]);
    expect(notes.list()).toEqual([]);
    await notes.stop();
    expect(errors.filter((error) => (error as Error).name !== "AbortError")).toEqual([]);
  });
  it("goes on after the server went away and came back", async () => {
    const { informer: notes, seen } = informer();
    await objects.create(note("kept", { a: "1" }));
    notes.on("error", () => setTimeout(() => void notes.start().catch(() => {}), 200));
    await notes.start();
    await eventually(async () => seen.includes("add kept 1"));
    await cluster.stopServer();
    await cluster.startServer();
    connect();
    await objects.patch<Note>(note("kept", { a: "2" }));
    await eventually(async () => seen.includes("update kept 2"), { timeoutMs: 60_000, what: "the change to be seen" });
    expect(notes.get("kept", "default")?.data).toEqual({ a: "2" });
    await notes.stop();
    await objects.delete(note("kept"));
  });
  it("begins anew when its version is too old", async () => {
    const { informer: notes, seen } = informer();
    await objects.create(note("old", { a: "1" }));
    Object.assign(notes, { resourceVersion: "1" });
    await notes.start();
    await eventually(async () => seen.includes("add old 1"));
    await notes.stop();
    await objects.delete(note("old"));
  });
});

describe("a watch", () => {
  it("gets events, bookmarks of initial state, and a clean end", async () => {
    await objects.create(note("first"));
    const phases: string[] = [];
    const ended = new Promise<unknown>((resolve) => {
      const options = {
        allowWatchBookmarks: true,
        sendInitialEvents: true,
        resourceVersionMatch: "NotOlderThan",
        labelSelector: "kind=note",
        timeoutSeconds: 2,
      };
      void new Watch(config).watch(
        path,
        options,
        (phase, object) => phases.push(`${phase} ${object.metadata.name ?? ""}`),
        resolve,
      );
    });
    await eventually(async () => phases.length === 2);
    await objects.create(note("second"));
    await ended;
    expect(phases.slice(0, 3)).toEqual(["ADDED first", "BOOKMARK ", "ADDED second"]);
  });
});
