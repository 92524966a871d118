/** `capstan cp`: files into and out of containers, by tar on both sides. Upstream: kubectl/pkg/cmd/cp. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, posix, resolve } from "node:path";
import { Pod } from "#api/core/pod.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { runInContainer } from "./container-streams.ts";
import { defaultContainer } from "./logs.ts";
import { type Session, sessionFlags, withSession } from "./session.ts";
import { unpack } from "./unpack.ts";

export const copyCommand: Command = {
  name: "cp",
  group: "Objects",
  summary: "Copy files to and from containers",
  usage: "capstan cp FILE [NAMESPACE/]POD:FILE | [NAMESPACE/]POD:FILE FILE [flags]",
  description:
    "Copies files and folders. The container's image must have the tar program. What comes out of a container is not trusted: of it only folders and plain files are kept.",
  examples: ["capstan cp settings.json web-0:/tmp/settings.json", "capstan cp demo/web-0:/var/log ./log -c main"],
  flags: [
    ...sessionFlags,
    { name: "container", short: "c", type: "string", placeholder: "NAME", help: "Which container" },
    { name: "no-preserve", type: "boolean", help: "Do not keep owners and permissions" },
  ],
  async run(invocation) {
    if (invocation.args.length !== 2) throw new UsageError("source and destination are required");
    const [from, to] = invocation.args.map(readPlace) as [Place, Place];
    if (from.path === "" || to.path === "") throw new UsageError("filepath can not be empty");
    if (from.pod !== undefined && to.pod !== undefined)
      throw new UsageError("one of src or dest must be a local file specification");
    if (from.pod === undefined && to.pod === undefined)
      throw new UsageError("one of src or dest must be a remote file specification");
    return await withSession(invocation, async (session) =>
      to.pod !== undefined
        ? await upload(session, from.path, to, invocation)
        : await download(session, from, to.path, invocation),
    );
  },
};

interface Place {
  namespace?: string;
  pod?: string;
  path: string;
}

/** "[namespace/]pod:path", or a path of this machine. */
function readPlace(text: string): Place {
  const cut = text.indexOf(":");
  if (cut < 1 || text.startsWith(".") || text.startsWith("/")) return { path: text };
  const [first = "", second] = text.slice(0, cut).split("/");
  const path = text.slice(cut + 1);
  return second === undefined ? { pod: first, path } : { namespace: first, pod: second, path };
}

async function inContainer(
  session: Session,
  { namespace = session.namespace, pod: name }: Place,
  { flags, io }: Invocation,
  command: readonly string[],
  streams: { stdin?: NonNullable<ChildProcess["stdout"]>; stdout?: (bytes: Buffer) => void } = {},
): Promise<number> {
  const pod = await session.client.get(Pod, { namespace, name });
  const container = flags.string("container") || defaultContainer(pod, (text) => io.stderr(text));
  const { code, fault } = await runInContainer(session, pod, {
    subresource: "exec",
    container,
    command,
    ...(streams.stdin === undefined ? {} : { stdin: streams.stdin }),
    stdout: streams.stdout ?? (() => {}),
    stderr: (bytes) => io.stderr(bytes.toString("utf8")),
    signal: io.signal,
  });
  if (fault !== undefined) throw new UsageError(fault);
  return code;
}

/** A destination that is a folder takes the source under its own name, any other is the new name. */
async function upload(session: Session, from: string, to: Place, invocation: Invocation): Promise<number> {
  if (!existsSync(from)) throw new UsageError(`${from} doesn't exist in local filesystem`);
  const isFolder = (await inContainer(session, to, invocation, ["test", "-d", to.path])) === 0;
  const target = isFolder ? posix.join(to.path, basename(resolve(from))) : to.path;
  const source = resolve(from);
  const rename = `--transform=flags=rSh;s|^${escaped(basename(source))}|${escaped(posix.basename(target))}|`;
  const tar = spawn("tar", ["-cf", "-", rename, "-C", dirname(source), "--", basename(source)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const keep = invocation.flags.boolean("no-preserve") ? ["--no-same-permissions", "--no-same-owner"] : [];
  const command = ["tar", ...keep, "-xmf", "-", "-C", posix.dirname(target)];
  const ended = endOf(tar);
  ended.catch(() => {});
  try {
    const code = await inContainer(session, to, invocation, command, { stdin: tar.stdout });
    if (code !== 0) throw new UsageError(`command terminated with exit code ${code}`);
    return await ended;
  } finally {
    // It would wait for ever for somebody to read the rest.
    tar.kill();
  }
}

async function download(session: Session, from: Place, to: string, invocation: Invocation): Promise<number> {
  const source = posix.normalize(from.path).replace(/(?<=.)\/$/, "");
  const last = posix.basename(source);
  const isWhole = last === "" || last === "." || last === "..";
  const [folder, name] = isWhole ? [source, "."] : [posix.dirname(source), last];
  const isFolder = existsSync(to) && statSync(to).isDirectory();
  const unpacking = unpack({
    name,
    target: isFolder ? join(to, name) : to,
    isPreserving: !invocation.flags.boolean("no-preserve"),
    warn: (text) => invocation.io.stderr(text),
  });
  try {
    const command = ["tar", "cf", "-", "-C", folder, name];
    const code = await inContainer(session, from, invocation, command, { stdout: (bytes) => unpacking.write(bytes) });
    const { code: local, isFound } = await unpacking.finish();
    if (code !== 0) return code;
    if (!isFound) throw new UsageError(`what the container sent does not hold ${JSON.stringify(name)}`);
    return local;
  } finally {
    unpacking.clear();
  }
}

const escaped = (name: string): string => name.replace(/[\\|&.*^$[\]]/g, "\\$&");

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolveCode, reject) => {
    child.on("error", (error) => reject(new UsageError(`tar on this machine: ${error.message}`)));
    child.on("close", (code) => resolveCode(code ?? 1));
  });
}
