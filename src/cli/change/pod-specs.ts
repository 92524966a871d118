/** The pod specs inside pods and workloads, and patches of some of their containers. */
import type { UnknownObject } from "#api/object.ts";
import { UsageError } from "#cli/command.ts";
import type { Target } from "#cli/targets.ts";

export interface EnvironmentVariable {
  name: string;
  value?: string;
  valueFrom?: Record<string, { name?: string; key?: string; fieldPath?: string; resource?: string }>;
}

export interface Container {
  name: string;
  image?: string;
  env?: EnvironmentVariable[];
}

interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
}

const containerFields = ["containers", "initContainers"] as const;

/** Where a kind keeps its pod spec. */
const places: Readonly<Record<string, readonly string[]>> = {
  Pod: ["spec"],
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
  PodTemplate: ["template", "spec"],
};
const ofTemplates = ["spec", "template", "spec"];

/** Throws UsageError where the object has none. */
export function podSpecOf(live: UnknownObject, { resource, key }: Target): PodSpec {
  const found = pathOf(live).reduce<unknown>((at, field) => (at as Record<string, unknown> | undefined)?.[field], live);
  if (typeof found !== "object" || found === null || !("containers" in found))
    throw new UsageError(
      `${resource.plural}/${key.name} the object is not a pod or does not have a pod template: *${resource.version}.${resource.kind}`,
    );
  return found as PodSpec;
}

const pathOf = ({ kind = "" }: UnknownObject): readonly string[] => places[kind] ?? ofTemplates;

/** A strategic patch that holds `patch` where the object keeps its pod spec. */
export function podSpecPatch(live: UnknownObject, patch: object): object {
  return pathOf(live).reduceRight<object>((inner, field) => ({ [field]: inner }), patch);
}

/** All containers, with whether they are named by "*", a name, or a pattern such as "web-*". */
export function selectedContainers(spec: PodSpec, pattern: string): Container[] {
  const test = new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );
  return containerFields.flatMap((field) => spec[field] ?? []).filter(({ name }) => test.test(name));
}

/** A patch of the containers for which `change` gives one; undefined where it gives none. */
export function containersPatch(
  live: UnknownObject,
  spec: PodSpec,
  change: (container: Container) => object | undefined,
): object | undefined {
  const changed = containerFields.flatMap((field) => {
    const own = (spec[field] ?? []).flatMap((container) => {
      const patch = change(container);
      return patch === undefined ? [] : [{ name: container.name, ...patch }];
    });
    return own.length === 0 ? [] : [[field, own] as const];
  });
  return changed.length === 0 ? undefined : podSpecPatch(live, Object.fromEntries(changed));
}
