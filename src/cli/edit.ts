/** `capstan edit`: objects in an editor, then what was changed as a patch. Upstream: kubectl/pkg/cmd/util/editor. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UnknownObject } from "#api/object.ts";
import { StatusError } from "#api/status-error.ts";
import { type Command, type Invocation, UsageError } from "./command.ts";
import { withoutManagedFields, yamlText } from "./output.ts";
import { statusText } from "./refusal.ts";
import { nothingNamed, parseObjects, namesFiles } from "./resource-arguments.ts";
import { type Session, sessionFlags, withSession } from "./session.ts";
import { type Target, fileFlags, kustomizeFlag, findTargets, selectorFlags, targetName, withKind } from "./targets.ts";

const notice = [
  "Please edit the object below. Lines beginning with a '#' will be ignored,",
  "and an empty file will abort the edit. If an error occurs while saving this file will be",
  "reopened with the relevant failures.",
  "",
];

export const editCommand: Command = {
  name: "edit",
  group: "Objects",
  summary: "Edit an object in an editor",
  usage: "capstan edit (-f FILENAME | TYPE NAME) [flags]",
  description: "Opens the object as YAML in $KUBE_EDITOR, $EDITOR or vi, and sends what was changed.",
  examples: ["capstan edit deployment web", "KUBE_EDITOR=nano capstan edit configmap settings"],
  flags: [
    ...sessionFlags,
    ...fileFlags,
    kustomizeFlag,
    ...selectorFlags,
    {
      name: "field-manager",
      type: "string",
      default: "capstan-edit",
      placeholder: "NAME",
      help: "Who owns the fields",
    },
    { name: "show-managed-fields", type: "boolean", help: "Also who manages what" },
  ],
  async run(invocation) {
    const { args, flags } = invocation;
    if (args.length === 0 && !namesFiles(flags)) throw new UsageError(nothingNamed);
    return await withSession(invocation, async (session) => {
      let exitCode = 0;
      for (const target of await findTargets(session, invocation))
        exitCode = Math.max(exitCode, await editOne(session, target, invocation));
      return exitCode;
    });
  },
};

/** Opens the editor until what it leaves can be sent, is as it was, or is empty. */
async function editOne(session: Session, target: Target, { flags, io }: Invocation): Promise<number> {
  const live: UnknownObject = withKind(await session.client.get(target.resource, target.key), target.resource);
  const shown = flags.boolean("show-managed-fields") ? live : withoutManagedFields(live);
  const original = yamlText(shown);
  let text = original;
  let faults: string[] = [];
  for (;;) {
    const edited = withoutComments(openEditor(commented([...notice, ...faults]) + text, io.env));
    if (edited.trim() === "") return cancelled(io, "Edit cancelled, saved file was empty.");
    if (edited === text && faults.length > 0) return cancelled(io, "Edit cancelled, no valid changes were saved.", 1);
    if (edited === original) return cancelled(io, "Edit cancelled, no changes made.");
    text = edited;
    try {
      await send(session, target, shown, edited, flags.string("field-manager"));
      io.stdout(`${targetName(target)} edited\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof UsageError || error instanceof StatusError)) throw error;
      const fault = error instanceof StatusError ? statusText(error) : `error: ${error.message}\n`;
      io.stderr(fault);
      faults = [
        `${target.resource.plural} ${JSON.stringify(target.key.name)} was not valid:`,
        ...fault.trim().split("\n"),
        "",
      ];
    }
  }
}

function cancelled(io: Invocation["io"], text: string, code = 0): number {
  io.stderr(`${text}\n`);
  return code;
}

async function send(
  { client }: Session,
  { resource, key }: Target,
  before: UnknownObject,
  text: string,
  fieldManager: string,
): Promise<void> {
  const objects = parseObjects(text, "the edited file");
  if (objects.length !== 1) throw new UsageError("the edited file must hold one object");
  const after = objects[0]!.object;
  if (
    after.metadata.name !== before.metadata.name ||
    after.kind !== before.kind ||
    after.apiVersion !== before.apiVersion
  )
    throw new UsageError("At least one of apiVersion, kind and name was changed");
  await client.patch(resource, key, "merge", mergePatch(before, after) ?? {}, { fieldManager });
}

/** The JSON merge patch that makes `after` of `before`; undefined where they are equal. Lists are replaced whole. */
export function mergePatch(before: unknown, after: unknown): unknown {
  if (!isMap(before) || !isMap(after)) return JSON.stringify(before) === JSON.stringify(after) ? undefined : after;
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) patch[key] = null;
  for (const [key, value] of Object.entries(after)) {
    const part = Object.hasOwn(before, key) ? mergePatch(before[key], value) : value;
    if (part !== undefined) patch[key] = part;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const commented = (lines: readonly string[]): string =>
  lines.map((line) => (line === "" ? "#\n" : `# ${line}\n`)).join("");
const withoutComments = (text: string): string => text.replace(/^#.*\n?/gm, "");

/** What the editor leaves. Throws UsageError where it cannot be run or fails. */
function openEditor(text: string, env: Invocation["io"]["env"]): string {
  const folder = mkdtempSync(join(tmpdir(), "capstan-edit-"));
  const file = join(folder, "object.yaml");
  try {
    writeFileSync(file, text, { mode: 0o600 });
    const editor = env["KUBE_EDITOR"] || env["EDITOR"] || "vi";
    // An editor may come with arguments, as in "code --wait".
    const { status, error } = spawnSync("sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit", env });
    if (error !== undefined)
      throw new UsageError(`unable to launch the editor ${JSON.stringify(editor)}: ${error.message}`);
    if (status !== 0) throw new UsageError(`there was a problem with the editor ${JSON.stringify(editor)}`);
    return readFileSync(file, "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
