/** What only shows on the wire: media types, methods, warnings as headers, streams of watches, who nobody is. */
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type StoryServer, startStoryServer } from "#test/support/story-server.ts";
import { type Wire, type WireAnswer, type WireRequest, wireTo } from "#test/support/story-wire.ts";

let server: StoryServer;
let wire: Wire;
beforeAll(async () => {
  server = await startStoryServer();
  wire = await wireTo(server);
});
afterAll(() => server.close());

const maps = "/api/v1/namespaces/default/configmaps";
const message = ({ text }: WireAnswer) => (JSON.parse(text) as { message: string }).message;
const get = (path: string, accept?: string): WireRequest => ({
  method: "GET",
  path,
  headers: accept === undefined ? {} : { accept },
});
const send = (method: string, path: string, type: string, body: string | Buffer): WireRequest => ({
  method,
  path,
  headers: { "content-type": type },
  body,
});

describe("JSON is spread over lines", () => {
  const asked = (path: string, agent: string): WireRequest => ({
    method: "GET",
    path,
    headers: { "user-agent": agent },
  });
  it.each([
    ["for a browser", asked("/api/v1/namespaces/default", "Mozilla/5.0 (X11)"), true],
    ["for curl", asked("/api", "curl/8.5.0"), true],
    ["unless it is not wanted", asked("/api/v1/namespaces/default?pretty=no", "curl/8.5.0"), false],
    ["where it is wanted", asked("/api/v1/namespaces/default?pretty=T", "kubectl/v1.36.2"), true],
    ["for nobody else", asked("/api/v1/namespaces/default", "kubectl/v1.36.2"), false],
  ])("%s", async (_title, request, isSpread) => {
    expect((await wire(request)).text.startsWith("{\n  ")).toBe(isSpread);
  });
});

describe("a long answer is compressed", () => {
  const long = `${maps}/long`;
  it.each([
    ["for who takes gzip", "gzip", true],
    ["for who takes gzip among others", "br, gzip", true],
    ["not for who says how much", "gzip;q=0.5", false],
    ["not for who takes anything", "*", false],
  ])("%s", async (_title, coding, isCompressed) => {
    const body = JSON.stringify({ metadata: { name: "long" }, data: { a: "a".repeat(140_000) } });
    await wire(send("POST", maps, "application/json", body));
    const answer = await wire({ method: "GET", path: long, headers: { "accept-encoding": coding } });
    expect(answer.headers["content-encoding"]).toBe(isCompressed ? "gzip" : undefined);
  });
});

it("what is no parameter is left out of the query", async () => {
  const { code } = await wire(get(`${maps}?limit=1;limit=2&continue=%zz&labelSelector=%`));
  expect(code).toBe(200);
});

const acceptedBodies = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const unknownFormat = `the body of the request was in an unknown format - accepted media types include: ${acceptedBodies}`;

describe("a body of another media type", () => {
  it.each([
    ["a form", send("POST", maps, "application/x-www-form-urlencoded", "a=b"), unknownFormat],
    ["an unknown kind of JSON", send("POST", maps, "application/foo+json", "{}"), unknownFormat],
    ["garbage", send("PUT", `${maps}/a`, "garbage", "{}"), unknownFormat],
    ["a patch in YAML", send("PATCH", `${maps}/a`, "application/yaml", "{}"), "415: Unsupported Media Type"],
    ["a patch of no kind", send("PATCH", `${maps}/a`, "application/json", "{}"), "415: Unsupported Media Type"],
  ])("%s is 415", async (_title, request, text) => {
    const answer = await wire(request);
    expect([answer.code, message(answer)]).toEqual([415, text]);
  });

  it.each([
    [
      "a tab in YAML",
      "application/yaml",
      "metadata:\n\tname: a\n",
      "yaml: line 2: found character that cannot start any token (6d657461646174613a0a096e616d653a20610a)",
    ],
    [
      "YAML that says it is JSON",
      "application/json",
      "metadata:\n  name: a\n",
      "couldn't get version/kind; json parse error: invalid character 'm' looking for beginning of value (6d657461646174613a0a20206e616d653a20610a)",
    ],
    [
      "text that says it is protobuf",
      "application/vnd.kubernetes.protobuf",
      "not protobuf",
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (6e6f742070726f746f627566)",
    ],
    [
      "protobuf that ends early",
      "application/vnd.kubernetes.protobuf",
      Buffer.from("6b387300ffffffffffff", "hex"),
      "unexpected EOF (6b387300ffffffffffff)",
    ],
  ])("%s is 400", async (_title, type, body, text) => {
    const answer = await wire(send("POST", maps, type, body));
    expect([answer.code, message(answer)]).toEqual([
      400,
      `the object provided is unrecognized (must be of type ConfigMap): ${text}`,
    ]);
  });

  it("of more than three mebibytes is 413", async () => {
    const body = JSON.stringify({ metadata: { name: "a" }, data: { k: "x".repeat(3 * 1_048_576) } });
    const answer = await wire(send("POST", maps, "application/json", body));
    expect([answer.code, message(answer)]).toEqual([413, "Request entity too large: limit is 3145728"]);
  });

  it("reads YAML", async () => {
    const answer = await wire(send("POST", maps, "application/yaml", "metadata:\n  name: yaml\ndata:\n  a: x\n"));
    expect([answer.code, JSON.parse(answer.text)]).toMatchObject([201, { data: { a: "x" } }]);
  });
});

const representations = `406: Not Acceptable\n\nAvailable representations: ${acceptedBodies}`;
describe("an answer", () => {
  it.each([
    ["JSON by default", undefined, "application/json"],
    ["JSON for a browser that takes anything", "text/html, */*", "application/json"],
    ["YAML if it is liked more", "application/json;q=0.2, application/yaml;q=0.9", "application/yaml"],
    ["JSON if CBOR would do", "application/cbor, application/json", "application/json"],
    ["JSON even if it is liked not at all", "application/json;q=0", "application/json"],
    ["JSON with parameters that nobody knows", "application/json;foo=bar", "application/json"],
  ])("is %s", async (_title, accept, type) => {
    const answer = await wire(get("/api/v1/namespaces/default", accept));
    expect([answer.code, answer.headers["content-type"]]).toEqual([200, type]);
  });

  it.each(["text/html", "application/xml", "application/*"])("is never %s", async (accept) => {
    const answer = await wire(get("/api/v1/namespaces/default", accept));
    expect([answer.code, message(answer)]).toEqual([406, representations]);
  });

  it("carries warnings in a header each", async () => {
    const answer = await wire(send("POST", maps, "application/json", '{"metadata":{"name":"w","bogus":1},"other":{}}'));
    expect(answer.headers["warning"]).toBe(
      '299 - "unknown field \\"metadata.bogus\\"", 299 - "unknown field \\"other\\""',
    );
  });

  it("is not to be kept", async () => {
    expect((await wire(get("/api"))).headers).toMatchObject({ "cache-control": "no-cache, private" });
  });
});

describe("a method", () => {
  it.each([
    ["HEAD", maps, 405],
    ["HEAD", "/version", 405],
    ["HEAD", "/healthz", 200],
    ["OPTIONS", maps, 405],
    ["POST", "/healthz", 200],
    ["POST", "/apis", 200],
    ["PUT", "/api/v1/namespaces/default/bindings", 405],
  ])("%s %s is %i", async (method, path, code) => {
    expect((await wire({ method, path })).code).toBe(code);
  });
});

describe("a watch", () => {
  it("is a line for each event", async () => {
    await wire(send("POST", maps, "application/json", '{"metadata":{"name":"line"}}'));
    const answer = await wire(get(`${maps}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name=line`));
    const events = answer.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(events).toMatchObject([{ type: "ADDED", object: { kind: "ConfigMap", metadata: { name: "line" } } }]);
  });
});

it.each(["/.well-known/openid-configuration", "/openid/v1/jwks"])("%s may be kept for an hour", async (path) => {
  expect((await wire(get(path))).headers["cache-control"]).toBe("public, max-age=3600");
});

describe("who has no certificate", () => {
  const forbidden = (path: string) => `forbidden: User "system:anonymous" cannot get path "${path}"`;
  it.each(["/healthz", "/livez", "/readyz", "/version"])("may ask for %s", async (path) => {
    expect((await wire({ ...get(path), isAnonymous: true })).code).toBe(200);
  });
  it.each(["/api", "/apis", "/openapi/v2", "/.well-known/openid-configuration"])("may not ask for %s", async (path) => {
    const answer = await wire({ ...get(path), isAnonymous: true });
    expect([answer.code, message(answer)]).toEqual([403, forbidden(path)]);
  });
  it("is nobody with a token that is none", async () => {
    const answer = await wire({ ...get("/api"), headers: { authorization: "Bearer nonsense" }, isAnonymous: true });
    expect([answer.code, message(answer)]).toEqual([401, "Unauthorized"]);
  });
  it("is who the token says", async () => {
    const tokens = "/api/v1/namespaces/default/serviceaccounts/robot/token";
    await wire(
      send("POST", "/api/v1/namespaces/default/serviceaccounts", "application/json", '{"metadata":{"name":"robot"}}'),
    );
    const { text } = await wire(send("POST", tokens, "application/json", "{}"));
    const { status } = JSON.parse(text) as { status: { token: string } };
    const answer = await wire({
      ...get(maps),
      headers: { authorization: `Bearer ${status.token}` },
      isAnonymous: true,
    });
    expect(message(answer)).toBe(
      'configmaps is forbidden: User "system:serviceaccount:default:robot" cannot list resource "configmaps" in API group "" in the namespace "default"',
    );
  });
  it("may be acted for by an administrator", async () => {
    const answer = await wire({ ...get(maps), headers: { "impersonate-user": "jane", "impersonate-group": "team" } });
    expect(message(answer)).toContain('User "jane" cannot list resource "configmaps"');
  });
  it("may be acted for in groups whose names hold commas", async () => {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const headers = { "impersonate-user": "jane", "impersonate-group": ["cn=a,ou=b", "team"] };
    const asked = send("POST", path, "application/json", '{"kind":"SelfSubjectReview"}');
    const { text } = await wire({ ...asked, headers: { ...asked.headers, ...headers } });
    expect(JSON.parse(text)).toMatchObject({
      status: { userInfo: { groups: ["cn=a,ou=b", "team", "system:authenticated"] } },
    });
  });
});

describe("a watch over a WebSocket", () => {
  const watched = "watch=true&fieldSelector=metadata.name=by-socket";
  async function opened(query: string, protocols: string[] = []): Promise<WebSocket> {
    const { port, ca, cert, key } = await server.listen();
    const client = new WebSocket(`wss://127.0.0.1:${port}${maps}?${query}`, protocols, { ca, cert, key });
    await once(client, "open");
    return client;
  }

  it("has an event in each message, as text, and ends with the watch", async () => {
    const client = await opened(`${watched}&timeoutSeconds=1`, ["v1.example.com"]);
    expect(client.protocol).toBe("v1.example.com");
    const messages: [string, boolean][] = [];
    client.on("message", (bytes: Buffer, isBinary) => messages.push([bytes.toString(), isBinary]));
    const body = JSON.stringify({ metadata: { name: "by-socket" } });
    await wire(send("POST", maps, "application/json", body));
    await wire({ method: "DELETE", path: `${maps}/by-socket` });
    const [code] = (await once(client, "close")) as [number];
    expect(code).toBe(1000);
    expect(messages.map(([text, isBinary]) => [(JSON.parse(text) as { type: string }).type, isBinary])).toEqual([
      ["ADDED", false],
      ["DELETED", false],
    ]);
  });

  it("is refused like any other", async () => {
    const { port, ca } = await server.listen();
    const client = new WebSocket(`wss://127.0.0.1:${port}${maps}?${watched}`, { ca });
    const [error] = (await once(client, "error")) as [Error];
    expect(error.message).toBe("Unexpected server response: 403");
  });
});
