/** Argument lists that are known to differ from kubectl, so that whatever else differs is news. Shrinks only. */
export const differing: { reads: ReadonlySet<string>; steps: ReadonlySet<string> } = {
  reads: new Set([]),
  steps: new Set([]),
};
