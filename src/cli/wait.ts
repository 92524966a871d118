/** `capstan wait`: until objects have a condition, a field has a value, or they are gone. */
import { setTimeout as delay } from "node:timers/promises";
import { findAll, parseJsonPath, relaxedJsonPath } from "#api/json-path.ts";
import type { UnknownObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { type Session, withSession, sessionFlags } from "./session.ts";
import { type Target, fileFlags, findTargets, selectorFlags, targetName } from "./targets.ts";

const pollMs = 50;

export const waitCommand: Command = {
  name: "wait",
  group: "Objects",
  summary: "Wait for a condition of objects",
  usage:
    "capstan wait ([-f FILENAME] | TYPE/NAME | TYPE (-l label | --all)) --for=create|delete|condition=NAME[=VALUE]|jsonpath='{PATH}'[=VALUE] [flags]",
  examples: [
    "capstan wait --for=condition=Ready pod/web",
    "capstan wait --for=delete pod/web --timeout=60s",
    "capstan wait --for=jsonpath='{.status.phase}'=Running pod/web",
  ],
  flags: [
    ...sessionFlags,
    ...fileFlags,
    ...selectorFlags,
    { name: "for", type: "string", placeholder: "CONDITION", help: "What to wait for" },
    {
      name: "timeout",
      type: "duration",
      default: "30s",
      help: "How long; 0 looks once, negative means a week",
    },
  ],
  async run(invocation) {
    return await withSession(invocation, async (session) => await wait(session, invocation));
  },
};

/** What a negative limit stands for. */
const weekMs = 7 * 24 * 3_600_000;

type Test = (object: UnknownObject | undefined) => boolean;

async function wait(session: Session, invocation: Invocation): Promise<number> {
  const { flags, io } = invocation;
  const test = readCondition(flags.string("for"));
  const isDelete = flags.string("for").toLowerCase() === "delete";
  const targets = await findTargets(session, invocation);
  if (targets.length === 0) {
    if (isDelete) return 0;
    throw new UsageError("no matching resources found");
  }
  const limitMs = flags.durationMs("timeout");
  const deadline = performance.now() + (limitMs < 0 ? weekMs : limitMs);
  const isCreate = flags.string("for").toLowerCase() === "create";
  const late: string[] = [];
  for (const target of targets) {
    const was = await waitFor(session, target, test, { isCreate, isDelete, deadline }, invocation);
    if (was === "late") late.push(`${target.resource.plural}/${target.key.name}`);
    else if (was === "met") io.stdout(`${targetName(target)} condition met\n`);
  }
  const fault = "timed out waiting for the condition";
  if (late.length === 1) io.stderr(`error: ${fault}${isCreate ? "" : ` on ${late[0]}`}\n`);
  else for (const name of late) io.stderr(`${fault} on ${name}\n`);
  return late.length === 0 ? 0 : 1;
}

async function waitFor(
  { client }: Session,
  { resource, key }: Target,
  test: Test,
  { isCreate, isDelete, deadline }: { isCreate: boolean; isDelete: boolean; deadline: number },
  { io }: Invocation,
): Promise<"met" | "late" | "never there"> {
  for (let isFirst = true; ; isFirst = false) {
    const object = await client.get(resource, key).catch((error: unknown) => {
      if (isNotFound(error) && (isCreate || isDelete)) return undefined;
      throw error;
    });
    if (test(object)) return isDelete && isFirst ? "never there" : "met";
    if (performance.now() >= deadline || io.signal.aborted) return "late";
    await delay(pollMs);
  }
}

function readCondition(text: string): Test {
  const lower = text.toLowerCase();
  if (lower === "delete") return (object) => object === undefined;
  if (lower === "create") return (object) => object !== undefined;
  if (lower.startsWith("condition=")) {
    const [, name = "", value = "true"] = text.match(/^condition=([^=]+)(?:=(.+))?$/i) ?? [];
    return (object) => {
      const { conditions = [], observedGeneration } = (object?.["status"] ?? {}) as {
        conditions?: { type: string; status: string; observedGeneration?: number }[];
        observedGeneration?: number;
      };
      const found = conditions.find(({ type }) => type.toLowerCase() === name.toLowerCase());
      const seen = found?.observedGeneration ?? observedGeneration;
      if (seen !== undefined && object?.metadata.generation !== undefined && seen < object.metadata.generation)
        return false;
      return found?.status.toLowerCase() === value.toLowerCase();
    };
  }
  const match = text.match(/^jsonpath=(\{.*?\})(?:=(.*))?$/s);
  if (match === null) throw new UsageError(`unrecognized condition: ${JSON.stringify(text)}`);
  const path = parseJsonPath(relaxedJsonPath(match[1]!));
  return (object) => {
    const found = object === undefined ? [] : findAll(path, object);
    return match[2] === undefined ? found.length > 0 : found.length === 1 && String(found[0]) === match[2];
  };
}
