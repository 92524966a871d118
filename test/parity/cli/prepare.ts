/** Brings the fixture into a cluster and writes the files that cases name by a word in capitals. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "#test/support/process.ts";
import { type Target, runKubectl } from "./compare.ts";
import { customObjects, events, namespace, objects, statuses } from "./fixture.ts";

const files: Readonly<Record<string, string>> = {
  FIXTURE: `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: corpus}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: corpus}
`,
  SAME: `
apiVersion: v1
kind: ConfigMap
metadata: {name: empty, namespace: corpus}
`,
  CHANGED: `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: corpus, labels: {app: web}, annotations: {description: "colours of the page"}}
data: {colour: red, size: large}
`,
  NEW: `
apiVersion: v1
kind: ConfigMap
metadata: {name: fresh, namespace: corpus}
data: {a: b}
`,
};

/** FIXTURE → the path of that file. */
export function withFiles(line: string, folder: string): string {
  return line.replace(/(?<=-f |--filename=)(FIXTURE|SAME|CHANGED|NEW)\b/g, (name) =>
    join(folder, `${name.toLowerCase()}.yaml`),
  );
}

async function must(target: Target, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await runKubectl(target, { args, ...(input === undefined ? {} : { input }) });
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

export async function prepare(target: Target): Promise<void> {
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(target.folder, `${name.toLowerCase()}.yaml`), text);
  await eventually(
    async () => (await runKubectl(target, { args: ["get", "sa", "default", "-n", "default"] })).code === 0,
  );
  await must(target, ["apply", "--server-side", "--field-manager=fixture", "-f", "-"], objects);
  await must(target, ["wait", "crd/boats.example.com", "--for=condition=Established", "--timeout=30s"]);
  await eventually(
    async () =>
      (await runKubectl(target, { args: ["apply", "--server-side", "-f", "-"], input: customObjects })).code === 0,
  );
  for (const { kind, name, status, namespaced } of statuses) {
    const where = namespaced ? ["-n", namespace] : [];
    await must(target, [
      "patch",
      kind,
      name,
      ...where,
      "--subresource=status",
      "--type=merge",
      "-p",
      JSON.stringify({ status }),
    ]);
  }
  const uid = await must(target, ["get", "pod", "web", "-n", namespace, "-o", "jsonpath={.metadata.uid}"]);
  await must(target, ["apply", "--server-side", "-f", "-"], events.replaceAll("WEB-UID", uid));
  await eventually(async () =>
    /replicas":2/.test(await must(target, ["get", "deploy", "shop", "-n", namespace, "-o", "jsonpath={.status}"])),
  );
}
