/** The plugins that run, in upstream's order. A new one is a file and a line here. */
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { priority } from "./priority.ts";
import { serviceAccount } from "./service-account.ts";
import { storageObjectInUse } from "./storage-object-in-use.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export function admissionPlugins(): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle,
    serviceAccount,
    nodeRestriction,
    taintNodesByCondition,
    priority,
    defaultTolerationSeconds,
    storageObjectInUse,
  ];
}
