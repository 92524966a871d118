/**
 * Argument lists that are known to differ from kubectl, so that whatever else differs is news. Shrinks only. The versions
 * are the binaries' own; capstan has no metrics, no plugins and shorter help; its apply is server-side, which words
 * refusals differently, and counts lines from one.
 */
export const differing: { reads: ReadonlySet<string>; steps: ReadonlySet<string> } = {
  reads: new Set([
    "version",
    "version -o json",
    "version -o yaml",
    "version --client",
    "events -n corpus --for pod/web -o name",
    "top nodes",
    "top pods -n corpus",
    "top pod web -n corpus",
    "kustomize /nonexistent",
    "plugin list",
    "nonsense",
    "rollout",
    "set",
    "options",
  ]),
  steps: new Set(["apply 12: apply -f -", "apply 13: apply -f -", "create 32: create secret"]),
};
