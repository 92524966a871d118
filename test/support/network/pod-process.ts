/** Stands for a container: serves HTTP and UDP with its name and who asked, and asks others when told to. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { Resolver } from "node:dns/promises";
import { createServer, get } from "node:http";
import { answerLines } from "./line-process.ts";

const [name = "pod", port = "8080"] = process.argv.slice(2);
const timeoutMs = 1_500;

const server = createServer((request, response) => {
  response.end(JSON.stringify({ name, from: request.socket.remoteAddress?.replace("::ffff:", "") }));
});
const listening = once(server, "listening");
server.listen(Number(port));

const echo = createSocket("udp4");
echo.on("message", (_message, from) =>
  echo.send(JSON.stringify({ name, from: from.address }), from.port, from.address),
);
const bound = once(echo, "listening");
echo.bind(Number(port));

const sender: Socket = createSocket("udp4");

answerLines(async (command, value: { url: string; host: string; port: number; server: string; type: string }) => {
  if (command === "ready") return void (await Promise.all([listening, bound]));
  if (command === "get") return await ask(value.url);
  if (command === "send") return await send(value.host, value.port);
  if (command === "resolve") return await resolve(value.server, value.host, value.type);
  throw new Error(`unknown command ${command}`);
});

/** "refused" and "timeout" are results: tests expect them. */
async function ask(url: string): Promise<unknown> {
  const { promise, resolve: tell } = Promise.withResolvers<unknown>();
  const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
    let text = "";
    response.on("data", (chunk: Buffer) => (text += chunk.toString()));
    response.on("end", () => tell(parse(text, response.statusCode)));
  });
  request.on("timeout", () => {
    tell("timeout");
    request.destroy();
  });
  request.on("error", (error: NodeJS.ErrnoException) => tell(error.code === "ECONNREFUSED" ? "refused" : error.code));
  return await promise;
}

function parse(text: string, status: number | undefined): unknown {
  return { status, ...(JSON.parse(text) as object) };
}

/** Always from the same port, as a long-lived sender does. */
async function send(host: string, to: number): Promise<unknown> {
  const { promise, resolve: tell } = Promise.withResolvers<unknown>();
  const timer = setTimeout(() => tell("timeout"), timeoutMs);
  sender.once("message", (message) => tell(JSON.parse(message.toString())));
  sender.send("hello", to, host);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    sender.removeAllListeners("message");
  }
}

async function resolve(server: string, host: string, type: string): Promise<unknown> {
  const resolver = new Resolver({ timeout: 2_000, tries: 1 });
  resolver.setServers([server]);
  try {
    return type === "PTR" ? await resolver.reverse(host) : await resolver.resolve(host, type);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
