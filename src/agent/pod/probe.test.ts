/** Probes and hooks against servers of the test itself. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { Server as GrpcServer, ServerCredentials, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { V1HTTPGetAction, V1Probe } from "#api/generated/types.ts";
import { runHook } from "./hooks.ts";
import { probeOnce, type ProbeTarget } from "./probe.ts";

const heard: IncomingMessage[] = [];
const answers: RequestListener = (request, response) => {
  heard.push(request);
  const code = Number(/^\/(\d{3})/.exec(request.url ?? "")?.[1] ?? 200);
  const location = new URL(request.url ?? "/", "http://x").searchParams.get("to");
  response.writeHead(code, location === null ? {} : { location });
  response.end("body");
};
const http = createServer(answers);
const mute = createTcpServer(() => {});
const grpc = new GrpcServer();
/** What a service's health is asked for, by its name. */
const health: Readonly<Record<string, number>> = { "": 1, liveness: 1, sick: 2, unknown: 0 };
let grpcPort = 0;
const portOf = (server: Server) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  for (const server of [http, mute]) await once(server.listen(0, "127.0.0.1"), "listening");
  const check = {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestDeserialize: (bytes: Buffer) => ({ service: bytes.subarray(2).toString() }),
    responseSerialize: (code: number) => Buffer.from([8, code]),
    requestSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: (bytes: Buffer) => bytes[1],
  } as const;
  grpc.addService(
    { Check: check },
    {
      Check: (
        { request: { service } }: { request: { service: string } },
        reply: (error: object | null, code?: number) => void,
      ) => {
        if (service === "never") return;
        const code = health[service];
        if (code === undefined) reply({ code: status.NOT_FOUND, details: "unknown service" });
        else reply(null, code);
      },
    },
  );
  grpcPort = await new Promise((resolve, reject) =>
    grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
});
afterAll(() => {
  http.close();
  mute.close();
  grpc.forceShutdown();
});

const target = {
  ip: "127.0.0.1",
  container: { name: "c", ports: [{ name: "web", containerPort: 1 }] },
  environment: new Map(),
} as unknown as ProbeTarget;
const probe = (one: V1Probe) => probeOnce(one, target);
const get = (fields: Partial<V1HTTPGetAction> = {}): V1HTTPGetAction => ({ port: portOf(http), ...fields });

describe("a gRPC probe", () => {
  it.each([
    [undefined, "success", "service healthy"],
    ["liveness", "success", "service healthy"],
    ["sick", "failure", 'service unhealthy (responded with "NOT_SERVING")'],
    ["unknown", "failure", 'service unhealthy (responded with "UNKNOWN")'],
    ["else", "failure", "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"],
    ["never", "failure", "timeout: health rpc did not complete within 1s"],
  ])("of service %j is a %s", async (service, result, output) => {
    const one = service === undefined ? { port: grpcPort } : { port: grpcPort, service };
    expect(await probe({ grpc: one })).toEqual({ result, output });
  });

  it("of a port that nobody listens on fails", async () => {
    expect(await probe({ grpc: { port: 1 } })).toEqual({
      result: "failure",
      output: 'timeout: failed to connect service "127.0.0.1:1" within 1s: context deadline exceeded',
    });
  });
});

describe("an HTTP probe", () => {
  it.each([
    ["/", "success"],
    ["no-slash", "success"],
    ["/304", "warning"],
    ["/399", "warning"],
    ["/400", "failure"],
    ["/500", "failure"],
    ["/302?to=/200", "success"],
    ["/302?to=/500", "failure"],
    ["/302", "warning"],
    ["/300?to=/200", "warning"],
    ["/302?to=http://elsewhere.example.com/", "warning"],
    ["/302?to=http://[bad", "failure"],
    ["/302?to=ftp://127.0.0.1/", "failure"],
  ])("of %s is a %s", async (path, result) => {
    expect((await probe({ httpGet: get({ path }) })).result).toBe(result);
  });

  it("tells where it was not led on", async () => {
    const { output } = await probe({ httpGet: get({ path: "/302?to=http://elsewhere.example.com/" }) });
    expect(output).toBe("Probe terminated redirects, Response body: body");
  });

  it.each<[string, Partial<V1HTTPGetAction>]>([
    ["a host that is none", { host: "a b" }],
    ["a header that is none", { httpHeaders: [{ name: "X", value: "a\nb" }] }],
  ])("with %s cannot be carried out", async (_, fields) => {
    expect((await probe({ httpGet: get(fields) })).result).toBe("unknown");
  });

  it("says who it is, unless it is told to say something else", async () => {
    heard.length = 0;
    await probe({ httpGet: get() });
    await probe({ httpGet: get({ httpHeaders: [{ name: "user-agent", value: "me" }] }) });
    await probe({ httpGet: get({ httpHeaders: [{ name: "User-Agent", value: "" }] }) });
    expect(heard.map(({ headers }) => headers["user-agent"])).toEqual(["kube-probe/1.36", "me", undefined]);
  });

  it("of a server that says nothing fails in time", async () => {
    const { result, output } = await probe({ httpGet: { port: portOf(mute) } });
    expect([result, output]).toEqual(["failure", expect.stringContaining("context deadline exceeded")]);
  });

  it("of a port whose name nobody knows cannot be carried out", async () => {
    expect((await probe({ httpGet: { port: "nothing" } })).result).toBe("unknown");
  });
});

describe("a hook", () => {
  const hook = (httpGet: V1HTTPGetAction) =>
    runHook({ httpGet }, target, {
      timeoutSeconds: 1,
      signal: AbortSignal.timeout(5_000),
      fellBack: (host) => fallbacks.push(host),
    });
  const fallbacks: string[] = [];

  it("asks with its own name, and takes any answer", async () => {
    heard.length = 0;
    await hook(get({ path: "/500", httpHeaders: [{ name: "X-A", value: "b" }] }));
    expect(heard[0]?.headers).toMatchObject({ "user-agent": "kube-lifecycle/1.36", "x-a": "b" });
  });

  it("asks in plain HTTP who does not speak TLS, without what proves who asks", async () => {
    heard.length = 0;
    await hook(get({ scheme: "HTTPS", httpHeaders: [{ name: "Authorization", value: "Bearer x" }] }));
    expect(heard[0]?.headers).toMatchObject({ "user-agent": "kube-lifecycle/1.36" });
    expect(heard[0]?.headers.authorization).toBeUndefined();
    expect(fallbacks).toEqual([`127.0.0.1:${portOf(http)}`]);
  });

  it("fails if nobody listens", async () => {
    await expect(hook({ port: 1 })).rejects.toThrow("ECONNREFUSED");
  });
});
