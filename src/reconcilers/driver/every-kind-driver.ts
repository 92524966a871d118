/** Runs a reconciler whose objects are of every kind there is: the garbage collector and namespace deletion. */
import type { UnknownObject } from "#api/object.ts";
import type { CacheChange } from "#client/cache.ts";
import { keyText, parseKey, resourceName } from "#client/resource-path.ts";
import type { EveryKindReconciler, KindsView, ServedKind } from "#reconcilers/every-kind.ts";
import { gather, recordAs, type DriverOptions } from "./driver.ts";
import { PlanLoop } from "./plan-loop.ts";
import type { ServedKinds } from "./served-kinds.ts";

export function driveEveryKind(reconciler: EveryKindReconciler, served: ServedKinds, options: DriverOptions): void {
  const { cache, client, signal } = options;
  const view: KindsView = {
    ...cache.view,
    get kinds() {
      return served.all;
    },
    resolve: (apiVersion, kind) => served.resolve(apiVersion, kind),
  };
  const find = (text: string): { kind: ServedKind; object: UnknownObject } | undefined => {
    const bar = text.indexOf("|");
    const kind = served.named(text.slice(0, bar));
    const object = kind === undefined ? undefined : cache.peek(kind)?.get(parseKey(text.slice(bar + 1)));
    return kind === undefined || object === undefined ? undefined : { kind, object: object as UnknownObject };
  };
  const loop = new PlanLoop({
    ...options,
    name: reconciler.name,
    record: recordAs(reconciler.component ?? `${reconciler.name}-controller`, options),
    plan(text, moment) {
      const found = find(text);
      return found === undefined ? [] : reconciler.reconcile(found.kind, found.object, view, moment);
    },
    async inputs(text) {
      const found = find(text);
      const requests = found === undefined ? undefined : reconciler.inputs(found.kind, found.object, view);
      return await gather(requests ?? new Map(), client, signal);
    },
  });
  served.onKind((kind) => {
    const stop = cache.of(kind).onChange((change) => {
      for (const { kind: of, key } of reconciler.keys(kind, change as CacheChange<UnknownObject>, view))
        loop.add(`${resourceName(of)}|${keyText(key)}`);
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}
