/** `capstan port-forward`: local ports to a pod's, one WebSocket for each connection (portforward.k8s.io v4). */
import { type AddressInfo, type Socket, createServer } from "node:net";
import type { RawData } from "ws";
import { Pod } from "#api/core/pod.ts";
import { Service } from "#api/core/service.ts";
import type { V1Pod, V1Service } from "#api/generated/types.ts";
import { objectPath } from "#client/resource-path.ts";
import { type Command, type Invocation, UsageError, hinted } from "./command.ts";
import { selectorOf } from "./logs.ts";
import { selectResources } from "./resource-arguments.ts";
import { type Session, withSession, sessionFlags } from "./session.ts";
import { openWebSocket } from "./web-socket.ts";

interface Forward {
  local: number;
  remote: number;
}

export const portForwardCommand: Command = {
  name: "port-forward",
  group: "Objects",
  summary: "Forward local ports to a pod",
  usage: "capstan port-forward TYPE/NAME [LOCAL_PORT:]REMOTE_PORT ... [flags]",
  examples: [
    "capstan port-forward pod/web 8080:80",
    "capstan port-forward service/web 8080:http",
    "capstan port-forward deployment/web :8080",
  ],
  flags: [
    ...sessionFlags,
    { name: "address", type: "string", default: "localhost", placeholder: "IP", help: "Local address to listen on" },
  ],
  async run(invocation) {
    return await withSession(invocation, async (session) => await portForward(session, invocation));
  },
};

async function portForward(session: Session, { args, flags, io }: Invocation): Promise<number> {
  const [word, ...ports] = args;
  if (word === undefined || ports.length === 0)
    throw hinted("TYPE/NAME and list of ports are required for port-forward", "port-forward");
  const { pod, service } = await findPod(session, word);
  if (pod.status?.phase !== "Running")
    throw new UsageError(
      `unable to forward port because pod is not running. Current status=${pod.status?.phase ?? "Unknown"}`,
    );
  const address = flags.string("address") === "localhost" ? "127.0.0.1" : flags.string("address");
  for (const text of ports) {
    const { local, remote } = readPorts(text, pod, service);
    const server = createServer((socket) => void relay(session, pod, remote, socket, io, local));
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(local, address, resolve));
    io.stdout(`Forwarding from ${address}:${(server.address() as AddressInfo).port} -> ${remote}\n`);
    io.signal.addEventListener("abort", () => server.close(), { once: true });
  }
  await new Promise<void>((resolve) => io.signal.addEventListener("abort", () => resolve(), { once: true }));
  return 0;
}

async function findPod(
  { client, namespace, discovery }: Session,
  word: string,
): Promise<{ pod: V1Pod; service?: V1Service }> {
  if (!word.includes("/")) return { pod: await client.get(Pod, { namespace, name: word }) };
  const [selection] = await selectResources(discovery, [word]);
  const name = selection!.names[0]!;
  if (selection!.resource.kind === "Pod") return { pod: await client.get(Pod, { namespace, name }) };
  const owner = await client.get(selection!.resource, { namespace, name });
  const pods = await client.list(Pod, {
    namespace,
    labelSelector: selectorOf({ ...owner, kind: selection!.resource.kind }),
  });
  const running = pods.items.find(({ status }) => status?.phase === "Running");
  if (running === undefined) throw new UsageError(`${word} has no running pod`);
  return {
    pod: running,
    ...(selection!.resource.kind === "Service" ? { service: await client.get(Service, { namespace, name }) } : {}),
  };
}

/** "8080:80", "80", ":http": names are looked up in the Service's or the pod's ports. */
function readPorts(text: string, pod: V1Pod, service: V1Service | undefined): Forward {
  const [first = "", second] = text.split(":");
  const remoteText = second ?? first;
  const inPod = (name: string | number) =>
    typeof name === "number"
      ? name
      : (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => ports).find((port) => port.name === name)
          ?.containerPort;
  const servicePort = service?.spec?.ports?.find(
    (port) => port.name === remoteText || String(port.port) === remoteText,
  );
  const remote =
    servicePort === undefined
      ? /^\d+$/.test(remoteText)
        ? Number(remoteText)
        : inPod(remoteText)
      : inPod(servicePort.targetPort ?? servicePort.port);
  if (remote === undefined || remote < 1 || remote > 65535)
    throw new UsageError(`error converting port "${text}": no such port`);
  const local =
    second === undefined ? (/^\d+$/.test(first) ? Number(first) : remote) : first === "" ? 0 : Number(first);
  return { local, remote };
}

async function relay(
  session: Session,
  pod: V1Pod,
  port: number,
  socket: Socket,
  io: Invocation["io"],
  local: number,
): Promise<void> {
  io.stdout(`Handling connection for ${local}\n`);
  socket.pause();
  try {
    const stream = await openWebSocket(session, objectPath(Pod, pod.metadata, "portforward"), { ports: String(port) }, [
      "v4.channel.k8s.io",
    ]);
    const greeted = [false, false];
    stream.on("message", (data: RawData) => {
      const bytes = data as Buffer;
      const channel = bytes[0] ?? 0;
      // The first frame of each channel repeats the port.
      if (channel < 2 && greeted[channel] === false) greeted[channel] = true;
      else if (channel === 0) socket.write(bytes.subarray(1));
      else
        io.stderr(`error forwarding port ${port} to pod ${pod.metadata.name}: ${bytes.subarray(1).toString("utf8")}\n`);
    });
    stream.on("close", () => socket.end());
    stream.on("error", () => socket.destroy());
    socket.on("data", (data: Buffer) => stream.send(Buffer.concat([Buffer.from([0]), data])));
    socket.on("close", () => stream.close());
    socket.on("error", () => stream.close());
    socket.resume();
  } catch (error) {
    io.stderr(`error: ${(error as Error).message}\n`);
    socket.destroy();
  }
}
