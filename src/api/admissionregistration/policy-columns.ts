/** What policies and their bindings show. Upstream: pkg/printers/internalversion/printers.go. */
import { column, selectorText } from "#api/columns.ts";
import type { V1ParamKind, V1ParamRef } from "#api/generated/types.ts";
import type { Column } from "#api/resource.ts";

interface Binding {
  spec?: { policyName?: string; paramRef?: V1ParamRef };
}

export const paramKindText = (kind: V1ParamKind | undefined): string =>
  kind === undefined ? "<unset>" : `${kind.apiVersion ?? ""}/${kind.kind ?? ""}`;

export function bindingColumns<T extends Binding>(): Column<T>[] {
  return [
    column(
      "PolicyName",
      "PolicyName indicates the policy definition which the policy binding binded to",
      ({ spec }: T) => spec?.policyName ?? "",
    ),
    column("ParamRef", "ParamRef indicates the param resource which sets the configration param", ({ spec }: T) =>
      paramText(spec?.paramRef),
    ),
  ];
}

function paramText(param: V1ParamRef | undefined): string {
  if (param === undefined) return "<unset>";
  const { name = "", namespace = "", selector } = param;
  if (name !== "") return `${namespace === "" ? "*" : namespace}/${name}`;
  return selector === undefined ? "<unset>" : selectorText(selector);
}
