import { describe, expect, it } from "vitest";
import type { ServerRequest } from "#apiserver/request.ts";
import { presentedToken, withoutTokens } from "./presented-token.ts";

const webSocket = (protocols: string, upgrade = "websocket") => {
  const headers: Record<string, string> = { upgrade, "sec-websocket-protocol": protocols };
  return { header: (name: string) => headers[name], upgrade: {} } as unknown as ServerRequest;
};
const prefix = "base64url.bearer.authorization.k8s.io.";
const encoded = `${prefix}${Buffer.from("a token").toString("base64url")}`;

describe("the token of a WebSocket", () => {
  it("is one of its protocols, which nobody else hears of", () => {
    expect(presentedToken(webSocket(`v5.channel.k8s.io, ${encoded}`))).toBe("a token");
    expect(withoutTokens(`v5.channel.k8s.io, ${encoded}, v4.channel.k8s.io`)).toBe(
      "v5.channel.k8s.io,v4.channel.k8s.io",
    );
  });

  it.each([
    ["beside another token", `v5.channel.k8s.io, ${encoded}, ${encoded}`],
    ["alone", encoded],
    ["that is no base64url", `v5.channel.k8s.io, ${prefix}a+b=`],
  ])("%s is refused", (_, protocols) => {
    expect(() => presentedToken(webSocket(protocols))).toThrow("Unauthorized");
  });

  it("is no token of anything else", () => {
    expect(presentedToken(webSocket(`v5.channel.k8s.io, ${encoded}`, "SPDY/3.1"))).toBeUndefined();
    expect(presentedToken(webSocket("v5.channel.k8s.io"))).toBeUndefined();
  });
});
