/**
 * Serves what CustomResourceDefinitions describe: follows them in the cache, accepts their names, lets the generic
 * handler serve their versions, and empties them when they go. Upstream: apiextensions-apiserver's controllers.
 */
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { Random } from "#lib/random.ts";
import type { V1CustomResourceDefinition } from "#api/generated/types.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { Column, ResourceDefinition } from "#api/resource.ts";
import type { Status } from "#api/status-error.ts";
import type { ClusterCache } from "#apiserver/cache/cluster-cache.ts";
import type { ResourceCache } from "#apiserver/cache/resource-cache.ts";
import type { Catalogue, ServedResource } from "#apiserver/catalogue.ts";
import type { ResourceHook } from "#apiserver/resource/hooks.ts";
import { clone, isEqual } from "#apiserver/resource/metadata.ts";
import type { LocalTransport } from "#apiserver/transport.ts";
import { establishedCondition, hasCondition, judgeNames, setCondition } from "./conditions.ts";
import { columnsOf, customDefinition, deprecationOf, schemaOf, storageVersionOf } from "./custom-definition.ts";
import { converterOf } from "./conversion.ts";
import { settledObject, storedForms } from "./stored-forms.ts";
import { structOfSchema } from "#api/apiextensions/json-schema.ts";

type Crd = V1CustomResourceDefinition & KubernetesObject;

export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";
const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const retryMs = 1000;

export interface CustomResourcesParts {
  cache: ClusterCache;
  catalogue: Catalogue;
  clock: Clock;
  random: Random;
  log: Logger;
  transport: LocalTransport;
}

export class CustomResources {
  readonly #parts: CustomResourcesParts;
  readonly #crds: ResourceCache;
  readonly #served = new Map<string, string>();
  readonly #busy = new Set<string>();
  readonly #again = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stop: () => void = () => {};

  constructor(parts: CustomResourcesParts) {
    this.#parts = parts;
    this.#crds = parts.cache.resource("/registry/apiextensions.k8s.io/customresourcedefinitions/");
  }

  /** Serves what is there at once; statuses follow. */
  start(): void {
    for (const entry of this.#crds.entries.range("")) this.#serve(entry.object as Crd);
    this.#stop = this.#crds.listen((changes) => {
      for (const { key, current } of changes) {
        if (current === undefined) this.#forget(key);
        else this.#serve(current.object as Crd);
        // A name that was given up may be another one's.
        for (const entry of this.#crds.entries.range("")) this.#settle(entry.key);
      }
    });
    for (const entry of this.#crds.entries.range("")) this.#settle(entry.key);
  }

  stop(): void {
    this.#stop();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #serve(crd: Crd): void {
    const name = crd.metadata.name ?? "";
    if (!hasCondition(crd, "NamesAccepted") && !hasCondition(crd, "Established")) return;
    const isTerminating = crd.metadata.deletionTimestamp !== undefined;
    const facts = JSON.stringify([crd.spec, crd.status?.acceptedNames, isTerminating]);
    if (this.#served.get(name) === facts) return;
    this.#served.set(name, facts);
    try {
      this.#parts.catalogue.setCustom(name, this.#resourcesOf(crd, isTerminating));
    } catch (error) {
      this.#parts.log.error("a custom resource cannot be served", { crd: name, error: error as Error });
    }
  }

  /** One resource for each served version, the stored one first. */
  #resourcesOf(crd: Crd, isTerminating: boolean): ServedResource[] {
    const { group, versions, names } = crd.spec;
    const { kind, listKind = `${kind}List` } = { ...names, ...crd.status?.acceptedNames };
    const { cache, random } = this.#parts;
    const byName = new Map(versions.map((version) => [version.name, version]));
    const structs = new Map(
      versions.map((version) => [version.name, structOfSchema(`${group}.${version.name}.${kind}`, schemaOf(version))]),
    );
    const columns = new Map(versions.map((version) => [version.name, columnsOf(version) as Column<never>[]]));
    const facts = {
      crdName: crd.metadata.name ?? "",
      listKind,
      isTerminating,
      converter: converterOf(crd, { cache, random: () => random.next() }),
      structOf: (version: string) => structs.get(version)!,
      schemaOf: (version: string) => schemaOf(byName.get(version)!),
      columnsOf: (version: string) => columns.get(version)!,
      deprecationOf: (version: string) => deprecationOf(crd, byName.get(version)!),
      selectableOf: (version: string) => (byName.get(version)!.selectableFields ?? []).map(({ jsonPath }) => jsonPath),
    };
    return versions
      .filter(({ served }) => served)
      .sort((a, b) => Number(b.storage) - Number(a.storage))
      .flatMap((version) =>
        this.#parts.catalogue.serve(customDefinition(crd, version) as unknown as ResourceDefinition, facts),
      )
      .map((resource) => this.#withStorage(resource, crd));
  }

  /**
   * Objects that were stored in another version or under another schema are read as the present one has them. Where all are
   * as it has them (what is written from now on is), they are served as they are stored.
   */
  #withStorage(resource: ServedResource, crd: Crd): ServedResource {
    const { group, versions } = crd.spec;
    const { name: storageVersion } = storageVersionOf(crd);
    const schemas = new Map(versions.map((version) => [version.name, schemaOf(version)]));
    const schemaOfVersion = (version: string) => schemas.get(version);
    const isSettled = ({ object }: { object: KubernetesObject }) =>
      object.apiVersion === resource.apiVersion && isEqual(settledObject(object, schemaOfVersion), object);
    if (resource.version === storageVersion && [...resource.cache.entries.range("")].every(isSettled)) return resource;
    const { version, custom } = resource;
    const { converter } = custom!;
    return {
      ...resource,
      storage: storedForms({ group, version, storageVersion, schemaOf: schemaOfVersion, converter }),
    };
  }

  #forget(name: string): void {
    this.#served.delete(name);
    this.#parts.catalogue.setCustom(name, []);
  }

  /** Brings one CRD's status up to date; one run at a time for each. */
  #settle(name: string): void {
    if (this.#busy.has(name)) {
      this.#again.add(name);
      return;
    }
    this.#busy.add(name);
    this.#settleOnce(name)
      .catch((error: unknown) => {
        this.#parts.log.warn("a custom resource definition could not be settled", {
          crd: name,
          error: error as Error,
        });
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#settle(name);
        }, retryMs);
        this.#timers.add(timer);
      })
      .finally(() => {
        this.#busy.delete(name);
        if (this.#again.delete(name)) this.#settle(name);
      })
      .catch(() => {});
  }

  async #settleOnce(name: string): Promise<void> {
    const crd = this.#crds.get(name)?.object as Crd | undefined;
    if (crd === undefined) return;
    if (crd.metadata.deletionTimestamp !== undefined) {
      await this.#clean(crd);
      return;
    }
    const wanted = this.#withStatus(crd);
    if (!isEqual(wanted.status, crd.status)) await this.#put(`${path}/${name}/status`, wanted);
  }

  #withStatus(crd: Crd): Crd {
    const wanted = clone(crd);
    const now = this.#parts.clock.now();
    const others = [...this.#crds.entries.range("")].map(({ object }) => object as Crd);
    const { accepted, condition } = judgeNames(crd, others);
    let conditions = setCondition((crd.status?.conditions ?? []) as never, condition, now);
    if (condition.status === "True" && hasCondition(crd, "NamesAccepted"))
      conditions = hasCondition(crd, "Established")
        ? conditions
        : setCondition(conditions, establishedCondition(crd), now);
    else if (!hasCondition(crd, "Established")) {
      const pending =
        condition.status === "True"
          ? { reason: "Installing", message: "the initial names have been accepted" }
          : { reason: "NotAccepted", message: "not all names are accepted" };
      conditions = setCondition(conditions, { type: "Established", status: "False", ...pending }, now);
    }
    const stored = crd.spec.versions.find(({ storage }) => storage)?.name;
    const storedVersions = [
      ...new Set([...(crd.status?.storedVersions ?? []), ...(stored === undefined ? [] : [stored])]),
    ];
    wanted.status = { conditions: conditions as never, acceptedNames: accepted, storedVersions };
    return wanted;
  }

  /** Deletes every object, and lets the CRD go when none is left. */
  async #clean(crd: Crd): Promise<void> {
    const { name = "", finalizers = [] } = crd.metadata;
    if (!finalizers.includes(cleanupFinalizer)) return;
    const { group, names } = crd.spec;
    const plural = crd.status?.acceptedNames?.plural ?? names.plural;
    const objects = this.#parts.cache.resource(`/registry/${group}/${plural}/`);
    const version = crd.spec.versions.find(({ served }) => served)?.name;
    let fault: string | undefined;
    // A copy: what is deleted moves what comes behind it.
    for (const entry of objects.entries.range("").toArray()) {
      if (version === undefined || entry.object.metadata.deletionTimestamp !== undefined) continue;
      const { namespace, name: object = "" } = entry.object.metadata;
      const where = namespace === undefined ? "" : `/namespaces/${namespace}`;
      const target = `/apis/${group}/${version}${where}/${plural}/${encodeURIComponent(object)}`;
      const { code, body } = await this.#parts.transport.request({ method: "DELETE", path: target });
      // What cannot be deleted now is tried again, after all others had their turn.
      if (code >= 300 && code !== 404) fault ??= `${target}: ${(body as Status).message}`;
    }
    if (fault !== undefined) throw new Error(fault);
    if (objects.entries.size > 0 && version !== undefined) {
      const stop = objects.listen(() => {
        if (objects.entries.size > 0) return;
        stop();
        this.#settle(name);
      });
      return;
    }
    const rest = finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
    await this.#put(`${path}/${name}`, { ...crd, metadata: { ...crd.metadata, finalizers: rest } });
  }

  async #put(target: string, crd: Crd): Promise<void> {
    const answer = await this.#parts.transport.request({ method: "PUT", path: target, body: crd });
    // A conflict or a missing object means that a newer state is on its way here.
    if (answer.code >= 300 && answer.code !== 409 && answer.code !== 404)
      throw new Error((answer.body as Status).message);
  }
}

/** A CRD's first DELETE says that its objects go now, and holds it until they are gone. */
export const crdHook: ResourceHook = {
  checksPreconditions: true,
  beginDelete(object, { now }) {
    const crd = object as Crd;
    if (crd.metadata.deletionTimestamp !== undefined || crd.status === undefined) return "go on";
    const condition = {
      type: "Terminating",
      status: "True",
      reason: "InstanceDeletionPending",
      message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    };
    crd.status.conditions = setCondition((crd.status.conditions ?? []) as never, condition, now) as never;
    const { finalizers = [] } = crd.metadata;
    if (!finalizers.includes(cleanupFinalizer)) crd.metadata.finalizers = [...finalizers, cleanupFinalizer];
    return "go on";
  },
};
