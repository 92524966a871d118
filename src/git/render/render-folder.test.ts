import { expect, test } from "vitest";
import { memoryTree } from "./file-tree.ts";
import { renderFolder } from "./render-folder.ts";

const tree = (files: Record<string, string>): ReturnType<typeof memoryTree> =>
  memoryTree(new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])));
const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;

test("folder without a kustomization: all YAML below is rendered, a broken file spoils only itself", () => {
  const { objects, problems } = renderFolder(
    tree({
      "/app/a.yaml": configMap("a"),
      "/app/deep/b.yml": `${configMap("b")}---\n${configMap("c")}`,
      "/app/broken.yaml": "a: [",
      "/app/README.md": "# no",
    }),
    "/app",
  );
  expect(objects.map(({ origin }) => origin)).toEqual(["app/a.yaml", "app/deep/b.yml", "app/deep/b.yml"]);
  expect(problems.map(({ origin }) => origin)).toEqual(["app/broken.yaml"]);
});

test("folder: a directory with its own kustomization is taken as that", () => {
  const files = { "/x/kustomization.yaml": "namePrefix: p-\nresources: [a.yaml]", "/x/a.yaml": configMap("a") };
  const { objects } = renderFolder(tree(files), "/");
  expect(objects).toEqual([
    { origin: "x/a.yaml", object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "p-a" } } },
  ]);
});

test("folder: the overlay of a Flux Kustomization is laid over", () => {
  const { objects } = renderFolder(tree({ "/a.yaml": configMap("a") }), "/", {
    targetNamespace: "team",
    namePrefix: "x-",
    patches: [{ patch: '- {op: add, path: /data, value: {k: "1"}}', target: { kind: "ConfigMap" } }],
    components: ["gone"],
    ignoreMissingComponents: true,
    commonMetadata: { labels: { by: "git" } },
  });
  expect(objects[0]!.object).toEqual({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "x-a", namespace: "team", labels: { by: "git" } },
    data: { k: "1" },
  });
});

test("folder: files beside the folder may be used, links out of the tree may not", () => {
  const files = { "/app/kustomization.yaml": "resources: [../shared.yaml]", "/shared.yaml": configMap("s") };
  expect(renderFolder(tree(files), "/app").objects).toHaveLength(1);
  expect(() => renderFolder(tree({ "/app/kustomization.yaml": "resources: [../../out.yaml]" }), "/app")).toThrow();
});
