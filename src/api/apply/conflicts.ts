/** Fields that an apply would change under the hands of another manager. Upstream: managedfields/internal/conflict.go. */
import { applyConflict } from "#api/status-catalogue.ts";
import type { StatusError } from "#api/status-error.ts";
import { type FieldSet, emptySet, isEmptySet, pathText, pathsOf, union } from "./field-set.ts";
import { type ManagerName, managerText } from "./managers.ts";

export interface Conflict {
  identifier: string;
  owner: ManagerName;
  set: FieldSet;
}

export class ConflictsError extends Error {
  readonly conflicts: readonly Conflict[];
  constructor(conflicts: readonly Conflict[]) {
    super("field managers conflict");
    this.name = "ConflictsError";
    this.conflicts = conflicts;
  }
}

export const conflictingFields = (conflicts: readonly Conflict[]): FieldSet =>
  conflicts.reduce<FieldSet>((all, { set }) => union(all, set), emptySet);

/** The 409 that tells of every conflict. */
export function conflictFailure(conflicts: readonly Conflict[]): StatusError {
  const sorted = conflicts
    .filter(({ set }) => !isEmptySet(set))
    .toSorted((a, b) => (a.identifier < b.identifier ? -1 : a.identifier > b.identifier ? 1 : 0));
  const found = sorted.map(({ owner, set }) => ({ manager: managerText(owner), paths: pathsOf(set).map(pathText) }));
  const causes = found.flatMap(({ manager, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${manager}`, field })),
  );
  if (causes.length === 1) {
    const { message, field } = causes[0]!;
    return applyConflict(`Apply failed with 1 conflict: ${message}: ${field}`, causes);
  }
  const lines = found.flatMap(({ manager, paths }) => [
    `conflicts with ${manager}:`,
    ...paths.map((path) => `- ${path}`),
  ]);
  return applyConflict(`Apply failed with ${causes.length} conflicts: ${lines.join("\n")}`, causes);
}
