/** From a commit and a Kustomization to objects: the folder is rendered, then substituted. */
import { posix } from "node:path";
import type { V1ConfigMap, V1Secret } from "#api/generated/types.ts";
import type { UnknownObject } from "#api/object.ts";
import { isNotFound } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import type { ResourceRef } from "#client/resource-path.ts";
import { CommitRenders } from "./commit-files.ts";
import type { Kustomization } from "./kinds.ts";
import { policyOf } from "./plan.ts";
import type { FileTree } from "./render/file-tree.ts";
import { renderFolder } from "./render/render-folder.ts";
import { RunFailure } from "./run-failure.ts";
import type { SourceState } from "./sources.ts";
import { substituteObject } from "./substitute.ts";

export interface RenderedObject {
  object: UnknownObject;
  origin: string;
}

export interface Rendered {
  objects: RenderedObject[];
  /** Files that could not be read; everything else was. */
  errors: { origin: string; message: string }[];
}

/** Rejects where nothing can be rendered: no such path, a kustomization that does not build. */
export type RenderSource = (kustomization: Kustomization, source: SourceState) => Promise<Rendered>;

export interface SettingKinds {
  secret: ResourceRef<V1Secret>;
  configMap: ResourceRef<V1ConfigMap>;
}

/** Fields of Flux's API that are accepted and not served; a condition says so. */
const unserved = ["decryption", "kubeConfig", "healthCheckExprs", "ignore"] as const;

export function unservedField({ spec }: Kustomization): string | undefined {
  if (spec.dependsOn?.some(({ readyExpr }) => readyExpr !== undefined)) return "dependsOn.readyExpr";
  return unserved.find((name) => spec[name] !== undefined);
}

export function createRenderSource(client: Client, kinds: SettingKinds): RenderSource {
  const renders = new CommitRenders<Rendered>();
  return async (kustomization, source) => {
    const { metadata, spec } = kustomization;
    const rendered = await renders.render(source, {
      name: `${metadata.namespace}/${metadata.name}`,
      key: JSON.stringify(spec),
      folder: posix.join("/", spec.path ?? ""),
      render: (tree) => renderTree(kustomization, tree),
    });
    const variables = await readVariables(client, kinds, kustomization);
    if (variables === undefined) return rendered;
    return { ...rendered, objects: rendered.objects.map((one) => substituted(one, variables)) };
  };
}

function renderTree({ spec }: Kustomization, tree: FileTree): Rendered {
  const path = posix.join("/", spec.path ?? "");
  const found = tree.find(path);
  if (found === undefined || !found.isDirectory)
    throw new RunFailure(
      "ArtifactFailed",
      `kustomization path not found: stat ${spec.path ?? "./"}: no such file or directory`,
    );
  const { objects, problems } = renderFolder(tree, found.path, spec);
  return {
    objects: objects.map(({ object, origin }) => ({ object: object as UnknownObject, origin })),
    errors: [...problems],
  };
}

function substituted(one: RenderedObject, variables: Record<string, string>): RenderedObject {
  if (policyOf(one.object, "substitute") === "disabled") return one;
  try {
    return { ...one, object: substituteObject(one.object, variables) };
  } catch (error) {
    throw new RunFailure("BuildFailed", `${one.origin}: ${(error as Error).message}`);
  }
}

/** postBuild's variables: later sources win, inline ones over all. undefined: nothing is substituted. */
async function readVariables(
  client: Client,
  kinds: SettingKinds,
  { metadata, spec }: Kustomization,
): Promise<Record<string, string> | undefined> {
  const { postBuild } = spec;
  if (postBuild === undefined) return undefined;
  const variables: Record<string, string> = {};
  for (const { kind, name, optional } of postBuild.substituteFrom ?? []) {
    const key = { namespace: metadata.namespace, name };
    try {
      if (kind === "ConfigMap") Object.assign(variables, (await client.get(kinds.configMap, key)).data);
      else {
        const { data = {} } = await client.get(kinds.secret, key);
        for (const [field, value] of Object.entries(data))
          variables[field] = Buffer.from(value, "base64").toString("utf8");
      }
    } catch (error) {
      if (isNotFound(error) && optional === true) continue;
      throw new RunFailure("BuildFailed", `substitute from '${kind}/${name}' error: ${(error as Error).message}`);
    }
  }
  Object.assign(variables, postBuild.substitute);
  const isNeeded = Object.keys(variables).length > 0 || postBuild.substituteStrategy === "Always";
  return isNeeded ? variables : undefined;
}
