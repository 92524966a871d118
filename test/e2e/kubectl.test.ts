/** Real kubectl against a control plane without nodes: every kind, and the commands that need no container. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestCluster } from "#test/support/cluster.ts";
import { kubectlProgram } from "#test/support/clients.ts";
import { eventually, root, start } from "#test/support/process.ts";

const manifests = join(root, "test/e2e/manifests");

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.create({ flags: ["--disable", "git"] });
  await eventually(async () => (await cluster.kubectl(["get", "serviceaccount", "default"])).code === 0);
});
afterAll(async () => await cluster?.remove());

const kubectl = async (...args: string[]) => {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
};
const words = async (line: string) => await kubectl(...line.split(" "));
/** `verbs` of each kind that is served: its plural, its group and version, its name. */
async function kinds(verbs: string): Promise<{ name: string; apiVersion: string; kind: string }[]> {
  const table = await kubectl("api-resources", `--verbs=${verbs}`, "--no-headers");
  return table
    .trim()
    .split("\n")
    .map((line) => {
      const cells = line.trim().split(/\s+/);
      const [apiVersion, , kind] = cells.slice(-3) as [string, string, string];
      return { name: cells[0]!, apiVersion, kind };
    });
}
const nobody = (name: string, more = "") =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: { ${more}terminationGracePeriodSeconds: 0, containers: [{ name: c, image: busybox }] }\n`;

describe("every kind", () => {
  it("is created, small and large, with the warnings that are due", async () => {
    await cluster.apply(nobody("unbound", "schedulerName: nobody, "));
    const text = readdirSync(manifests).map((file) => readFileSync(join(manifests, file), "utf8"));
    const documents = text.flatMap((one) => one.split(/^---$/m)).map((one) => one.trim());
    const warnings = documents.flatMap((one) => [...one.matchAll(/^# warns: (.+)$/gm)].map(([, warning]) => warning!));
    const { code, stdout, stderr } = await cluster.kubectl(["create", "--dry-run=server", "-f", manifests]);
    expect({ code, stderr: new Set(stderr.trim().split("\n")) }).toEqual({
      code: 0,
      stderr: new Set(warnings.map((warning) => `Warning: ${warning}`)),
    });
    expect(stdout.trim().split("\n")).toHaveLength(documents.length);
  });
  it("has a manifest", async () => {
    const text = readdirSync(manifests).map((file) => readFileSync(join(manifests, file), "utf8"));
    const written = new Set(
      [...text.join("\n").matchAll(/^apiVersion: (\S+)\nkind: (\S+)$/gm)].map(
        ([, apiVersion, kind]) => `${apiVersion} ${kind}`,
      ),
    );
    const missing = (await kinds("create")).map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);
    expect(missing.filter((one) => !written.has(one))).toEqual([]);
  });
  it("is explained, with all its fields", async () => {
    const all = await kinds("");
    expect(all.length).toBeGreaterThan(60);
    for (const { name, apiVersion, kind } of all) {
      const text = await kubectl("explain", "--recursive", name, `--api-version=${apiVersion}`);
      expect(text).toMatch(new RegExp(`KIND: +${kind}\\n`));
      expect(text).toContain("FIELDS:");
    }
  });
  it("is listed as a table, widely too", async () => {
    for (const { name, apiVersion } of await kinds("list")) {
      const [group = "", version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
      const resource = group === "" ? name : `${name}.${version}.${group}`;
      const { code, stderr } = await cluster.kubectl(["get", resource, "-A", "-o", "wide"]);
      expect({ resource, code, stderr: stderr.replace(/^Warning: .*\n|^No resources found\n/gm, "") }).toEqual({
        resource,
        code: 0,
        stderr: "",
      });
    }
  });
});

describe("questions", () => {
  it("says who asks and what they may", async () => {
    expect(await words("auth whoami")).toContain("system:masters");
    expect(await words("auth can-i --list")).toMatch(/\*\.\*\s+\[]\s+\[]\s+\[\*]/);
    expect(await words("auth can-i delete nodes")).toBe("yes\n");
    const refused = await cluster.kubectl(["auth", "can-i", "get", "secrets", "--as=jane"]);
    expect([refused.code, refused.stdout]).toEqual([1, "no\n"]);
  });
  it("gives tokens that are accepted", async () => {
    const token = (await words("create token default --duration=10m")).trim();
    const { stdout } = await cluster.kubectl(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"], {});
    expect(stdout).toBe("kubernetes-admin");
    const review = `apiVersion: authentication.k8s.io/v1\nkind: TokenReview\nspec: { token: ${token} }\n`;
    const answer = await cluster.kubectl(["create", "-o", "yaml", "-f", "-"], { input: review });
    expect(answer.stdout).toContain("username: system:serviceaccount:default:default");
  });
  it("tells of the cluster", async () => {
    expect(await words("version")).toContain("Server Version: v1.36");
    expect(await words("cluster-info")).toContain("Kubernetes control plane");
    expect((await words("api-versions")).split("\n")).toEqual(
      expect.arrayContaining(["apps/v1", "autoscaling/v1", "v1"]),
    );
    expect(await words("get --raw /readyz?verbose")).toContain("readyz check passed");
    expect(await words("get --raw /")).toContain('"/apis/apps/v1"');
    expect(await words("get componentstatuses")).toMatch(/etcd-0\s+Healthy\s+ok/);
    expect((await cluster.kubectl(["top", "nodes"])).stderr).toBe("error: Metrics API not available\n");
  });
  it("stands behind a proxy", async () => {
    const proxy = start([await kubectlProgram(), "--kubeconfig", cluster.kubeconfig, "proxy", "--port=0"]);
    try {
      const address = await eventually(async () => /Starting to serve on (\S+)/.exec(proxy.output())?.[1]);
      const answer = await fetch(`http://${address}/api/v1/namespaces/default`);
      expect(await answer.json()).toMatchObject({ kind: "Namespace", metadata: { name: "default" } });
    } finally {
      await proxy.stop();
    }
  });
  it("shows what changes while it looks", async () => {
    const watch = start([
      await kubectlProgram(),
      "--kubeconfig",
      cluster.kubeconfig,
      "get",
      "configmaps",
      "--watch",
      "--output-watch-events",
    ]);
    try {
      await eventually(async () => watch.output().includes("ADDED"));
      await words("create configmap seen --from-literal=a=1");
      await words("label configmap seen tier=x");
      await words("delete configmap seen");
      const lines = async () =>
        watch
          .output()
          .split("\n")
          .filter((line) => /\sseen\s/.test(line));
      await eventually(async () => (await lines()).length === 3);
      expect((await lines()).map((line) => line.split(/\s+/)[0])).toEqual(["ADDED", "MODIFIED", "DELETED"]);
    } finally {
      await watch.stop();
    }
  });
});

describe("changes", () => {
  it("sets what a deployment runs", async () => {
    await words("create deployment web --image=busybox:1 --replicas=2 --port=80");
    expect(await words("set image deployment/web busybox=busybox:2")).toContain("image updated");
    expect(await words("set env deployment/web A=b")).toContain("env updated");
    expect(await words("set resources deployment/web --limits=cpu=100m")).toContain("resource requirements updated");
    expect(await words("set serviceaccount deployment/web default")).toContain("serviceaccount updated");
    expect(
      await words(
        "get deployment web -o jsonpath={.spec.template.spec.containers[0]['image','env','resources.limits.cpu']}",
      ),
    ).toBe('busybox:2 [{"name":"A","value":"b"}] 100m');
    expect(await words("set subject clusterrolebinding/cluster-admin --user=jane --dry-run=server")).toContain(
      "updated",
    );
  });
  it("exposes and scales it", async () => {
    expect(await words("expose deployment web --port=80 --target-port=8080")).toContain("service/web exposed");
    expect(await words("autoscale deployment web --min=2 --max=3 --cpu=50%")).toContain("autoscaled");
    expect(await words("get hpa web")).toMatch(/Deployment\/web\s+cpu: <unknown>\/50%\s+2\s+3/);
    expect(await words("scale deployment web --replicas=3 --current-replicas=2")).toContain("scaled");
    expect(await words("get all")).toContain("deployment.apps/web");
  });
  it("rolls back, pauses, restarts", async () => {
    expect(await words("rollout history deployment/web --revision=1")).toContain("busybox:1");
    expect(await words("rollout undo deployment/web --to-revision=1")).toContain("rolled back");
    expect(await words("get deployment web -o jsonpath={.spec.template.spec.containers[0].image}")).toBe("busybox:1");
    for (const verb of ["pause", "resume", "restart"])
      expect(await words(`rollout ${verb} deployment/web`)).toMatch(verb);
  });
  it("waits for values, conditions, births and deaths", async () => {
    expect(await words("wait deployment/web --for=jsonpath={.status.replicas} --timeout=20s")).toContain(
      "condition met",
    );
    expect(await words("wait deployment/web --for=jsonpath={.spec.replicas}=3 --timeout=20s")).toContain(
      "condition met",
    );
    expect(await words("wait deployment/web --for=condition=Available=false --timeout=20s")).toContain("condition met");
    const born = cluster.kubectl(["wait", "configmap/later", "--for=create", "--timeout=20s"]);
    await words("create configmap later");
    expect((await born).stdout).toContain("condition met");
    const gone = cluster.kubectl(["wait", "configmap/later", "--for=delete", "--timeout=20s"]);
    await words("delete configmap later");
    expect((await gone).code).toBe(0);
  });
  it("approves a certificate, which is then signed", async () => {
    const documents = readFileSync(join(manifests, "extension.yaml"), "utf8").split(/^---$/m);
    const request = documents.find((one) => /kind: CertificateSigningRequest/.test(one) && /name: full/.test(one))!;
    await cluster.apply(request);
    expect(await words("certificate approve full")).toContain("approved");
    await words("wait csr/full --for=jsonpath={.status.certificate} --timeout=20s");
    expect(await words("get csr full")).toMatch(/Approved,Issued/);
  });
  it("keeps a node for itself and empties it", async () => {
    await cluster.apply("apiVersion: v1\nkind: Node\nmetadata: { name: spare }\n");
    await cluster.apply(nobody("guest", "nodeName: spare, "));
    expect(await words("taint node spare dedicated=ci:NoSchedule")).toContain("tainted");
    expect(await words("taint node spare dedicated-")).toContain("untainted");
    expect(await words("cordon spare")).toContain("cordoned");
    expect(await words("drain spare --force --ignore-daemonsets --timeout=20s")).toContain("pod/guest evicted");
    expect(await words("uncordon spare")).toContain("uncordoned");
  });
  it("adds a container to look into a pod", async () => {
    const { code, stderr } = await cluster.kubectl([
      "debug",
      "pod/unbound",
      "--image=busybox",
      "--container=look",
      "--profile=general",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(await words("get pod unbound -o jsonpath={.spec.ephemeralContainers[*].name}")).toBe("look");
  });
  it("tells what happened", async () => {
    await eventually(async () => (await words("events --for deployment/web")).includes("ScalingReplicaSet"));
    expect(await words("events --types=Normal")).toMatch(/LAST SEEN\s+TYPE\s+REASON/);
  });
});
