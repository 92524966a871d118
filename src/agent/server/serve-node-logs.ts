/**
 * /logs/…: the log files of the machine, with those of this node's containers under "pods", as a directory to browse.
 * Upstream: kubelet.go ServeLogs over Go's http.FileServer, whose pages and redirects these are.
 */
import { createReadStream } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { escapeHtml } from "#api/go-text.ts";
import { answer, type NodeRequest } from "./node-request.ts";

const machineLogs = "/var/log";
const podsEntry = "pods";

export async function serveNodeLogs(
  request: IncomingMessage,
  response: ServerResponse,
  { url, parts: [, ...names], options: { paths } }: NodeRequest,
): Promise<void> {
  if (!["GET", "HEAD"].includes(request.method ?? "GET")) return answer(response, 405, "Method Not Allowed");
  const isFolderPath = url.pathname.endsWith("/");
  if (names.length === 0 && !isFolderPath) return answer(response, 404, "404 page not found\n");
  const path = await pathOf(names, paths.logs);
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path === undefined || found === undefined) return answer(response, 404, "404 page not found\n");
  if (found.isDirectory() !== isFolderPath) {
    const name = encodeURIComponent(names.at(-1) ?? "");
    response.writeHead(301, { location: `${found.isDirectory() ? `${name}/` : `../${name}`}${url.search}` });
    return void response.end();
  }
  response.setHeader("last-modified", found.mtime.toUTCString());
  if (found.isDirectory()) return await sendFolder(response, path, names.length === 0 ? [podsEntry] : []);
  if (!found.isFile()) return answer(response, 404, "404 page not found\n");
  response.writeHead(200, { "content-type": await typeOf(path), "content-length": found.size });
  if (request.method === "HEAD") return void response.end();
  // It may be written meanwhile: what was announced is what is sent.
  if (found.size === 0) return void response.end();
  await pipeline(createReadStream(path, { end: found.size - 1 }), response);
}

/** Links may lead to other logs, nowhere else. Undefined: nothing is there. */
async function pathOf(names: readonly string[], podLogs: string): Promise<string | undefined> {
  const [first = "", ...others] = names;
  const path = first === podsEntry ? join(podLogs, ...others) : join(machineLogs, ...names);
  try {
    const [real, ...roots] = await Promise.all([
      realpath(path),
      realpath(podLogs),
      realpath(machineLogs).catch(() => podLogs),
    ]);
    return roots.some((root) => real === root || real.startsWith(`${root}/`)) ? real : undefined;
  } catch {
    return undefined;
  }
}

async function sendFolder(response: ServerResponse, path: string, more: readonly string[]): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  const named = entries.map((entry) => `${entry.name}${entry.isDirectory() ? "/" : ""}`);
  const names = [...new Set([...named, ...more.map((name) => `${name}/`)])].toSorted();
  const lines = names.map((name) => `<a href="${linkOf(name)}">${escapeHtml(name)}</a>\n`);
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(
    `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${lines.join("")}</pre>\n`,
  );
}

function linkOf(name: string): string {
  const link = encodeURIComponent(name).replaceAll("%2F", "/");
  return name.includes(":") ? `./${link}` : link;
}

const sniffedBytes = 512;

async function typeOf(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffedBytes), 0, sniffedBytes, 0);
    const start = buffer.subarray(0, bytesRead);
    if (start[0] === 0x1f && start[1] === 0x8b && start[2] === 0x08) return "application/x-gzip";
    return start.some(isBinary) ? "application/octet-stream" : "text/plain; charset=utf-8";
  } finally {
    await file.close();
  }
}

/** Bytes that no text has, as browsers see it (WHATWG MIME sniffing). */
const isBinary = (byte: number): boolean =>
  byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
