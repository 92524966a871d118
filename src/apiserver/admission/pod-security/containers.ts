/** What the checks share: all containers of a pod, and how upstream's texts name several of them. */
import type { V1Container, V1ObjectMeta, V1PodSpec } from "#api/generated/types.ts";

/** What a check looks at: a pod, or the template of one. */
export interface PodLike {
  metadata: V1ObjectMeta | undefined;
  spec: V1PodSpec;
}

export interface Violation {
  reason: string;
  detail: string;
}

export interface Check {
  id: string;
  level: "baseline" | "restricted";
  /** The first minor version that has it. */
  since: number;
  /** Checks of the lower level that it takes the place of. */
  replaces?: string;
  violation(pod: PodLike, minor: number): Violation | undefined;
}

/** Init containers first, as upstream's texts name them. */
export const containersOf = ({ spec }: PodLike): V1Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...((spec.ephemeralContainers ?? []) as V1Container[]),
];

export const namesWhere = (pod: PodLike, isBad: (container: V1Container) => boolean): string[] =>
  containersOf(pod)
    .filter(isBad)
    .map(({ name }) => name);

/** In quotation marks as they are: upstream escapes nothing here. */
export const quoted = (texts: readonly string[]): string => texts.map((text) => `"${text}"`).join(", ");

export const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();

/** `container "a"`, `containers "a", "b"`. */
export const named = (noun: string, names: readonly string[]): string =>
  `${plural(noun, names.length)} ${quoted(names)}`;

export const plural = (noun: string, count: number): string => (count === 1 ? noun : `${noun}s`);

/** `pod and containers "a", "b"`; empty if nobody is to blame. */
export function setters(isPod: boolean, names: readonly string[]): string {
  return [...(isPod ? ["pod"] : []), ...(names.length > 0 ? [named("container", names)] : [])].join(" and ");
}

/** From this version on, pods with a user namespace of their own may be root in it. */
export const hasOwnUsers = ({ spec }: PodLike, minor: number): boolean => minor >= 35 && spec.hostUsers === false;
