/**
 * A WebSocket whose messages begin with a channel's number, joined to the streams of a SPDY connection. Version 5 can end
 * a stream ([255, number]); the versions before 4 have a plain text in place of a status on the error channel.
 * Upstream: apimachinery/pkg/util/httpstream/wsstream, client-go/tools/remotecommand.
 */
import type { WebSocket } from "ws";
import type { StreamChoice } from "#agent/runtime/runtime-client.ts";
import type { SpdyConnection, SpdyStream } from "./spdy.ts";

/** The best first. */
export const channelProtocols: readonly string[] = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
];

export function chooseProtocol(offered: readonly string[], known: readonly string[]): string | undefined {
  return known.find((name) => offered.includes(name));
}

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
const closeChannel = 255;
/** What may wait to be sent before the other side is paused. */
const waitingBytesMax = 1024 * 1024;

/** Resolves when both sides are over. */
export async function runChannels(client: WebSocket, connection: SpdyConnection, choice: StreamChoice): Promise<void> {
  const session = new ChannelSession(client, connection, client.protocol);
  await session.run(choice);
}

class ChannelSession {
  readonly #client: WebSocket;
  readonly #connection: SpdyConnection;
  readonly #isText: boolean;
  readonly #version: number;
  readonly #streams = new Map<number, SpdyStream>();
  /** The status comes last, and whole: pieces of it wait here for the versions that show a text. */
  readonly #status: Buffer[] = [];
  #draining = false;

  constructor(client: WebSocket, connection: SpdyConnection, protocol: string) {
    this.#client = client;
    this.#connection = connection;
    this.#isText = protocol.includes("base64");
    this.#version = Number(protocol.match(/^v(\d)/)?.[1] ?? "1");
  }

  async run(choice: StreamChoice): Promise<void> {
    const early: Buffer[] = [];
    const keep = (data: unknown): void => void early.push(Buffer.from(data as Buffer));
    this.#client.on("message", keep);
    await this.#open("error", channels.error);
    if (choice.stdin) await this.#open("stdin", channels.stdin);
    if (choice.stdout) await this.#open("stdout", channels.stdout);
    if (choice.stderr) await this.#open("stderr", channels.stderr);
    if (choice.tty) await this.#open("resize", channels.resize);
    this.#client.off("message", keep);
    for (const message of early) this.#fromClient(message);
    this.#client.on("message", (data) => this.#fromClient(Buffer.from(data as Buffer)));
    this.#client.on("close", () => this.#connection.close());
    await new Promise<void>((resolve) => this.#connection.once("close", resolve));
    this.#sendOldStatus();
    this.#client.close(1000);
  }

  async #open(streamType: string, channel: number): Promise<void> {
    const stream = await this.#connection.open({ streamType });
    this.#streams.set(channel, stream);
    if (channel === channels.stdin || channel === channels.resize) return;
    stream.on("data", (data) => {
      if (channel === channels.error && this.#version < 4) this.#status.push(data);
      else this.#toClient(channel, data);
    });
    if (channel === channels.error) stream.end();
    // Once the status is there, nothing follows.
    if (channel === channels.error) stream.on("end", () => this.#connection.close());
  }

  #toClient(channel: number, data: Buffer): void {
    if (this.#client.readyState !== this.#client.OPEN) return;
    if (this.#isText) this.#client.send(`${channel}${data.toString("base64")}`);
    else this.#client.send(Buffer.concat([Buffer.from([channel]), data]), { binary: true });
    if (this.#client.bufferedAmount > waitingBytesMax && !this.#draining) this.#waitForClient();
  }

  #waitForClient(): void {
    this.#draining = true;
    this.#connection.pause();
    const timer = setInterval(() => {
      if (this.#client.bufferedAmount > waitingBytesMax / 2 && this.#client.readyState === this.#client.OPEN) return;
      clearInterval(timer);
      this.#draining = false;
      this.#connection.resume();
    }, 10);
  }

  #fromClient(message: Buffer): void {
    const [first] = message;
    if (first === undefined) return;
    const channel = this.#isText ? first - 48 : first;
    if (channel === closeChannel && this.#version >= 5) {
      if (message[1] === channels.stdin) this.#streams.get(channels.stdin)?.end();
      return;
    }
    if (channel !== channels.stdin && channel !== channels.resize) return;
    const body = message.subarray(1);
    const data = this.#isText ? Buffer.from(body.toString("latin1"), "base64") : body;
    const stream = this.#streams.get(channel);
    if (data.length === 0 || stream === undefined || stream.write(data)) return;
    this.#client.pause();
    void this.#connection.drained().then(() => this.#client.resume());
  }

  #sendOldStatus(): void {
    if (this.#version >= 4 || this.#status.length === 0) return;
    try {
      const { status, message } = JSON.parse(Buffer.concat(this.#status).toString("utf8")) as {
        status?: string;
        message?: string;
      };
      if (status !== "Success") this.#toClient(channels.error, Buffer.from(message ?? "failure"));
    } catch {
      this.#toClient(channels.error, Buffer.concat(this.#status));
    }
  }
}
