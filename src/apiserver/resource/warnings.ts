/** Of one answer: the headers hold fewer. */
export const warningsMax = 4096;

/** Texts for Warning headers: each once. */
export function addWarning(warnings: string[], text: string): void {
  if (warnings.length < warningsMax && !warnings.includes(text)) warnings.push(text);
}
