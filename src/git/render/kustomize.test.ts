import { describe, expect, test } from "vitest";
import { memoryTree, type TreeEntry } from "./file-tree.ts";
import { objectsToYaml, renderKustomization } from "./kustomize.ts";

function render(files: Record<string, string>, directory = "/"): string {
  const entries = Object.entries(files).map(([path, text]) => [`/${path}`, Buffer.from(text)] as const);
  return objectsToYaml(renderKustomization(memoryTree(new Map(entries)), directory));
}

const configMap = (name: string, more = ""): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}`;
const pod = `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: main
    image: registry:5000/app:1
    envFrom:
    - configMapRef: {name: settings}
  - name: side
    image: side:2
`;

/** Renders one pod and gives the lines that hold the text. */
const linesWith = (output: string, text: string): string[] =>
  output
    .split("\n")
    .filter((line) => line.includes(text))
    .map((line) => line.trim());

describe("resources", () => {
  test("keys come out sorted, types as YAML 1.2 has them", () => {
    const output = render({
      "kustomization.yaml": "resources: [a.yaml]",
      "a.yaml": configMap("a", 'data: {z: yes, b: 012, a: "1", t: 2024-01-02, f: 1e3}'),
    });
    expect(output).toBe(
      configMap("a").replace(
        "kind",
        'data:\n  a: "1"\n  b: 10\n  f: 1000\n  t: "2024-01-02T00:00:00Z"\n  z: "yes"\nkind',
      ),
    );
  });

  test("lists are taken apart and everything is ordered by kind", () => {
    const output = render({
      "kustomization.yaml": "resources: [list.yaml]",
      "list.yaml": `kind: ConfigMapList\napiVersion: v1\nitems:\n- ${configMap("b").replaceAll("\n", "\n  ").trim()}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n`,
    });
    expect(linesWith(output, "kind:")).toEqual(["kind: Namespace", "kind: ConfigMap"]);
  });

  test.each([
    [
      "the same object twice",
      { "kustomization.yaml": "resources: [a.yaml, b.yaml]", "a.yaml": configMap("a"), "b.yaml": configMap("a") },
    ],
    ["a file above the directory", { "kustomization.yaml": "resources: [../a.yaml]", "../a.yaml": configMap("a") }],
    [
      "a base that contains the directory",
      { "x/kustomization.yaml": "resources: [..]", "kustomization.yaml": "resources: [x]" },
    ],
    ["an empty kustomization", { "kustomization.yaml": "" }],
    ["an unknown field", { "kustomization.yaml": "resources: []\nresorces: []" }],
    ["two kustomization files", { "kustomization.yaml": "resources: []", Kustomization: "resources: []" }],
    ["a remote base", { "kustomization.yaml": "resources: ['https://example.com/a/b']" }],
    ["a resource without a name", { "kustomization.yaml": "resources: [a.yaml]", "a.yaml": "kind: A\napiVersion: v1" }],
  ])("%s is refused", (_, files) => {
    expect(() => render(files as unknown as Record<string, string>)).toThrow();
  });

  test("a link out of the tree is not followed", () => {
    const tree = memoryTree(
      new Map<string, TreeEntry>([
        ["/app/kustomization.yaml", Buffer.from("resources: [a.yaml]")],
        ["/app/a.yaml", { link: "../../etc/passwd" }],
      ]),
    );
    expect(() => renderKustomization(tree, "/app")).toThrow(/no such file/);
  });

  test("aliases that unfold without end are refused", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${["b", "c", "d", "e", "f", "g"].map((name, index) => `${name}: &${name} [${Array(10).fill(`*${"abcdef"[index]}`).join(",")}]`).join("\n")}`;
    const files = {
      "kustomization.yaml": "resources: [a.yaml]",
      "a.yaml": `${configMap("a")}spec:\n${bomb.replace(/^/gm, "  ")}\n`,
    };
    expect(() => render(files)).toThrow(/excessive aliasing/);
  });
});

describe("names and references", () => {
  test("references follow prefix, suffix, hash and namespace", () => {
    const output = render({
      "kustomization.yaml":
        "namePrefix: p-\nnameSuffix: -s\nnamespace: team\nresources: [pod.yaml]\nconfigMapGenerator: [{name: settings, literals: [a=1]}]",
      "pod.yaml": pod,
    });
    const [generated] = linesWith(output, "name: p-settings-s-");
    expect(linesWith(output, "p-settings-s-")).toEqual([generated, generated]);
    expect(linesWith(output, "namespace:")).toEqual(["namespace: team", "namespace: team"]);
  });

  test("a namespace that makes two objects one is refused", () => {
    const b = configMap("a").replace("name: a", "name: a\n  namespace: b");
    const files = {
      "kustomization.yaml": "namespace: x\nresources: [a.yaml, b.yaml]",
      "a.yaml": configMap("a"),
      "b.yaml": b,
    };
    expect(() => render(files)).toThrow(/ID conflict/);
  });

  test("an overlay finds its base's objects by their old names", () => {
    const output = render(
      {
        "base/kustomization.yaml": "namePrefix: base-\nresources: [pod.yaml, cm.yaml]",
        "base/pod.yaml": pod,
        "base/cm.yaml": configMap("settings"),
        "over/kustomization.yaml": "namePrefix: over-\nresources: [../base]",
      },
      "/over",
    );
    expect(linesWith(output, "settings")).toEqual(["name: over-base-settings", "name: over-base-settings"]);
  });

  test("configurations add references of own kinds", () => {
    const output = render({
      "kustomization.yaml": "namePrefix: p-\nresources: [a.yaml]\nconfigurations: [c.yaml]",
      "c.yaml": "nameReference: [{kind: ConfigMap, version: v1, fieldSpecs: [{path: spec/config, kind: Thing}]}]",
      "a.yaml": `${configMap("a")}---\napiVersion: x/v1\nkind: Thing\nmetadata: {name: t}\nspec: {config: a}\n`,
    });
    expect(linesWith(output, "config: ")).toEqual(["config: p-a"]);
  });
});

describe("patches", () => {
  const patched = (patch: string, more = ""): string =>
    render({
      "kustomization.yaml": `resources: [pod.yaml]\npatches:\n- path: p.yaml\n${more}`,
      "pod.yaml": pod,
      "p.yaml": patch,
    });
  const podPatch = (spec: string): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: ${spec}\n`;

  test("containers merge by name, new ones come first", () => {
    const output = patched(podPatch("{containers: [{name: new, image: new}, {name: side, image: changed}]}"));
    expect(linesWith(output, "image:")).toEqual(["- image: new", "- image: changed", "image: registry:5000/app:1"]);
  });

  test("directives and null delete", () => {
    expect(linesWith(patched(podPatch("{containers: [{name: side, $patch: delete}]}")), "image:")).toHaveLength(1);
    expect(linesWith(patched(podPatch("{containers: [{name: main, envFrom: null}]}")), "envFrom")).toEqual([]);
    expect(patched("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n$patch: delete\n")).toBe("");
  });

  test("JSON operations work on the objects a target selects", () => {
    const output = patched("- {op: replace, path: /spec/containers/1/image, value: j}", "  target: {kind: P.*}");
    expect(linesWith(output, "image: j")).toHaveLength(1);
    expect(() => patched("- {op: remove, path: /spec/none}", "  target: {kind: Pod}")).toThrow(/nonexistent key/);
  });

  test("a patch for an object that is not there is refused, a target that selects nothing is not", () => {
    expect(() => patched(podPatch("{}").replace("web", "other"))).toThrow(/no matches/);
    expect(linesWith(patched(podPatch("{hostNetwork: true}"), "  target: {name: other}"), "hostNetwork")).toEqual([]);
  });

  test("the name changes only when the patch may change it", () => {
    const patch = podPatch("{}").replace("web", "renamed");
    expect(linesWith(patched(patch, "  target: {name: web}"), "name: renamed")).toEqual([]);
    expect(
      linesWith(patched(patch, "  target: {name: web}\n  options: {allowNameChange: true}"), "name: renamed"),
    ).toHaveLength(1);
  });
});

describe("other transformers", () => {
  const withFields = (fields: string, extra: Record<string, string> = {}): string =>
    render({ "kustomization.yaml": `resources: [pod.yaml]\n${fields}`, "pod.yaml": pod, ...extra });

  test("images change by name, the registry's port is no tag", () => {
    const output = withFields(
      "images: [{name: 'registry:5000/app', newTag: '2'}, {name: side, newName: other, digest: 'sha256:ab'}]",
    );
    expect(linesWith(output, "image:")).toEqual(["image: registry:5000/app:2", "- image: other@sha256:ab"]);
  });

  test("labels reach templates and selectors only when asked", () => {
    const output = withFields("labels: [{pairs: {a: b}}]\ncommonAnnotations: {note: '1'}");
    expect(linesWith(output, "a: b")).toEqual(["a: b"]);
    expect(linesWith(output, "note: ")).toEqual(['note: "1"']);
  });

  test("replacements copy values and keep the target's type", () => {
    const output = withFields(
      "replacements:\n- source: {kind: ConfigMap, fieldPath: data.v}\n  targets: [{select: {kind: Pod}, fieldPaths: ['spec.containers.[name=main].image'], options: {delimiter: ':', index: 2}}]\ncomponents: [c]",
      {
        "c/kustomization.yaml": "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [cm.yaml]",
        "c/cm.yaml": configMap("v", "data: {v: '9'}"),
      },
    );
    expect(linesWith(output, "app:")).toEqual(["image: registry:5000/app:9"]);
  });

  test("variables keep their type when they are the whole text", () => {
    const output = withFields(
      "vars: [{name: NAME, objref: {kind: Pod, version: v1, name: web}, fieldref: {fieldPath: 'spec.containers[0].name'}}]\ncommonAnnotations: {a: 'x-$(NAME)-y $$(NAME) $(M)'}",
    );
    expect(linesWith(output, "a: ")).toEqual(["a: x-main-y $(NAME) $(M)"]);
  });

  test("a transformer in a file does what a field does", () => {
    const output = withFields("transformers: [t.yaml]", {
      "t.yaml":
        "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: t}\nprefix: q-\nfieldSpecs: [{path: metadata/name}]",
    });
    expect(linesWith(output, "name: q-")).toEqual(["name: q-web"]);
  });

  test("origins are noted when buildMetadata asks", () => {
    expect(withFields("buildMetadata: [originAnnotations]")).toContain(
      "config.kubernetes.io/origin: |\n      path: pod.yaml\n",
    );
  });
});

describe("generators", () => {
  const generated = (entry: string, files: Record<string, string> = {}): string =>
    render({
      "kustomization.yaml": `generatorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator: [${entry}]`,
      ...files,
    });

  test("literals lose their quotes, env files keep them", () => {
    const output = generated("{name: a, literals: ['l=\"q\"'], envs: [e]}", { e: '# no\n\nk="v"\nbare\n' });
    expect(output).toBe(configMap("a").replace("kind", 'data:\n  bare: ""\n  k: \'"v"\'\n  l: q\nkind'));
  });

  test("a base's map is merged into, and the hash follows the content", () => {
    const files = {
      "base/kustomization.yaml": "configMapGenerator: [{name: a, literals: [x=1]}]",
      "over/kustomization.yaml":
        "resources: [../base]\nconfigMapGenerator: [{name: a, behavior: merge, literals: [y=2]}]",
    };
    const [base, over] = [render(files, "/base"), render(files, "/over")];
    expect(over).toContain('data:\n  x: "1"\n  "y": "2"\n');
    expect(linesWith(base, "name:")).not.toEqual(linesWith(over, "name:"));
  });

  test.each([
    "{name: a, literals: [x]}",
    "{name: a, files: [none]}",
    "{name: a, literals: [x=1, x=2]}",
    "{name: a, behavior: merge}",
  ])("%s is refused", (entry) => {
    expect(() => generated(entry)).toThrow();
  });
});
