/** Secret bytes under names, of a type that may ask for certain names. Upstream: pkg/registry/core/secret/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1Secret } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { defineResource } from "#api/resource.ts";
import { immutable } from "#api/validation/values.ts";
import { immutableDataErrors, keyErrors, sizeErrors } from "./data-keys.ts";
import { secretContentErrors, tlsWarnings } from "./secret-types.ts";

export type Secret = V1Secret;
export const Secret = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.Secret",
  generation: "none",
  defaults(secret) {
    secret.type ||= "Opaque";
    if (secret.stringData === undefined) return;
    secret.data ??= {};
    for (const [key, text] of Object.entries(secret.stringData))
      secret.data[key] = Buffer.from(text).toString("base64");
    delete secret.stringData;
    if (Object.keys(secret.data).length === 0) delete secret.data;
  },
  validate: secretErrors,
  warnings: tlsWarnings,
  columns: [
    nameColumn,
    column("Type", ["core.v1.Secret", "type"], (secret: Secret) => secret.type ?? ""),
    column("Data", ["core.v1.Secret", "data"], (secret: Secret) => Object.keys(secret.data ?? {}).length),
    ageColumn,
  ],
  fieldSelectors: { type: (secret) => secret.type ?? "" },
});

function secretErrors(secret: Secret, old: Secret | undefined): FieldError[] {
  return [
    ...(old === undefined
      ? []
      : [...immutable("type", secret.type ?? "", old.type ?? ""), ...immutableDataErrors(secret, old, ["data"])]),
    ...Object.keys(secret.data ?? {}).flatMap((key) => keyErrors("data", key)),
    ...sizeErrors({ base64: secret.data }, "data"),
    ...secretContentErrors(secret),
  ];
}
