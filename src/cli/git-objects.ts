/** The Git objects of a cluster as commands need them: which one is meant, its settings, its secret. */
import { Secret } from "#api/core/secret.ts";
import type { Condition } from "#git/kinds.ts";
import { GitRepository, Kustomization } from "#git/kinds.ts";
import { type Flag, type FlagValues, UsageError } from "./command.ts";
import type { Session } from "./session.ts";

export const kustomizationFlag: Flag = {
  name: "kustomization",
  short: "k",
  type: "string",
  placeholder: "[NAMESPACE/]NAME",
  help: "Which Kustomization; needed only where there are several",
};

export async function listGitObjects({
  client,
}: Session): Promise<{ sources: GitRepository[]; kustomizations: Kustomization[] }> {
  const [sources, kustomizations] = await Promise.all([client.list(GitRepository), client.list(Kustomization)]);
  return { sources: sources.items, kustomizations: kustomizations.items };
}

/** The Kustomization that --kustomization names, or the only one, or the one of `capstan server --git`. */
export async function chosenKustomization(session: Session, flags: FlagValues): Promise<Kustomization> {
  const { kustomizations } = await listGitObjects(session);
  if (kustomizations.length === 0)
    throw new UsageError(
      "the cluster follows no repository: start the server with --git, or create a GitRepository and a Kustomization",
    );
  const given = flags.string("kustomization");
  if (given !== "") {
    const [namespace, name] = given.includes("/") ? (given.split("/") as [string, string]) : [undefined, given];
    const found = kustomizations.filter(
      ({ metadata }) => metadata.name === name && (namespace === undefined || metadata.namespace === namespace),
    );
    if (found.length === 1) return found[0]!;
    throw new UsageError(
      found.length === 0
        ? `no Kustomization ${given}`
        : `several Kustomizations are called ${given}: give NAMESPACE/NAME`,
    );
  }
  const own = kustomizations.find(
    ({ metadata }) => metadata.namespace === "flux-system" && metadata.name === "capstan",
  );
  if (kustomizations.length === 1) return kustomizations[0]!;
  if (own !== undefined) return own;
  throw new UsageError(
    `there are several Kustomizations, give one with --kustomization: ${kustomizations.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(", ")}`,
  );
}

export async function sourceOf(session: Session, kustomization: Kustomization): Promise<GitRepository> {
  const { sourceRef } = kustomization.spec;
  return await session.client.get(GitRepository, {
    namespace: sourceRef.namespace ?? kustomization.metadata.namespace,
    name: sourceRef.name,
  });
}

export async function sourceSecret(session: Session, source: GitRepository): Promise<Record<string, string>> {
  if (source.spec.secretRef === undefined) return {};
  const secret = await session.client.get(Secret, {
    namespace: source.metadata.namespace,
    name: source.spec.secretRef.name,
  });
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]),
  );
}

export function ready(conditions: readonly Condition[] | undefined): Condition | undefined {
  return conditions?.find(({ type }) => type === "Ready");
}
