/** Objects as YAML text the way upstream's sigs.k8s.io/yaml prints them: keys sorted, lists not indented. */
import { type ScalarTag, stringify, type Tags } from "yaml";

export function toYaml(object: unknown): string {
  return stringify(object, {
    version: "1.1",
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    singleQuote: false,
    aliasDuplicateObjects: false,
    customTags: (tags) => tags.map((tag) => (isNumberTag(tag) ? { ...tag, test: floatWithDigit } : tag)),
  });
}

/** A lone dot is text to Go, though YAML 1.1's grammar of numbers lets it pass; managed fields are full of it. */
const floatWithDigit = /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9_]+)$/;

function isNumberTag(tag: Tags[number]): tag is ScalarTag {
  return typeof tag === "object" && "test" in tag && tag.test?.test(".") === true;
}
