/** Secret bytes under names, of a type that may ask for certain names. Upstream: pkg/registry/core/secret/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1Secret } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";

export type Secret = V1Secret;
export const Secret = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.Secret",
  generation: "none",
  columns: [
    nameColumn,
    column("Type", ["core.v1.Secret", "type"], (secret: Secret) => secret.type ?? ""),
    column("Data", ["core.v1.Secret", "data"], (secret: Secret) => String(Object.keys(secret.data ?? {}).length)),
    ageColumn,
  ],
  fieldSelectors: { type: (secret) => secret.type ?? "" },
});
