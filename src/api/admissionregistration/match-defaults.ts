/** What rules and matches of policies and webhooks take where nothing is said. Upstream: admissionregistration/v1/defaults.go. */
import type { V1MatchResources, V1RuleWithOperations } from "#api/generated/types.ts";

export function defaultRule(rule: V1RuleWithOperations): void {
  rule.scope ??= "*";
}

export function defaultMatch(match: V1MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) defaultRule(rule);
}
