/** Roles and bindings. */
import { compareText } from "#api/go-text.ts";
import type { V1ClusterRole, V1ClusterRoleBinding, V1PolicyRule, V1Role, V1RoleBinding } from "#api/generated/types.ts";
import { describer } from "./describer.ts";
import { writeAnnotations, writeLabels } from "./metadata.ts";
import type { Writer } from "./writer.ts";

export const describeRole = describer<V1Role | V1ClusterRole>(({ metadata, rules }, { writer }) => {
  writer.line(0, `Name:\t${metadata.name}`);
  writeLabels(writer, "Labels", metadata.labels);
  writeAnnotations(writer, metadata.annotations);
  writer.line(0, "PolicyRule:");
  writer.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
  writer.line(1, "---------\t-----------------\t--------------\t-----");
  for (const cells of ruleRows(rules ?? [])) writer.line(1, cells.join("\t"));
});

interface SimpleRule {
  group: string;
  resource: string;
  name: string;
  url: string;
  verbs: readonly string[];
}

/** One row for each resource, name or URL, with the verbs of all rules that speak of it, sorted. */
export function ruleRows(rules: readonly V1PolicyRule[]): string[][] {
  const found = new Map<string, SimpleRule>();
  for (const rule of rules.flatMap(simpleRules)) {
    const key = JSON.stringify([rule.group, rule.resource, rule.name, rule.url]);
    const former = found.get(key);
    found.set(key, former === undefined ? rule : { ...rule, verbs: [...new Set([...former.verbs, ...rule.verbs])] });
  }
  return [...found.values()]
    .sort((a, b) => compareText(sortText(a), sortText(b)))
    .map(({ group, resource, name, url, verbs }) => [
      group === "" ? resource : resource.replace(/(\/.*)?$/, (subresource) => `.${group}${subresource}`),
      url === "" ? "[]" : `[${url}]`,
      name === "" ? "[]" : `[${name}]`,
      `[${verbs.join(" ")}]`,
    ]);
}

function simpleRules({
  apiGroups = [],
  resources = [],
  resourceNames = [],
  nonResourceURLs = [],
  verbs,
}: V1PolicyRule): SimpleRule[] {
  const names = resourceNames.length === 0 ? [""] : resourceNames;
  const named = apiGroups.flatMap((group) =>
    resources.flatMap((resource) => names.map((name) => ({ group, resource, name, url: "", verbs }))),
  );
  return [...named, ...nonResourceURLs.map((url) => ({ group: "", resource: "", name: "", url, verbs }))];
}

/** Upstream sorts by the rule's text, in which the verbs come first. */
const sortText = ({ group, resource, name, url, verbs }: SimpleRule): string =>
  `Verbs:[${verbs.join(" ")}],APIGroups:[${group}],Resources:[${resource}],ResourceNames:[${name}],NonResourceURLs:[${url}]`;

export const describeRoleBinding = describer<V1RoleBinding | V1ClusterRoleBinding>(
  ({ metadata, roleRef, subjects }, { writer }) => {
    writer.line(0, `Name:\t${metadata.name}`);
    writeLabels(writer, "Labels", metadata.labels);
    writeAnnotations(writer, metadata.annotations);
    writer.line(0, "Role:");
    writer.line(1, `Kind:\t${roleRef.kind}`);
    writer.line(1, `Name:\t${roleRef.name}`);
    writeSubjects(writer, subjects ?? []);
  },
);

function writeSubjects(writer: Writer, subjects: readonly { kind: string; name: string; namespace?: string }[]): void {
  writer.line(0, "Subjects:");
  writer.line(1, "Kind\tName\tNamespace");
  writer.line(1, "----\t----\t---------");
  for (const { kind, name, namespace = "" } of subjects) writer.line(1, `${kind}\t${name}\t${namespace}`);
}
