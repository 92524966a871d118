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
import type { Store } from "#store/store.ts";
import { approvalCondition, establishedCondition, hasCondition, judgeNames, setCondition } from "./conditions.ts";
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
  /** Asks no admission. */
  unadmitted: LocalTransport;
  store: Store;
}

export class CustomResources {
  readonly #parts: CustomResourcesParts;
  readonly #crds: ResourceCache;
  readonly #served = new Map<string, string>();
  readonly #busy = new Set<string>();
  readonly #again = new Set<string>();
  /** Those whose last object is waited for. */
  readonly #emptying = new Set<string>();
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
    // It is established next: who finds it served finds it established.
    if (crd.status?.conditions?.some(({ type, reason }) => type === "Established" && reason === "Installing")) return;
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
    const approval = approvalCondition(crd);
    if (approval !== undefined) conditions = setCondition(conditions, approval, now);
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
    const underway = this.#ending(crd, "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress");
    if (crd.status?.conditions?.some(({ reason }) => reason === "InstanceDeletionPending") === true) {
      // The change brings this definition here again.
      await this.#put(`${path}/${name}/status`, underway);
      return;
    }
    const isServed = hasCondition(crd, "Established");
    const left = isServed ? await this.#empty(crd) : 0;
    if (left > 0) return;
    const [reason, message] = isServed
      ? (["InstanceDeletionCompleted", "removed all instances"] as const)
      : (["NeverEstablished", "resource was never established"] as const);
    const ended = this.#ending(crd, isServed ? "False" : "True", reason, message);
    ended.metadata.finalizers = finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
    await this.#put(`${path}/${name}/status`, ended);
  }

  #ending(crd: Crd, status: "True" | "False", reason: string, message: string): Crd {
    const changed = clone(crd);
    const condition = { type: "Terminating", status, reason, message };
    const conditions = setCondition((crd.status?.conditions ?? []) as never, condition, this.#parts.clock.now());
    changed.status = { ...changed.status, conditions } as Crd["status"];
    return changed;
  }

  /** How many objects are left, as their finalizers want it; when they are gone, the definition is looked at again. */
  async #empty(crd: Crd): Promise<number> {
    const { name = "" } = crd.metadata;
    const { entries, prefix } = this.#instancesOf(crd);
    const faults: string[] = [];
    // A copy: what is deleted moves what comes behind it.
    for (const { key, object, revision } of entries.range("").toArray()) {
      if (object.metadata.deletionTimestamp !== undefined) continue;
      const fault = await this.#deleteInstance(crd, object, { key: prefix + key, revision });
      // What cannot be deleted now is tried again, after all others had their turn.
      if (fault !== undefined) faults.push(fault);
    }
    if (faults.length > 0) {
      const text = `could not issue all deletes: ${faults.length === 1 ? faults[0] : `[${faults.join(", ")}]`}`;
      await this.#put(`${path}/${name}/status`, this.#ending(crd, "True", "InstanceDeletionFailed", text));
      throw new Error(text);
    }
    if (entries.size === 0 || this.#emptying.has(name)) return entries.size;
    this.#emptying.add(name);
    const stop = this.#instancesOf(crd).listen(() => {
      if (entries.size > 0) return;
      stop();
      this.#emptying.delete(name);
      this.#settle(name);
    });
    return entries.size;
  }

  #instancesOf({ spec, status }: Crd): ResourceCache {
    const plural = status?.acceptedNames?.plural ?? spec.names.plural;
    return this.#parts.cache.resource(`/registry/${spec.group}/${plural}/`);
  }

  /** Why it could not be. An object of a kind that no version serves has no finalizers that anybody could take off. */
  async #deleteInstance(
    { spec, status }: Crd,
    { metadata }: KubernetesObject,
    at: { key: string; revision: number },
  ): Promise<string | undefined> {
    const version = spec.versions.find(({ served }) => served)?.name;
    if (version === undefined) {
      const write = { key: at.key, value: undefined, expectedModRevision: at.revision };
      const { revision } = await this.#parts.store.write([write]);
      await this.#parts.cache.waitFor(revision);
      return undefined;
    }
    const { namespace, name = "" } = metadata;
    const where = namespace === undefined ? "" : `/namespaces/${namespace}`;
    const plural = status?.acceptedNames?.plural ?? spec.names.plural;
    const target = `/apis/${spec.group}/${version}${where}/${plural}/${encodeURIComponent(name)}`;
    const { code, body } = await this.#parts.unadmitted.request({ method: "DELETE", path: target });
    return code >= 300 && code !== 404 ? (body as Status).message : undefined;
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
