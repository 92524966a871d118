import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { V1Container } from "#api/generated/types.ts";
import { ContainerProbes } from "./container-probes.ts";
import type { ProbeTarget } from "./probe.ts";

let code = 200;
const server = createServer((_request, response) => response.writeHead(code).end("body"));
beforeAll(async () => void (await once(server.listen(0, "127.0.0.1"), "listening")));
afterAll(() => void server.close());

/** Probes of a container that started now, and what they tell, in turn. */
function probesOf(container: Partial<V1Container>) {
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  const wake = () => waiting.splice(0).forEach((go) => go());
  const probes = new ContainerProbes({
    target: {
      ip: "127.0.0.1",
      container: { name: "c", ...container },
      environment: new Map(),
    } as unknown as ProbeTarget,
    startedAtMs: Date.now(),
    changed: wake,
    tell: (reason, message) => {
      told.push(`${reason} ${message}`);
      wake();
    },
  });
  const next = () => new Promise<void>((resolve) => void waiting.push(resolve));
  probes.start();
  return { probes, told, next };
}

const httpGet = () => ({ port: (server.address() as AddressInfo).port });

test("a redirect to another place is a success with a warning", async () => {
  code = 300;
  const { probes, told, next } = probesOf({ readinessProbe: { httpGet: httpGet() } });
  await next();
  expect(probes.verdict).toMatchObject({ ready: true, failed: undefined });
  expect(told).toEqual(["ProbeWarning Readiness probe warning: Probe terminated redirects, Response body: body"]);
  probes.stop();
});

test("what could not be asked is told, and changes nothing", async () => {
  const { probes, told, next } = probesOf({ livenessProbe: { httpGet: { port: "none" }, failureThreshold: 1 } });
  await next();
  expect(probes.verdict).toEqual({ started: true, ready: true, failed: undefined });
  expect(told).toEqual(["Unhealthy Liveness probe errored and resulted in unknown state: couldn't find port: none"]);
  probes.stop();
});

test("a container that is being ended is still asked whether it serves, no longer whether it lives", async () => {
  code = 200;
  const { probes, told, next } = probesOf({
    livenessProbe: { httpGet: httpGet(), periodSeconds: 1, failureThreshold: 1 },
    readinessProbe: { httpGet: httpGet(), periodSeconds: 1, failureThreshold: 1 },
  });
  await next();
  expect(probes.verdict.ready).toBe(true);
  probes.spare();
  code = 500;
  await next();
  expect(probes.verdict).toMatchObject({ ready: false, failed: undefined });
  expect(told).toEqual(["Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 500"]);
  probes.stop();
});
