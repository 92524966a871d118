/** An address that something of the cluster holds. Upstream: pkg/registry/networking/ipaddress/strategy.go. */
import { ageColumn, column, columnLike, nameColumn } from "#api/columns.ts";
import type { V1IPAddress } from "#api/generated/types.ts";
import { defineResource } from "#api/resource.ts";
import { ipAddressErrors, ipAddressName } from "./service-address-rules.ts";

const parentDescription =
  "ParentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent object.";

export type IPAddress = V1IPAddress;
export const IPAddress = defineResource<IPAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  shortNames: ["ip"],
  scope: "Cluster",
  schema: "io.k8s.api.networking.v1.IPAddress",
  generation: "none",
  validateName: ipAddressName,
  metadataLooks: { whole: 1, form: 0 },
  validate: ipAddressErrors,
  fieldSelectors: {
    "spec.parentRef.group": ({ spec }) => spec?.parentRef?.group ?? "",
    "spec.parentRef.resource": ({ spec }) => spec?.parentRef?.resource ?? "",
    "spec.parentRef.namespace": ({ spec }) => spec?.parentRef?.namespace ?? "",
    "spec.parentRef.name": ({ spec }) => spec?.parentRef?.name ?? "",
  },
  columns: [
    nameColumn,
    column("ParentRef", parentDescription, parentText),
    // Upstream prints the age but describes no column for it.
    columnLike(ageColumn, { isUndescribed: true }),
  ],
});

function parentText({ spec }: IPAddress): string {
  if (spec?.parentRef === undefined) return "<none>";
  const { group = "", resource, namespace = "", name } = spec.parentRef;
  const kind = group === "" ? resource : `${resource}.${group}`;
  return [kind.toLowerCase(), namespace, name].filter((part) => part !== "").join("/");
}
