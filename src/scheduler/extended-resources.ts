/** Extended resources that a device class stands for: asked for by name, given as devices. Upstream: dynamicresources. */
import type { View } from "#client/view.ts";
import { deviceClassRef } from "./kinds.ts";
import { type Amounts, isPodLevelResource } from "./resources.ts";

const impliedPrefix = "deviceclass.resource.kubernetes.io/";

/** The name of the device class behind an extended resource, if there is one. */
export function deviceClassOf(resource: string, objects: View): string | undefined {
  if (!resource.includes("/")) return undefined;
  for (const { metadata, spec } of objects.list(deviceClassRef))
    if (spec.extendedResourceName === resource || `${impliedPrefix}${metadata.name}` === resource) return metadata.name;
  return undefined;
}

const none: ReadonlySet<string> = new Set();

export function deviceBackedResources(amounts: Amounts, objects: View): ReadonlySet<string> {
  let found: Set<string> | undefined;
  for (const name of amounts.keys())
    if (!isPodLevelResource(name) && deviceClassOf(name, objects) !== undefined) (found ??= new Set()).add(name);
  return found ?? none;
}
