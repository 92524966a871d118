/** A real Git server: git's own http-backend behind Node's HTTP server on loopback, with basic authentication if asked. */
import { spawn } from "node:child_process";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

const backend = "/usr/lib/git-core/git-http-backend";

export interface GitServer {
  url(repository: string): string;
  /** Requests so far, as "GET /fleet.git/info/refs". */
  requests: string[];
  close(): Promise<void>;
}

export async function startGitServer(
  folder: string,
  login?: { username: string; password: string },
): Promise<GitServer> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    requests.push(`${request.method} ${url.pathname}`);
    const wanted =
      login === undefined
        ? undefined
        : `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
    if (wanted !== undefined && request.headers.authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    const child = spawn(backend, {
      env: {
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? "GET",
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        REMOTE_USER: "test",
        REMOTE_ADDR: "127.0.0.1",
        HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        CONTENT_LENGTH: String(request.headers["content-length"] ?? ""),
      },
    });
    request.pipe(child.stdin);
    child.stdin.on("error", () => {});
    let head: Buffer | undefined = Buffer.alloc(0);
    child.stdout.on("data", (chunk: Buffer) => {
      if (head === undefined) return void response.write(chunk);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const headers = head
        .subarray(0, end)
        .toString("latin1")
        .split("\r\n")
        .map((line) => line.split(/: */, 2) as [string, string]);
      const status = Number(headers.find(([name]) => name.toLowerCase() === "status")?.[1]?.split(" ")[0] ?? 200);
      response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name.toLowerCase() !== "status")));
      response.write(head.subarray(end + 4));
      head = undefined;
    });
    child.on("close", () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (repository) => `http://127.0.0.1:${port}/${repository}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
