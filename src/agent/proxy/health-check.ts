/** Answers load balancers that ask whether this node has endpoints of a Service (spec.healthCheckNodePort). */
import { createServer, type Server } from "node:http";
import type { Logger } from "#lib/log.ts";
import type { HealthCheck } from "./service-plan.ts";

export class HealthCheckServers {
  readonly #log: Logger;
  readonly #servers = new Map<number, { server: Server; check: HealthCheck }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Opens, changes and closes ports so that exactly these checks are answered. */
  set(checks: readonly HealthCheck[]): void {
    const wanted = new Map(checks.map((check) => [check.port, check]));
    for (const [port, { server }] of this.#servers) if (!wanted.has(port)) this.#close(port, server);
    for (const [port, check] of wanted) {
      const open = this.#servers.get(port);
      if (open === undefined) this.#open(port, check);
      else open.check = check;
    }
  }

  stop(): void {
    for (const [port, { server }] of this.#servers) this.#close(port, server);
  }

  #open(port: number, check: HealthCheck): void {
    const server = createServer((_request, response) => {
      const { namespace, name, localEndpoints } = this.#servers.get(port)?.check ?? check;
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        "content-type": "application/json",
        "x-content-type-options": "nosniff",
        "x-load-balancing-endpoint-weight": localEndpoints,
      });
      const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: true };
      response.end(JSON.stringify(body, undefined, "\t"));
    });
    server.on("error", (error) => {
      this.#log.warn("health check port cannot be opened", {
        port,
        service: `${check.namespace}/${check.name}`,
        error,
      });
      this.#servers.delete(port);
    });
    this.#servers.set(port, { server, check });
    server.listen(port);
  }

  #close(port: number, server: Server): void {
    this.#servers.delete(port);
    server.close();
    server.closeAllConnections();
  }
}
