/** The plugins that run, in upstream's order. A new one is a file and a line here. */
import type { Rbac } from "#apiserver/authz/rbac.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { priority } from "./priority.ts";
import { rbacEscalation } from "./rbac-escalation.ts";
import { serviceAccount } from "./service-account.ts";
import { storageObjectInUse } from "./storage-object-in-use.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export function admissionPlugins(rbac: Rbac): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle,
    serviceAccount,
    nodeRestriction,
    taintNodesByCondition,
    priority,
    defaultTolerationSeconds,
    storageObjectInUse,
    rbacEscalation(rbac),
  ];
}
