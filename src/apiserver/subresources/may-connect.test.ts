import { describe, expect, it } from "vitest";
import type { Attributes } from "#apiserver/authz/authorizer.ts";
import type { SpecialRequest } from "#apiserver/subresource.ts";
import { checkMayConnect } from "./may-connect.ts";
import { nodeProxy } from "./proxy.ts";
import type { NodeDialer } from "./node-connection.ts";

/** A request of one who has just these verbs. */
function requestWith(verbs: readonly string[], upgrade?: object): SpecialRequest {
  const authorize = ({ verb }: Attributes) =>
    verbs.includes(verb) ? { decision: "allow", reason: "" } : { decision: "no-opinion", reason: "nothing allows it" };
  const info = {
    verb: "get",
    isResource: true,
    group: "",
    resource: "nodes",
    subresource: "proxy",
    namespace: "",
    name: "n",
  };
  return {
    services: { authorizer: { authorize } },
    user: { name: "u", groups: [] },
    info: { ...info, parts: ["nodes", "n", "proxy", "exec"] },
    request: { method: "GET", path: "/", rawQuery: "", upgrade },
  } as unknown as SpecialRequest;
}

describe("a connection both ways", () => {
  it("is for who may create it", () => {
    expect(() => checkMayConnect(requestWith(["get", "create"]))).not.toThrow();
    expect(() => checkMayConnect(requestWith(["get"]))).toThrow('nodes "n" is forbidden: nothing allows it');
  });

  it("through a node's proxy is refused to who may only get, before the node is looked for", async () => {
    const dialer = { addressOf: () => expect.unreachable() } as unknown as NodeDialer;
    await expect(nodeProxy(dialer).handle(requestWith(["get"], {}))).rejects.toThrow("nothing allows it");
  });
});
