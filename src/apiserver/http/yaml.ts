/** Objects as YAML text the way upstream's sigs.k8s.io/yaml prints them: keys sorted, lists not indented. */
import { stringify } from "yaml";

export function toYaml(object: unknown): string {
  return stringify(object, {
    version: "1.1",
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    singleQuote: false,
    aliasDuplicateObjects: false,
  });
}
