import { describe, expect, test } from "vitest";
import { kubeconfigCandidates, kubeconfigText, parseKubeconfig } from "./kubeconfig.ts";

const text = `
current-context: one
contexts:
  - {name: one, context: {cluster: c, user: u}}
  - {name: two, context: {cluster: c, user: u, namespace: apps}}
  - {name: broken, context: {cluster: nowhere, user: u}}
clusters:
  - {name: c, cluster: {server: "https://host:6443", certificate-authority-data: Q0E=}}
users:
  - {name: u, user: {token: secret}}
`;

describe("kubeconfig", () => {
  test("the current context counts unless another is named", () => {
    expect(parseKubeconfig(text, "config")).toMatchObject({
      connection: { server: "https://host:6443", ca: "CA", token: "secret" },
      namespace: "default",
      context: "one",
    });
    expect(parseKubeconfig(text, "config", { context: "two" }).namespace).toBe("apps");
  });

  test("says what is missing", () => {
    expect(() => parseKubeconfig(text, "config", { context: "three" })).toThrow("config has no context three");
    expect(() => parseKubeconfig(text, "config", { context: "broken" })).toThrow("config has no cluster nowhere");
    expect(() => parseKubeconfig("{}", "config")).toThrow("config names no current context");
  });

  test("what is written is read back", () => {
    const connection = { server: "https://host:1", ca: "ca", cert: "cert", key: "key" };
    expect(parseKubeconfig(kubeconfigText("name", connection, "apps"), "config")).toMatchObject({
      connection,
      namespace: "apps",
      context: "name",
    });
  });

  test("files are looked for where kubectl looks", () => {
    expect(kubeconfigCandidates({ KUBECONFIG: "/a:/b" })).toEqual(["/a", "/b"]);
    expect(kubeconfigCandidates({ HOME: "/home/me" })).toEqual(["/home/me/.kube/config"]);
  });
});
