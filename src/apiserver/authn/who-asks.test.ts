/** Who a request is from, over connections that prove this or that. */
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { type ClusterPki, type KeyPair, openPki } from "#apiserver/pki.ts";
import { type ApiServer, createApiServer } from "#apiserver/server.ts";
import { createMemoryStore } from "#store/memory-store.ts";

const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), "capstan-who-")));
let server: ApiServer;
let pki: ClusterPki;
let foreign: ClusterPki;
let port: number;

beforeAll(async () => {
  [pki, foreign] = (await Promise.all(folders.map((folder) => openPki(folder, systemClock)))) as [
    ClusterPki,
    ClusterPki,
  ];
  const log = createLogger({ level: "error" });
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  const { cert, key } = await pki.ca.issue({ commonName: "kube-apiserver", hosts: ["127.0.0.1"] });
  ({ port } = await server.listen({ port: 0, host: "127.0.0.1", tls: { cert, key, clientCa: pki.ca.cert } }));
});
afterAll(async () => {
  await server.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

type Headers = Record<string, string | string[]>;

interface UserInfo {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

interface Answer {
  code: number;
  warning: string | undefined;
  body: string;
}

function ask(headers: Headers, pair?: KeyPair): Promise<Answer> {
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      { host: "127.0.0.1", port, path, method: "POST", agent: false, ca: pki.ca.cert, ...pair, headers },
      (incoming) => {
        const { statusCode: code = 0, headers: told } = incoming;
        text(incoming).then((body) => resolve({ code, warning: told["warning"] as string | undefined, body }), reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end('{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}');
  });
}

/** Who the server takes this client for; the code of the answer if for nobody. */
async function whoIs(headers: Headers, pair?: KeyPair): Promise<UserInfo | number | string> {
  const answer = await ask(headers, pair);
  const body = JSON.parse(answer.body) as { message?: string; status: { userInfo: UserInfo } };
  if (answer.code === 403) return /User "([^"]+)"/.exec(body.message ?? "")?.[1] ?? "";
  return answer.code === 201 ? body.status.userInfo : answer.code;
}

const asBob: Headers = {
  "X-Remote-User": "Bob",
  "X-Remote-Uid": "7",
  "X-Remote-Group": ["one,a", "", "two"],
  "X-Remote-Extra-Example.com%2fKey": ["x", "y"],
  "X-Remote-Extra-Almost%zz": "z",
};
const bob: UserInfo = {
  username: "Bob",
  uid: "7",
  groups: ["one,a", "two", "system:authenticated"],
  extra: { "example.com/key": ["x", "y"], "almost%zz": ["z"] },
};

describe("a front proxy", () => {
  it("speaks for whom its headers name", async () => {
    const proxy = await pki.frontProxyCa.issue({ commonName: "front-proxy-client" });
    expect(await whoIs(asBob, proxy)).toEqual(bob);
  });

  it("is nobody itself, whatever its certificate says", async () => {
    const proxy = await pki.frontProxyCa.issue({ commonName: "front-proxy-client", organizations: ["system:masters"] });
    expect(await whoIs({}, proxy)).toBe(401);
  });

  it("is one by its CA and its name", async () => {
    const named = { commonName: "front-proxy-client" };
    expect(await whoIs(asBob, await pki.frontProxyCa.issue({ commonName: "other" }))).toBe(401);
    expect(await whoIs(asBob, await foreign.frontProxyCa.issue(named))).toBe(401);
    expect(await whoIs(asBob, await pki.ca.issue(named))).toMatchObject({ username: "front-proxy-client" });
    expect(await whoIs(asBob)).toBe("system:anonymous");
  });
});

describe("a client certificate", () => {
  it("names a user", async () => {
    const pair = await pki.ca.issue({ commonName: "alice", organizations: ["staff"] });
    expect(await whoIs({}, pair)).toMatchObject({ username: "alice", groups: ["staff", "system:authenticated"] });
  });

  it("that does not hold is no anonymous request, and does not harm another proof", async () => {
    const pair = await foreign.ca.issue({ commonName: "alice" });
    expect(await whoIs({}, pair)).toBe(401);
    const admin = server.transport({ name: "admin", groups: ["system:masters"] }, "test");
    const accounts = "/api/v1/namespaces/default/serviceaccounts";
    await admin.request({ method: "POST", path: accounts, body: { metadata: { name: "robot" } } });
    const { body } = await admin.request({ method: "POST", path: `${accounts}/robot/token`, body: { spec: {} } });
    const { token } = (body as { status: { token: string } }).status;
    const robot = { username: "system:serviceaccount:default:robot" };
    expect(await whoIs({ Authorization: `Bearer ${token}` }, pair)).toMatchObject(robot);
  });
});

describe("an Authorization header", () => {
  it.each<[string, string | number]>([
    ["Bearer nobody", 401],
    ["bearer nobody more", 401],
    ["Bearer", "system:anonymous"],
    ["Bearer  nobody", "system:anonymous"],
    ["Bearer: nobody", "system:anonymous"],
    ["Basic bm9ib2R5", "system:anonymous"],
  ])("of %j is from %j", async (authorization, who) => {
    expect(await whoIs({ authorization })).toBe(who);
  });

  it("with a space too many is told of, where nothing else says who asks", async () => {
    const text = "the provided Authorization header contains extra space before the bearer token, and is ignored";
    expect((await ask({ authorization: "Bearer  token" })).warning).toBe(`299 - "${text}"`);
    expect((await ask({ authorization: "Bearer " })).warning).toBeUndefined();
    const pair = await pki.ca.issue({ commonName: "alice" });
    expect((await ask({ authorization: "Bearer  token" }, pair)).warning).toBeUndefined();
  });
});
