/** The subjects of a role binding that --user, --group and --serviceaccount name. */
import { UsageError } from "./command.ts";

const apiGroup = "rbac.authorization.k8s.io";

/** `valuesOf` gives a flag's values. Throws UsageError for an account without a namespace. */
export function namedSubjects(valuesOf: (flag: string) => readonly string[]): object[] {
  const accounts = valuesOf("serviceaccount").map((text) => {
    const [namespace = "", name = "", ...more] = text.split(":");
    if (namespace === "" || name === "" || more.length > 0)
      throw new UsageError("serviceaccount must be <namespace>:<name>");
    return { kind: "ServiceAccount", name, namespace };
  });
  return [
    ...valuesOf("user").map((name) => ({ apiGroup, kind: "User", name })),
    ...valuesOf("group").map((name) => ({ apiGroup, kind: "Group", name })),
    ...accounts,
  ];
}
