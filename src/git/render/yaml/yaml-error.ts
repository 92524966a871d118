/** Text that is not the YAML Kubernetes tools accept; the message names the line where one is known. */
export class YamlError extends Error {
  override readonly name = "YamlError";
  readonly line: number;
  constructor(problem: string, line = 0) {
    super(`yaml: ${line > 0 ? `line ${line}: ` : ""}${problem}`);
    this.line = line;
  }
}
