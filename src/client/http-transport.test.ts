import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { HttpTransport, queryText, warningTexts } from "./http-transport.ts";

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function serve(answer: Parameters<typeof createServer>[1]): Promise<HttpTransport> {
  const server = createServer(answer!);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return new HttpTransport({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`, token: "t" });
}

describe("http transport", () => {
  test("sends path, query, token and body, and reads JSON and warnings", async () => {
    let seen: unknown;
    const transport = await serve((request, response) => {
      const { method, url, headers } = request;
      seen = { method, url, authorization: headers.authorization, type: headers["content-type"] };
      response.writeHead(201, { "content-type": "application/json", warning: '299 - "old \\"thing\\""' });
      request.pipe(response);
    });
    const answer = await transport.request({ method: "POST", path: "/api", query: { a: "b c" }, body: { x: 1 } });
    expect(answer).toEqual({ code: 201, body: { x: 1 }, warnings: ['old "thing"'] });
    const type = "application/json";
    expect(seen).toEqual({ method: "POST", url: "/prefix/api?a=b+c", authorization: "Bearer t", type });
    transport.close();
  });

  test("a watch gives whole events, wherever the stream is cut into pieces", async () => {
    const lines = ["ADDED", "MODIFIED", "DELETED"].map(
      (type) => `${JSON.stringify({ type, object: { text: "ü€" } })}\n`,
    );
    const bytes = Buffer.from(lines.join(""));
    const transport = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
      response.end();
    });
    const types: string[] = [];
    for await (const batch of transport.watch({ method: "GET", path: "/watch" }))
      for (const { type, object } of batch) types.push(`${type} ${(object as { text: string }).text}`);
    expect(types).toEqual(["ADDED ü€", "MODIFIED ü€", "DELETED ü€"]);
    transport.close();
  });

  test("a refused watch throws the server's Status", async () => {
    const status = { kind: "Status", reason: "Expired", message: "too old", code: 410 };
    const transport = await serve((_, response) => {
      response.writeHead(410, { "content-type": "application/json" });
      response.end(JSON.stringify(status));
    });
    const watch = transport.watch({ method: "GET", path: "/watch" })[Symbol.asyncIterator]();
    await expect(watch.next()).rejects.toMatchObject({ reason: "Expired", code: 410 });
    transport.close();
  });

  test("a read whose connection breaks is sent again, a write is not", async () => {
    let asked = 0;
    const transport = await serve((request, response) => {
      asked += 1;
      if (asked % 2 === 1) request.socket.destroy();
      else response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    expect(await transport.request({ method: "GET", path: "/a" })).toEqual({ code: 200, body: {} });
    expect(asked).toBe(2);
    await expect(transport.request({ method: "POST", path: "/a", body: {} })).rejects.toThrow();
    expect(asked).toBe(3);
    transport.close();
  });

  test("an aborted watch ends without an error", async () => {
    const stop = new AbortController();
    const transport = await serve((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"type":"ADDED","object":{}}\n');
    });
    let batches = 0;
    for await (const batch of transport.watch({ method: "GET", path: "/watch", signal: stop.signal })) {
      batches += batch.length;
      stop.abort();
    }
    expect(batches).toBe(1);
    transport.close();
  });

  test("queries and warnings are read and written as upstream does", () => {
    expect(queryText({})).toBe("");
    expect(queryText({ command: ["sh", "-c"], tty: "true" })).toBe("?command=sh&command=-c&tty=true");
    expect(warningTexts('299 - "a", 299 k8s "b, c"')).toEqual(["a", "b, c"]);
  });
});
