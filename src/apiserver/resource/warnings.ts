/** Texts for Warning headers: each once. */
export function addWarning(warnings: string[], text: string): void {
  if (!warnings.includes(text)) warnings.push(text);
}
