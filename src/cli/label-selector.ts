/** Label selectors of the command line: read once, told in the words of objects. */
import { type LabelRequirement, SelectorError, parseLabelSelector } from "#api/label-selector.ts";
import { UsageError } from "./command.ts";

/** What objects call an operator: "in" is "In". */
export const operatorNames: Readonly<Record<string, string>> = {
  in: "In",
  notin: "NotIn",
  "!=": "NotIn",
  exists: "Exists",
  "!": "DoesNotExist",
};

export const isEquality = ({ operator }: LabelRequirement): boolean => operator === "=" || operator === "==";

/** Throws UsageError. */
export function readSelector(text: string): readonly LabelRequirement[] {
  try {
    return parseLabelSelector(text).requirements;
  } catch (error) {
    throw error instanceof SelectorError ? new UsageError(error.message) : error;
  }
}
