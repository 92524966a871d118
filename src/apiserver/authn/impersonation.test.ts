import { describe, expect, it } from "vitest";
import type { Attributes, Authorizer } from "#apiserver/authz/authorizer.ts";
import type { ServerRequest, User } from "#apiserver/request.ts";
import { extraFault } from "./impersonation-extra.ts";
import { impersonate } from "./impersonation.ts";

const requestOf = (headers: Record<string, string>) =>
  ({ header: (name: string) => headers[name], headers: () => headers }) as unknown as ServerRequest;
const listPods = (user: User): Attributes => ({
  user,
  verb: "list",
  isResource: true,
  group: "",
  version: "v1",
  resource: "pods",
  subresource: "",
  namespace: "default",
  name: "",
  path: "",
});
/** Rights as "verb group/resource/name". */
const withRights = (...rights: string[]): Authorizer => ({
  authorize: ({ verb, group, resource, name }) => ({
    decision: rights.includes("*") || rights.includes(`${verb} ${group}/${resource}/${name}`) ? "allow" : "no-opinion",
    reason: "",
  }),
});
let asker = 0;
/** Somebody new each time: what let somebody pass last is remembered. */
function become(headers: Record<string, string>, rights: string[], extra?: User["extra"], name = `u${(asker += 1)}`) {
  const user: User = { name, groups: [], ...(extra && { extra }) };
  try {
    return impersonate(requestOf(headers), listPods(user), withRights(...rights));
  } catch (error) {
    return (error as Error).message.replaceAll(name, "me");
  }
}
const onPods = (mode: string) => `impersonate-on:${mode}:list /pods/`;
const authentication = "authentication.k8s.io";

describe("impersonation", () => {
  it.each<[Record<string, string>, string[], unknown]>([
    [{ "impersonate-user": "bob" }, ["impersonate /users/bob"], { name: "bob", groups: ["system:authenticated"] }],
    [
      { "impersonate-user": "bob" },
      [onPods("user-info"), `impersonate:user-info ${authentication}/users/bob`],
      { name: "bob", groups: ["system:authenticated"] },
    ],
    [
      { "impersonate-user": "bob" },
      [],
      'pods is forbidden: User "me" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      { "impersonate-user": "bob" },
      [onPods("user-info")],
      `users.${authentication} "bob" is forbidden: User "me" cannot impersonate:user-info resource "users" in API group "${authentication}" at the cluster scope`,
    ],
    [
      { "impersonate-user": "system:node:n1" },
      ["*"],
      { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] },
    ],
    [
      { "impersonate-user": "system:serviceaccount:a:b" },
      ["*"],
      {
        name: "system:serviceaccount:a:b",
        groups: ["system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"],
      },
    ],
    [
      { "impersonate-user": "system:anonymous" },
      ["*"],
      { name: "system:anonymous", groups: ["system:unauthenticated"] },
    ],
    [
      { "impersonate-user": "bob", "impersonate-group": "system:masters" },
      ["*"],
      { name: "bob", groups: ["system:masters", "system:authenticated"] },
    ],
    [
      { "impersonate-user": "bob", "impersonate-group": "system:masters" },
      [onPods("user-info"), `impersonate:user-info ${authentication}/users/bob`],
      `groups.${authentication} "system:masters" is forbidden: User "me" cannot impersonate:user-info resource "groups" in API group "${authentication}" at the cluster scope: impersonating the system:masters group is not allowed`,
    ],
    [
      { "impersonate-group": "g" },
      ["*"],
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
    ],
  ])("%j with the rights %j gives %j", (headers, rights, expected) =>
    expect(become(headers, rights)).toEqual(expected),
  );

  it("an account may become the node that it runs on", () => {
    const rights = [onPods("associated-node"), `impersonate:associated-node ${authentication}/nodes/*`];
    const extra = { "authentication.kubernetes.io/node-name": ["n1"] };
    const as = (node: string) =>
      become({ "impersonate-user": `system:node:${node}` }, rights, extra, "system:serviceaccount:a:b");
    expect(as("n1")).toEqual({ name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] });
    expect(as("n2")).toContain("cannot impersonate-on:arbitrary-node:list");
  });
  it("what let somebody pass is asked for first the next time", () => {
    const rights = ["impersonate /users/bob"];
    become({ "impersonate-user": "bob" }, rights, undefined, "same");
    expect(become({ "impersonate-user": "eve" }, rights, undefined, "same")).toContain(
      'cannot impersonate resource "users" in API group ""',
    );
  });
  it.each<[Record<string, string[]>, string | undefined]>([
    [{ "example.com/a": ["x"] }, undefined],
    [{ "example.com/A": ["x"] }, 'impersonating a non-lowercase key in extra is not allowed: "example.com/A"'],
    [{ "": ["x"] }, "impersonating the empty string key in extra is not allowed"],
    [
      { a: ["x"] },
      'impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "a": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [{ "example.com/a": [""] }, "impersonating the empty string value in extra is not allowed"],
  ])("the extra fields %j are refused as %j", (extra, expected) => expect(extraFault(extra)).toBe(expected));
});
