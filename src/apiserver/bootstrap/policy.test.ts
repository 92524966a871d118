import { describe, expect, it } from "vitest";
import type { V1PolicyRule } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import { policyObjects } from "./policy.ts";
import { autoUpdate, policyUpkeep } from "./policy-upkeep.ts";

const rbac = "rbac.authorization.k8s.io";
type Role = KubernetesObject & { rules?: V1PolicyRule[] };

describe("the policy of a new cluster", () => {
  const objects = policyObjects() as Role[];
  const find = (kind: string, name: string, namespace?: string) =>
    objects.find(
      (one) => one.kind === kind && one.metadata.name === name && one.metadata.namespace === namespace,
    ) as Role;

  it("has each object once, marked as what a start looks after", () => {
    const keys = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { metadata } of objects) {
      expect(metadata.annotations).toEqual({ [autoUpdate]: "true" });
      expect(metadata.labels).toMatchObject({ "kubernetes.io/bootstrapping": "rbac-defaults" });
    }
  });

  it("lists what a rule is about in the order of the alphabet", () => {
    for (const { rules = [] } of objects)
      for (const rule of rules)
        for (const list of Object.values(rule) as string[][]) expect(list).toEqual(list.toSorted());
  });

  it("lets events of both groups be recorded by one rule", () => {
    expect(find("ClusterRole", "system:node-problem-detector").rules?.at(-1)).toEqual({
      apiGroups: ["", "events.k8s.io"],
      resources: ["events"],
      verbs: ["create", "patch", "update"],
    });
  });

  it("binds a role of another name to those who check who asks", () => {
    expect(find("RoleBinding", "system::extension-apiserver-authentication-reader", "kube-system")).toMatchObject({
      roleRef: { apiGroup: rbac, kind: "Role", name: "extension-apiserver-authentication-reader" },
      subjects: [
        { apiGroup: rbac, kind: "User", name: "system:kube-controller-manager" },
        { apiGroup: rbac, kind: "User", name: "system:kube-scheduler" },
      ],
    });
  });

  it("is complete for itself", () => {
    for (const object of objects) expect(policyUpkeep(object, object)).toEqual({ type: "none" });
  });
});

const role = (rules: V1PolicyRule[], metadata: object = {}): Role => ({
  apiVersion: `${rbac}/v1`,
  kind: "ClusterRole",
  metadata: { name: "r", ...metadata },
  rules,
});
const binding = (name: string, subjects: object[]) =>
  ({
    apiVersion: `${rbac}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: "b" },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name },
    subjects,
  }) as unknown as KubernetesObject;
const rule = (verbs: string[], resources: string[]): V1PolicyRule => ({ apiGroups: [""], resources, verbs });
const user = (name: string) => ({ apiGroup: rbac, kind: "User", name });

describe("policy that is there already", () => {
  it("gets back the parts of rules that it has lost, and keeps what it has more", () => {
    const live = role([rule(["get", "create"], ["pods"])]);
    const upkeep = policyUpkeep(live, role([rule(["get", "list"], ["nodes", "pods"])]));
    expect(upkeep.type === "none" ? undefined : (upkeep.object as Role).rules).toEqual([
      rule(["get", "create"], ["pods"]),
      rule(["get"], ["nodes"]),
      rule(["list"], ["nodes"]),
      rule(["list"], ["pods"]),
    ]);
  });

  it("stays as it is where it covers all that is wanted", () => {
    expect(policyUpkeep(role([rule(["*"], ["*"])]), role([rule(["get"], ["pods"])]))).toEqual({ type: "none" });
  });

  it("is left alone if it says so", () => {
    const live = role([], { annotations: { [autoUpdate]: "false" } });
    expect(policyUpkeep(live, role([rule(["get"], ["pods"])]))).toEqual({ type: "none" });
  });

  it("gets missing labels, never another value of one", () => {
    const upkeep = policyUpkeep(role([], { labels: { a: "own" } }), role([], { labels: { a: "1", b: "2" } }));
    expect(upkeep).toMatchObject({ type: "update", object: { metadata: { labels: { a: "own", b: "2" } } } });
  });

  it("gets back subjects, and keeps those it has more", () => {
    const upkeep = policyUpkeep(binding("r", [user("more")]), binding("r", [user("u")]));
    expect(upkeep).toMatchObject({ type: "update", object: { subjects: [user("more"), user("u")] } });
  });

  it("is made anew if it binds another role", () => {
    expect(policyUpkeep(binding("other", []), binding("r", []))).toMatchObject({ type: "recreate" });
  });
});
