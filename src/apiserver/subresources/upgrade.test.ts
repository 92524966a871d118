import { Duplex, PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { ServerRequest } from "#apiserver/request.ts";
import { answerHead, passUpgrade } from "./upgrade.ts";

/** A connection with both ends in hand: what is written to it, and what it reads. */
function connection() {
  const incoming = new PassThrough();
  const outgoing = new PassThrough();
  const stream = Duplex.from({ readable: incoming, writable: outgoing });
  // Such a pair tells of its own destruction as an error.
  stream.on("error", () => {});
  return { incoming, outgoing, stream };
}

const request = (socket: Duplex, headers: Record<string, string>) =>
  ({
    method: "GET",
    headers: () => headers,
    upgrade: { socket, head: Buffer.from("early") },
  }) as unknown as ServerRequest;

const upgrade = { connection: "Upgrade", upgrade: "websocket" };

describe("an upgrade", () => {
  it("passes bytes both ways after a 101, and shows the backend nobody's credentials", async () => {
    const client = connection();
    const backend = connection();
    const secrets = { authorization: "Bearer x", cookie: "c", "impersonate-user": "u", "x-remote-user": "r" };
    const passing = passUpgrade(request(client.stream, { ...upgrade, ...secrets }), backend.stream, "/p", "h:1");
    backend.incoming.write("HTTP/1.1 101 Switching Protocols\r\n\r\nfirst");
    await passing;
    backend.incoming.write(" second");
    client.incoming.write(" later");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(String(client.outgoing.read())).toBe("HTTP/1.1 101 Switching Protocols\r\n\r\nfirst second");
    expect(String(backend.outgoing.read())).toBe(
      "GET /p HTTP/1.1\r\nHost: h:1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nearly later",
    );
  });

  it.each(["302 Found\r\nLocation: http://169.254.169.254/", "200 OK", "403 Forbidden", "500 Oops"])(
    "ends both connections' way on %j",
    async (line) => {
      const client = connection();
      const backend = connection();
      const passing = passUpgrade(request(client.stream, upgrade), backend.stream, "/p", "h:1");
      backend.incoming.write(`HTTP/1.1 ${line}\r\n\r\nsecret`);
      await expect(passing).rejects.toThrow("refused the upgrade");
      expect(backend.stream.destroyed).toBe(true);
      expect(client.outgoing.read()).toBeNull();
    },
  );

  it("does not take in a head without an end", async () => {
    const backend = connection();
    const head = answerHead(backend.stream);
    backend.incoming.write(Buffer.alloc(70 * 1024, "a"));
    await expect(head).rejects.toThrow("too large a head");
    expect(backend.stream.destroyed).toBe(true);
  });

  it("leaves no connection to a silent backend behind when the client goes away", async () => {
    const client = connection();
    const backend = connection();
    const passing = passUpgrade(request(client.stream, upgrade), backend.stream, "/p", "h:1");
    client.stream.destroy();
    await expect(passing).rejects.toThrow("closed the connection");
    expect(backend.stream.destroyed).toBe(true);
  });

  it("fails when the backend goes away", async () => {
    const backend = connection();
    const head = answerHead(backend.stream);
    backend.incoming.end();
    await expect(head).rejects.toThrow("closed the connection");
  });
});
