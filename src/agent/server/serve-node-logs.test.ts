import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentPaths } from "#agent/agent-paths.ts";
import type { NodeRequest } from "./node-request.ts";
import { serveNodeLogs } from "./serve-node-logs.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-logs-"));
const paths = agentPaths(folder);
let server: Server;
let base = "";

beforeAll(async () => {
  mkdirSync(join(paths.logs, "n_p_u/c"), { recursive: true });
  writeFileSync(join(paths.logs, "n_p_u/c/0.log"), "2026-01-01T00:00:00Z stdout F hello\n");
  writeFileSync(join(paths.logs, "n_p_u/c/0.log.gz"), gzipSync("old"));
  writeFileSync(join(paths.logs, "n_p_u/c/a<b>:c"), "");
  symlinkSync("c/0.log", join(paths.logs, "n_p_u/link"));
  symlinkSync(join(folder, "secret"), join(paths.logs, "n_p_u/out"));
  writeFileSync(join(folder, "secret"), "secret");
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://node");
    const parts = url.pathname.split("/").filter((part) => part !== "");
    const parsed = { url, parts: parts.map(decodeURIComponent), options: { paths } } as unknown as NodeRequest;
    void serveNodeLogs(request, response, parsed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const get = async (path: string, method = "GET") => {
  const answer = await fetch(base + path, { redirect: "manual", method });
  const { headers, status } = answer;
  return { status, type: headers.get("content-type"), location: headers.get("location"), text: await answer.text() };
};

describe("the logs of a node", () => {
  it("are a folder with those of containers under pods", async () => {
    const { status, type, text } = await get("/logs/");
    expect([status, type]).toEqual([200, "text/html; charset=utf-8"]);
    expect(text).toMatch(/^<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n/);
    expect(text).toContain('<a href="pods/">pods/</a>\n');
  });

  it("name what is in a folder", async () => {
    expect((await get("/logs/pods/n_p_u/c/")).text.split("\n").slice(3, -1)).toEqual([
      '<a href="0.log">0.log</a>',
      '<a href="0.log.gz">0.log.gz</a>',
      '<a href="./a%3Cb%3E%3Ac">a&lt;b&gt;:c</a>',
      "</pre>",
    ]);
  });

  it.each([
    ["/logs/pods/n_p_u/c/0.log", "text/plain; charset=utf-8", "2026-01-01T00:00:00Z stdout F hello\n"],
    ["/logs/pods/n_p_u/link", "text/plain; charset=utf-8", "2026-01-01T00:00:00Z stdout F hello\n"],
    ["/logs/pods/n_p_u/c/a%3Cb%3E:c", "text/plain; charset=utf-8", ""],
  ])("hold %s", async (path, type, text) => {
    expect(await get(path)).toEqual({ status: 200, type, location: null, text });
  });

  it("tell what is packed", async () => {
    expect(await get("/logs/pods/n_p_u/c/0.log.gz")).toMatchObject({ status: 200, type: "application/x-gzip" });
  });

  it.each([
    ["/logs/pods/n_p_u", "n_p_u/"],
    ["/logs/pods/n_p_u/c/0.log/", "../0.log"],
  ])("%s is to be asked as %s", async (path, location) => {
    expect(await get(path)).toMatchObject({ status: 301, location });
  });

  it.each(["/logs", "/logs/pods/x", "/logs/pods/n_p_u/out"])("%s is not there", async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  it("are only read", async () => {
    expect((await get("/logs/", "DELETE")).status).toBe(405);
  });
});
