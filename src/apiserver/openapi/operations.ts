/** Every path that is served, as operations that both versions of the documents are written from. */
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { VirtualResource } from "#apiserver/subresource.ts";
import { connectOperations, logOperation } from "./connect-operations.ts";
import { operationsOfCustom } from "./custom-operations.ts";
import { builtInTypeName, typeOf } from "./kinds.ts";
import type { Operation } from "./operation.ts";
import { createUnder, type ResourceFacts, resourceOperations, rootOf, viewOperations } from "./resource-operations.ts";
import { groupRoot, plainOperations, versionRoot } from "./root-operations.ts";

/** All of one group and version; a version of custom resources only has no paths of its own beside theirs. */
export function versionOperations(
  catalogue: Catalogue,
  virtual: readonly VirtualResource[],
  group: string,
  version: string,
): Operation[] {
  const isHere = (one: { group: string; version: string }) => one.group === group && one.version === version;
  const served = catalogue.all().filter(isHere);
  const others = virtual.filter(isHere);
  const isBuiltIn = others.length > 0 || served.some(({ custom }) => custom === undefined);
  return [
    ...(isBuiltIn ? [versionRoot(rootOf({ group, version, kind: "" }))] : []),
    ...served.flatMap(operationsOf),
    ...others.flatMap((one) => resourceOperations(virtualFacts(one))),
  ];
}

/** All that is always served, as version 2 has it. */
export function builtInOperations(catalogue: Catalogue, virtual: readonly VirtualResource[]): Operation[] {
  const resources = catalogue.builtIn();
  const groups = new Set([...resources, ...virtual].map(({ group }) => group));
  const versions = new Map([...resources, ...virtual].map((one) => [`${one.group}/${one.version}`, one]));
  groups.delete("");
  return [
    ...Object.values(plainOperations).map((make) => make()),
    ...[...groups].map(groupRoot),
    ...[...versions.values()].map(({ group, version }) => versionRoot(rootOf({ group, version, kind: "" }))),
    ...resources.flatMap(operationsOf),
    ...virtual.flatMap((one) => resourceOperations(virtualFacts(one))),
  ];
}

export const customOperations = (catalogue: Catalogue): Operation[] => catalogue.custom().flatMap(operationsOf);

const operationsOf = (served: ServedResource): Operation[] =>
  served.custom === undefined ? typedOperations(served) : customOperationsOf(served);

function typedOperations(served: ServedResource): Operation[] {
  const facts = factsOf(served);
  return [...resourceOperations(facts), ...subresourceOperations(served, facts)];
}

function factsOf(served: ServedResource): ResourceFacts {
  const { group, version, kind, plural, isNamespaced, definition } = served;
  const allows = (verb: string) => definition.verbs?.includes(verb as never) ?? true;
  const deleteReturnsObject = definition.deleteReturnsObject === true;
  return { group, version, kind, plural, isNamespaced, type: typeOf(served), allows, deleteReturnsObject };
}

function virtualFacts({ group, version, kind, plural, isNamespaced, verbs }: VirtualResource): ResourceFacts {
  const type = builtInTypeName({ group, version, kind });
  const allows = (verb: string) => verbs.includes(verb);
  return { group, version, kind, plural, isNamespaced, type, allows, deleteReturnsObject: false };
}

const viewVerbs = ["get", "update", "patch"];
const scale = { group: "autoscaling", kind: "Scale", version: "v1", type: "io.k8s.api.autoscaling.v1.Scale" };

function subresourceOperations({ definition, group, version }: ServedResource, facts: ResourceFacts): Operation[] {
  const parts = [...(definition.status === undefined ? [] : ["status"]), ...Object.keys(definition.subresources ?? {})];
  const connects = Object.entries(definition.connects ?? {});
  return [
    ...parts.flatMap((part) => viewOperations(facts, part, facts, viewVerbs)),
    ...(definition.scale === undefined ? [] : viewOperations(facts, "scale", scale, viewVerbs)),
    ...connects.flatMap(([part, connect]) => {
      const kind = { group: connect.group ?? group, kind: connect.kind, version: connect.version ?? version };
      if (part === "log") return [logOperation(facts)];
      if (connect.kind.endsWith("Options")) return connectOperations(facts, part, kind, connect.verbs);
      const shown = { ...kind, type: builtInTypeName(kind) };
      return connect.verbs.includes("create")
        ? createUnder(facts, part, shown)
        : viewOperations(facts, part, shown, connect.verbs);
    }),
  ];
}

function customOperationsOf(served: ServedResource): Operation[] {
  const { group, version, kind, plural, isNamespaced, definition } = served;
  const hasStatus = definition.status !== undefined;
  const hasScale = definition.scale !== undefined;
  return operationsOfCustom({ group, version, kind, plural, isNamespaced, type: typeOf(served), hasStatus, hasScale });
}
