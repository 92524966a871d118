import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { silentLogger } from "#lib/log.ts";
import { HealthCheckServers } from "./health-check.ts";

const servers = new HealthCheckServers(silentLogger);
afterEach(() => servers.stop());

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function ask(port: number): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  return { status: response.status, body: await response.json() };
}

test("health checks say how many endpoints are here, follow changes, and end with their Service", async () => {
  const port = await freePort();
  const check = { namespace: "default", name: "web", port, localEndpoints: 2 };
  servers.set([check]);
  const service = { namespace: "default", name: "web" };
  expect(await ask(port)).toEqual({ status: 200, body: { service, localEndpoints: 2, serviceProxyHealthy: true } });
  const { headers } = await fetch(`http://127.0.0.1:${port}/`);
  expect(headers.get("x-load-balancing-endpoint-weight")).toBe("2");
  servers.set([{ ...check, localEndpoints: 0 }]);
  expect(await ask(port)).toEqual({ status: 503, body: { service, localEndpoints: 0, serviceProxyHealthy: true } });
  servers.set([]);
  await expect(ask(port)).rejects.toThrow();
});
