/** From a commit and a Kustomization to objects: the folder is rendered, then substituted. */
import type { UnknownObject } from "#api/object.ts";
import type { Kustomization } from "./kinds.ts";
import type { SourceState } from "./sources.ts";

export interface Rendered {
  objects: { object: UnknownObject; origin: string }[];
  /** Files that could not be read; everything else was. */
  errors: { origin: string; message: string }[];
}

/** Rejects where nothing can be rendered: no such path, a kustomization that does not build. */
export type RenderSource = (kustomization: Kustomization, source: SourceState) => Promise<Rendered>;

/** Fields of Flux's API that are accepted and not served; a condition says so. */
const unserved = ["decryption", "kubeConfig", "healthCheckExprs", "ignore"] as const;

export function unservedField({ spec }: Kustomization): string | undefined {
  if (spec.dependsOn?.some(({ readyExpr }) => readyExpr !== undefined)) return "dependsOn.readyExpr";
  return unserved.find((name) => spec[name] !== undefined);
}
