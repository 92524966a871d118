/** Whom a service account's token stands for, and the tokens that stand for nobody. */
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import type { LocalTransport } from "#apiserver/transport.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-tokens-"));
const space = "/api/v1/namespaces/default";
let server: ApiServer;
let admin: LocalTransport;
let port = 0;
let ca = "";

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  server = await createApiServer({
    store: createMemoryStore(),
    clock: systemClock,
    log: createLogger({ write() {} }),
    pki,
  });
  admin = server.transport({ name: "admin", groups: ["system:masters"] }, "test");
  const serving = await pki.keep("serving", { commonName: "kube-apiserver", hosts: ["127.0.0.1", "localhost"] });
  const tls = { cert: serving.cert, key: serving.key, clientCa: pki.ca.cert };
  port = (await server.listen({ port: 0, host: "127.0.0.1", tls })).port;
  ca = pki.ca.cert;
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function account(name: string): Promise<void> {
  await admin.request({ method: "POST", path: `${space}/serviceaccounts`, body: { metadata: { name } } });
}

async function tokenOf(name: string, spec: object = {}): Promise<string> {
  const path = `${space}/serviceaccounts/${name}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
  const answer = await admin.request({ method: "POST", path, body });
  return (answer.body as { status: { token: string } }).status.token;
}

/** The name that the server knows the bearer by, or the code of its refusal. */
async function nameOf(token: string): Promise<string | number> {
  const client = connect(`https://localhost:${port}`, { ca });
  const stream = client.request({
    ":path": "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    ":method": "POST",
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
  });
  stream.end('{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}');
  const [headers] = (await once(stream, "response")) as [Record<string, number>];
  const body = await text(stream);
  client.destroy();
  const code = Number(headers[":status"]);
  if (code !== 201) return code;
  return (JSON.parse(body) as { status: { userInfo: { username: string } } }).status.userInfo.username;
}

type Part = Record<string, unknown>;
const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
const partsOf = (token: string): [Part, Part, string] => {
  const [header, payload, signature] = token.split(".") as [string, string, string];
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Part;
  return [decode(header), decode(payload), signature];
};

describe("a token", () => {
  it("stands for its account", async () => {
    await account("good");
    expect(await nameOf(await tokenOf("good"))).toBe("system:serviceaccount:default:good");
  });

  it.each<[string, (header: Part, payload: Part, signature: string) => string]>([
    [
      "of an account that it was not made for",
      (header, payload, signature) =>
        `${encode(header)}.${encode({ ...payload, sub: "system:serviceaccount:kube-system:root" })}.${signature}`,
    ],
    [
      "that lives longer than it was made to",
      (header, payload, signature) => `${encode(header)}.${encode({ ...payload, exp: 1e11 })}.${signature}`,
    ],
    ["without signature", (header, payload) => `${encode({ ...header, alg: "none" })}.${encode(payload)}.`],
    [
      "that is signed with the public key as a secret",
      (header, payload) => {
        const unsigned = `${encode({ ...header, alg: "HS256" })}.${encode(payload)}`;
        return `${unsigned}.${createHmac("sha256", ca).update(unsigned).digest("base64url")}`;
      },
    ],
    [
      "that is signed with a key of its own",
      (header, payload) => {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
        const unsigned = `${encode({ ...header, alg: "ES256" })}.${encode(payload)}`;
        const signature = sign("sha256", Buffer.from(unsigned), { key: privateKey, dsaEncoding: "ieee-p1363" });
        return `${unsigned}.${signature.toString("base64url")}`;
      },
    ],
    [
      "whose key is a file",
      (header, payload, signature) =>
        `${encode({ ...header, kid: "../../../../dev/null" })}.${encode(payload)}.${signature}`,
    ],
    ["that is half a token", (header, payload) => `${encode(header)}.${encode(payload)}`],
    ["that is nothing", () => "..."],
  ])("%s stands for nobody", async (_, forge) => {
    await account("forged");
    const forged = forge(...partsOf(await tokenOf("forged")));
    expect(await nameOf(forged)).toBe(401);
  });

  it("for somebody else's ears stands for nobody here", async () => {
    await account("elsewhere");
    expect(await nameOf(await tokenOf("elsewhere", { audiences: ["https://other.example.com"] }))).toBe(401);
  });

  it("ends with its account, also when there is a new one of the same name", async () => {
    await account("gone");
    const token = await tokenOf("gone");
    await admin.request({ method: "DELETE", path: `${space}/serviceaccounts/gone` });
    expect(await nameOf(token)).toBe(401);
    await account("gone");
    expect(await nameOf(token)).toBe(401);
  });

  it("ends with the object that it is bound to", async () => {
    await account("bound");
    const path = `${space}/secrets`;
    await admin.request({ method: "POST", path, body: { metadata: { name: "anchor" } } });
    const boundObjectRef = { apiVersion: "v1", kind: "Secret", name: "anchor" };
    const token = await tokenOf("bound", { boundObjectRef });
    expect(await nameOf(token)).toBe("system:serviceaccount:default:bound");
    await admin.request({ method: "DELETE", path: `${path}/anchor` });
    expect(await nameOf(token)).toBe(401);
  });
});

describe("the token of a secret", () => {
  type Object = { metadata: { uid: string; labels?: Record<string, string> } };
  const at = (name: string) => `${space}/secrets/${name}`;
  const labelsOf = async (name: string) =>
    ((await admin.request({ method: "GET", path: at(name) })).body as Object).metadata.labels;
  const label = (name: string, value: string) =>
    admin.request({
      method: "PATCH",
      path: at(name),
      contentType: "application/merge-patch+json",
      body: { metadata: { labels: { "kubernetes.io/legacy-token-invalid-since": value } } },
    });

  async function held(name: string): Promise<string> {
    await account(name);
    const found = await admin.request({ method: "GET", path: `${space}/serviceaccounts/${name}` });
    const { uid } = (found.body as Object).metadata;
    const token = await server.signForSecret({ namespace: "default", name, uid }, name);
    const annotations = { "kubernetes.io/service-account.name": name };
    const body = {
      metadata: { name, annotations },
      type: "kubernetes.io/service-account-token",
      stringData: { token },
    };
    await admin.request({ method: "POST", path: `${space}/secrets`, body });
    return token;
  }

  it("says whose it is, and has no end", async () => {
    const [, payload] = partsOf(await held("claims"));
    expect(payload).toEqual({
      iss: "kubernetes/serviceaccount",
      sub: "system:serviceaccount:default:claims",
      "kubernetes.io/serviceaccount/namespace": "default",
      "kubernetes.io/serviceaccount/secret.name": "claims",
      "kubernetes.io/serviceaccount/service-account.name": "claims",
      "kubernetes.io/serviceaccount/service-account.uid": expect.any(String) as string,
    });
  });

  it("stands for the account while the secret holds it, and its use is noted", async () => {
    const token = await held("kept");
    expect(await nameOf(token)).toBe("system:serviceaccount:default:kept");
    const today = new Date().toISOString().slice(0, 10);
    await expect.poll(() => labelsOf("kept")).toEqual({ "kubernetes.io/legacy-token-last-used": today });
    await admin.request({ method: "DELETE", path: at("kept") });
    expect(await nameOf(token)).toBe(401);
    await held("kept");
    expect(await nameOf(`${token.slice(0, -2)}AA`)).toBe(401);
  });

  it("stands for nobody once it is marked invalid", async () => {
    const token = await held("marked");
    await label("marked", "2024-01-01");
    expect(await nameOf(token)).toBe(401);
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
    const answer = await admin.request({ method: "POST", path: "/apis/authentication.k8s.io/v1/tokenreviews", body });
    expect((answer.body as { status: { error: string } }).status.error).toMatch(
      /^\[invalid bearer token, the token in secret default\/marked for service account default\/marked has been marked invalid\./,
    );
  });

  it("is for the server itself", async () => {
    const token = await held("ears");
    const path = "/apis/authentication.k8s.io/v1/tokenreviews";
    const review = async (audiences: string[]) =>
      (await admin.request({ method: "POST", path, body: { spec: { token, audiences } } })).body;
    const own = "https://kubernetes.default.svc.cluster.local";
    expect(await review([own])).toMatchObject({ status: { authenticated: true, audiences: [own] } });
    expect(await review(["vault"])).toMatchObject({
      status: {
        error: `[invalid bearer token, token audiences ["${own}"] is invalid for the target audiences ["vault"]]`,
      },
    });
  });

  it("warns of an account that lists the secret, as clusters of old made them", async () => {
    const token = await held("listed");
    await admin.request({
      method: "PATCH",
      path: `${space}/serviceaccounts/listed`,
      contentType: "application/merge-patch+json",
      body: { secrets: [{ name: "listed" }] },
    });
    const path = "/apis/authentication.k8s.io/v1/tokenreviews";
    const answer = await admin.request({ method: "POST", path, body: { spec: { token } } });
    expect(answer.warnings).toEqual([
      "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.",
    ]);
  });
});
