import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { ServerRequest } from "#apiserver/request.ts";
import { passBody, passedHeaders } from "./pass-request.ts";

const request = (method: string, headers: Record<string, string>, pieces: readonly string[] = []) =>
  ({
    method,
    headers: () => headers,
    header: (name: string) => headers[name],
    async *bodyStream() {
      for (const piece of pieces) yield Buffer.from(piece);
    },
  }) as unknown as ServerRequest;

describe("the headers for a backend", () => {
  it.each([
    ["authorization", "Bearer x"],
    ["proxy-authorization", "Basic x"],
    ["impersonate-user", "root"],
    ["impersonate-extra-scopes", "all"],
    ["x-remote-user", "root"],
    ["x-remote-group", "system:masters"],
    ["x-remote-extra-scopes", "all"],
    [":authority", "here"],
    ["host", "here"],
    ["upgrade", "h2c"],
    ["expect", "100-continue"],
  ])("lack %s", (name, value) => {
    expect(passedHeaders(request("GET", { [name]: value, accept: "*/*" }))).toEqual({ accept: "*/*" });
  });

  it("lack what the client says is for this connection only", () =>
    expect(passedHeaders(request("GET", { connection: "close, X-Hop", "x-hop": "1", "x-kept": "1" }))).toEqual({
      "x-kept": "1",
    }));

  it.each([
    ["GET", { "content-length": "9" }, {}],
    ["HEAD", { "transfer-encoding": "chunked" }, {}],
    ["POST", { "content-length": "9" }, { "content-length": "9" }],
    ["DELETE", { "content-length": "9" }, { "content-length": "9" }],
    ["DELETE", {}, { "transfer-encoding": "chunked" }],
    ["OPTIONS", { "transfer-encoding": "chunked" }, { "transfer-encoding": "chunked" }],
    ["PUT", { "content-length": "9", connection: "content-length" }, { "content-length": "9" }],
  ])("say of a %s with %j how its body is framed", (method, headers, framing) => {
    expect(passedHeaders(request(method, headers))).toEqual(framing);
  });
});

describe("the body for a backend", () => {
  it("comes as it is, but not with a method that has none", async () => {
    const out = new PassThrough();
    await passBody(request("GET", {}, ["nothing"]), out);
    await passBody(request("POST", {}, ["a", "b"]), out);
    expect(String(out.read())).toBe("ab");
  });

  it("ends with an error when the backend goes away before there is room", async () => {
    const out = new PassThrough({ highWaterMark: 1 });
    const passing = passBody(request("POST", {}, ["aa", "bb"]), out);
    out.destroy();
    await expect(passing).rejects.toThrow("the backend takes no more");
  });
});
