/**
 * Short notation for role rules: `[verbs, groups, resources, names]`, each a list parted by spaces; "core" is the group "".
 * As upstream's rule builder has it, the lists of a rule are sorted whatever order they are written in.
 */
import type { V1PolicyRule } from "#api/generated/types.ts";

export type RuleRow =
  | readonly [verbs: string, groups: string, resources: string, names?: string]
  | readonly [verbs: string, paths: readonly string[]];

const words = (text: string) => text.split(" ").sort();

export function ruleOf(row: RuleRow): V1PolicyRule {
  const [verbs, second] = row;
  if (typeof second !== "string") return { verbs: words(verbs), nonResourceURLs: [...second].sort() };
  const [, groups, resources, names] = row as readonly [string, string, string, string?];
  return {
    verbs: words(verbs),
    apiGroups: groups
      .split(" ")
      .map((group) => (group === "core" ? "" : group))
      .sort(),
    resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
  };
}

export const read = "get list watch";
export const readWrite = "get list watch create update patch delete deletecollection";
export const readUpdate = "get list watch update patch";
export const write = "create update patch delete deletecollection";

/** Both groups of events: everyone who tells what happened needs it. */
export const recordEvents: RuleRow = ["create update patch", "core events.k8s.io", "events"];
