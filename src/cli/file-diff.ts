/** `capstan diff -f`: files against what is live, as a unified diff: what applying them would change. */
import { createTwoFilesPatch } from "diff";
import type { KubernetesObject, UnknownObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import { objectPath } from "#client/resource-path.ts";
import type { Invocation } from "./command.ts";
import { withoutManagedFields, yamlText } from "./output.ts";
import { readFileObjects } from "./resource-arguments.ts";
import type { Session } from "./session.ts";
import { safeText } from "./table-text.ts";
import { type Target, fileTarget, withKind } from "./targets.ts";

/** 0: nothing differs, 1: something does. */
export async function diffFiles(session: Session, { flags, io }: Invocation): Promise<number> {
  const files = await readFileObjects(flags, io.stdin);
  let exitCode = 0;
  for (const { object } of files) {
    const target = await fileTarget(session, object);
    const text = await diffText(session, target);
    if (text === "") continue;
    io.stdout(text);
    exitCode = 1;
  }
  return exitCode;
}

async function diffText({ client }: Session, { resource, key, object }: Target): Promise<string> {
  const live = await client.get(resource, key).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  const merged = (await client.call({
    method: "PATCH",
    path: objectPath(resource, key),
    contentType: "application/apply-patch+yaml",
    body: object,
    query: { fieldManager: "capstan", force: "true", dryRun: "All" },
  })) as UnknownObject;
  const [before, after] = [
    live === undefined ? "" : content(withKind(live, resource)),
    content(withKind(merged, resource)),
  ];
  if (before === after) return "";
  const group = resource.group === "" ? "" : `${resource.group}.`;
  const name = `${group}${resource.version}.${resource.kind}.${key.namespace ?? ""}.${key.name}`;
  const shown = (text: string) =>
    resource.kind === "Secret" ? text.replace(/^(data|stringData):\n(?: {2}.*\n)*/gm, "$1: (hidden)\n") : text;
  const patch = createTwoFilesPatch(
    `LIVE/${name}`,
    `MERGED/${name}`,
    shown(before),
    shown(after),
    undefined,
    undefined,
    { context: 3 },
  );
  return safeText(`diff -u -N LIVE/${name} MERGED/${name}\n${patch.replace(/^=+\n/, "")}`);
}

/** Without what every write changes. */
function content(object: KubernetesObject): string {
  const { managedFields: _, resourceVersion: __, generation: ___, ...metadata } = withoutManagedFields(object).metadata;
  return yamlText({ ...object, metadata });
}
