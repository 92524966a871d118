/** Configuration data, text or bytes. Upstream: pkg/registry/core/configmap/strategy.go. */
import { ageColumn, column, nameColumn } from "#api/columns.ts";
import type { V1ConfigMap } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { invalid, rootPath } from "#api/validation/field-errors.ts";
import { immutableDataErrors, keyErrors, sizeErrors } from "./data-keys.ts";

export type ConfigMap = V1ConfigMap;
export const ConfigMap = defineResource<ConfigMap>({
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  scope: "Namespaced",
  schema: "io.k8s.api.core.v1.ConfigMap",
  generation: "none",
  validate(map, old) {
    const errors = old === undefined ? [] : immutableDataErrors(map, old, ["data", "binaryData"]);
    const { data, binaryData } = map;
    for (const key in data) {
      errors.push(...keyErrors("data", key));
      if (binaryData?.[key] !== undefined)
        errors.push(invalid(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
    for (const key in binaryData) errors.push(...keyErrors("binaryData", key));
    return [...errors, ...sizeErrors({ text: data, base64: binaryData }, rootPath)];
  },
  columns: [
    nameColumn,
    column("Data", ["core.v1.ConfigMap", "data"], (map: ConfigMap) => keyCount(map.data) + keyCount(map.binaryData)),
    ageColumn,
  ],
});

const keyCount = (record: Record<string, string> | undefined) => Object.keys(record ?? {}).length;
