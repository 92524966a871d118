/** Real kubectl and helm against a real node: what a user does on the first day. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster } from "#test/support/cluster.ts";
import { kubectlProgram } from "#test/support/clients.ts";
import { eventually, run, start } from "#test/support/process.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.create({ nodes: 1, flags: ["--disable", "git"] });
});
afterAll(async () => await cluster?.remove());

const web = (greeting: string, replicas = 2) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: localhost/busybox:1
          command: [sh, -c, "mkdir /tmp/www && echo ${greeting} > /tmp/www/index.html && echo serving ${greeting} && exec httpd -f -p 8080 -h /tmp/www"]
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
`;
interface Pod {
  metadata: { name: string; deletionTimestamp?: string };
  status: { phase: string };
}
const kubectl = async (...args: string[]) => {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
};
/** One that runs and that nobody deletes. */
const podName = async () => {
  const pods = await cluster.see<{ items: Pod[] }>("pods", "-l", "app=web");
  const pod = pods.items.find(({ metadata, status }) => {
    return metadata.deletionTimestamp === undefined && status.phase === "Running";
  });
  if (pod === undefined) throw new Error("no pod of web runs");
  return pod.metadata.name;
};

describe("kubectl", () => {
  it("applies, waits and follows a rollout", async () => {
    await cluster.apply(web("one"));
    expect(await kubectl("rollout", "status", "deployment/web", "--timeout=60s")).toContain(
      'deployment "web" successfully rolled out',
    );
    expect(await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=10s")).toContain(
      "condition met",
    );
    expect(await kubectl("get", "deployment", "web")).toMatch(/web\s+2\/2\s+2\s+2/);
  });
  it("describes, explains, labels, annotates", async () => {
    expect(await kubectl("describe", "deployment", "web")).toContain(
      "2 desired | 2 updated | 2 total | 2 available | 0 unavailable",
    );
    expect(await kubectl("describe", "pod", await podName())).toMatch(/Started\s+\d+s/);
    expect(await kubectl("explain", "deployment.spec.replicas")).toContain("FIELD: replicas <integer>");
    expect(await kubectl("label", "deployment", "web", "tier=front")).toContain("labeled");
    expect(await kubectl("annotate", "deployment", "web", "note=x")).toContain("annotated");
  });
  it("executes, with exit codes and standard input", async () => {
    expect(await kubectl("exec", await podName(), "--", "echo", "inside")).toBe("inside\n");
    expect((await cluster.kubectl(["exec", await podName(), "--", "sh", "-c", "exit 7"])).code).toBe(7);
    expect((await cluster.kubectl(["exec", "-i", await podName(), "--", "cat"], { input: "through\n" })).stdout).toBe(
      "through\n",
    );
  });
  it("reads and follows logs", async () => {
    expect(await kubectl("logs", await podName())).toBe("serving one\n");
    await cluster.apply(
      "apiVersion: v1\nkind: Pod\nmetadata: { name: ticker }\nspec: { restartPolicy: Never, containers: [{ name: c, image: 'localhost/busybox:1', command: [sh, -c, 'for i in 1 2 3 4 5; do echo tick $i; sleep 0.3; done'] }] }\n",
    );
    await kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/ticker", "--timeout=30s");
    expect(await kubectl("logs", "-f", "ticker")).toBe("tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n");
  });
  it("forwards a port", async () => {
    const forward = start(
      [await kubectlProgram(), "--kubeconfig", cluster.kubeconfig, "port-forward", "service/web", "18080:80"],
      { netns: cluster.netns },
    );
    try {
      const answer = await eventually(
        async () =>
          (await run(["curl", "-fsS", "http://127.0.0.1:18080/"], { netns: cluster.netns })).stdout || undefined,
      );
      expect(answer).toBe("one\n");
    } finally {
      await forward.stop();
    }
  });
  it("reaches the Service by its address and by its name from a pod", async () => {
    const address = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
    expect((await run(["curl", "-fsS", `http://${address}/`], { netns: cluster.netns })).stdout).toBe("one\n");
    expect(await kubectl("exec", await podName(), "--", "wget", "-qO-", "http://web.default.svc.cluster.local/")).toBe(
      "one\n",
    );
  });
  it("changes, shows history, undoes", async () => {
    await cluster.apply(web("two"));
    await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    expect(await kubectl("rollout", "history", "deployment/web")).toMatch(/1\s+<none>\n2\s+<none>/);
    expect(await kubectl("rollout", "undo", "deployment/web")).toContain("rolled back");
    await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    await eventually(async () => (await kubectl("logs", await podName())).includes("serving one"));
  });
  it("scales and diffs", async () => {
    expect(await kubectl("scale", "deployment/web", "--replicas=3")).toContain("scaled");
    await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
    const diff = await cluster.kubectl(["diff", "-f", "-"], { input: web("three") });
    expect([diff.code, diff.stdout.includes("echo three")]).toEqual([1, true]);
  });
  it("applies on the server's side, with conflicts", async () => {
    const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ssa }\ndata: { a: '1' }\n";
    expect(
      (await cluster.kubectl(["apply", "--server-side", "--field-manager=one", "-f", "-"], { input: manifest })).stdout,
    ).toContain("serverside-applied");
    const conflict = await cluster.kubectl(["apply", "--server-side", "--field-manager=two", "-f", "-"], {
      input: manifest.replace("'1'", "'2'"),
    });
    expect(conflict.stderr).toContain('conflict with "one": .data.a');
  });
  it("edits with an editor", async () => {
    const editor = join(cluster.folder, "editor");
    writeFileSync(editor, '#!/bin/sh\nsed -i \'s/^  a: .*/  a: "9"/\' "$1"\n', { mode: 0o755 });
    const { stdout } = await cluster.kubectl(["edit", "configmap", "ssa"], { env: { KUBE_EDITOR: editor } });
    expect(stdout).toContain("edited");
  });
  it("runs a pod for once, with input, and takes its exit code", async () => {
    const { stdout } = await cluster.kubectl(
      ["run", "once", "--image=localhost/busybox:1", "--restart=Never", "--rm", "-i", "--quiet", "--", "cat"],
      { input: "through and back\n" },
    );
    expect(stdout).toContain("through and back\n");
    await eventually(async () => (await kubectl("get", "pods", "-o", "name")).includes("once") === false);
  });
  it("copies files in and out", async () => {
    const pod = await podName();
    writeFileSync(join(cluster.folder, "there"), "carried\n");
    await kubectl("cp", join(cluster.folder, "there"), `${pod}:/tmp/there`);
    expect(await kubectl("exec", pod, "--", "cat", "/tmp/there")).toBe("carried\n");
    await kubectl("cp", `${pod}:/tmp/there`, join(cluster.folder, "back"));
    expect(readFileSync(join(cluster.folder, "back"), "utf8")).toBe("carried\n");
  });
  it("looks into a pod with another container", async () => {
    const pod = await podName();
    const look = ["--image=localhost/busybox:1", "--container=look", "--target=web", "--profile=general"];
    await kubectl("debug", `pod/${pod}`, ...look, "--", "sh", "-c", "ps; echo looked");
    const logs = await eventually(async () => {
      const { stdout } = await cluster.kubectl(["logs", pod, "-c", "look"]);
      return stdout.includes("looked") ? stdout : undefined;
    });
    expect(logs).toContain("httpd -f -p 8080");
  });
  it("empties a node only as budgets allow", async () => {
    await cluster.apply(
      "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: web }\nspec: { minAvailable: 3, selector: { matchLabels: { app: web } } }\n",
    );
    await eventually(
      async () => (await kubectl("get", "pdb", "web", "-o", "jsonpath={.status.currentHealthy}")) === "3",
    );
    const drain = ["drain", "node-1", "--ignore-daemonsets", "--force", "--pod-selector=app=web", "--timeout=3s"];
    const refused = await cluster.kubectl(drain);
    expect([refused.code, refused.stderr.includes("violate the pod's disruption budget")]).toEqual([1, true]);
    await kubectl("delete", "pdb", "web");
    expect(await kubectl("uncordon", "node-1")).toContain("uncordoned");
  });
  it("deletes, and what belonged to it goes too", async () => {
    await kubectl("delete", "deployment", "web", "--timeout=60s");
    await eventually(async () => (await kubectl("get", "pods", "-l", "app=web", "-o", "name")) === "", {
      what: "pods to be gone",
    });
    expect(await kubectl("get", "replicasets", "-o", "name")).toBe("");
  });
});

describe("helm", () => {
  const chart = () => join(cluster.folder, "chart");
  beforeAll(() => {
    const write = (name: string, text: string) => {
      mkdirSync(join(chart(), name, ".."), { recursive: true });
      writeFileSync(join(chart(), name), text);
    };
    write("Chart.yaml", "apiVersion: v2\nname: demo\nversion: 1.0.0\n");
    write("values.yaml", "greeting: helm-one\n");
    write(
      "templates/config.yaml",
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: "{{ .Release.Name }}" }\ndata: { greeting: "{{ .Values.greeting }}" }\n',
    );
    write(
      "templates/rbac.yaml",
      'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: "{{ .Release.Name }}" }\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: "{{ .Release.Name }}" }\nrules: [{ apiGroups: [""], resources: [configmaps], verbs: [get] }]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: "{{ .Release.Name }}" }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: "{{ .Release.Name }}" }\nsubjects: [{ kind: ServiceAccount, name: "{{ .Release.Name }}" }]\n',
    );
    write(
      "templates/web.yaml",
      web("{{ .Values.greeting }}", 1)
        .replaceAll("name: web,", 'name: "{{ .Release.Name }}",')
        .replace("name: web }", 'name: "{{ .Release.Name }}" }'),
    );
    write(
      "templates/hook.yaml",
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: "{{ .Release.Name }}-hook"\n  annotations: { helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation }\nspec:\n  restartPolicy: Never\n  containers: [{ name: c, image: "localhost/busybox:1", command: [sh, -c, "echo hook ran"] }]\n',
    );
  });
  const helm = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.helm(args);
    if (code !== 0) throw new Error(`helm ${args.join(" ")}: ${stderr}${stdout}`);
    return stdout;
  };
  const greeting = async () => await kubectl("get", "configmap", "shop", "-o", "jsonpath={.data.greeting}");

  it("installs with a hook and waits", async () => {
    expect(await helm("install", "shop", chart(), "--wait", "--timeout", "90s")).toContain("STATUS: deployed");
    expect([await greeting(), await kubectl("logs", "shop-hook")]).toEqual(["helm-one", "hook ran\n"]);
  });
  it("upgrades, rolls back, uninstalls", async () => {
    await helm("upgrade", "shop", chart(), "--set", "greeting=helm-two", "--wait", "--timeout", "90s");
    expect(await greeting()).toBe("helm-two");
    await helm("rollback", "shop", "1", "--wait", "--timeout", "90s");
    expect(await greeting()).toBe("helm-one");
    await helm("uninstall", "shop", "--wait", "--timeout", "90s");
    expect((await cluster.kubectl(["get", "configmap", "shop"])).code).toBe(1);
  });
});
