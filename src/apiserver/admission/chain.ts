/** The plugins that run, in upstream's order. A new one is a file and a line here. */
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import type { AdmissionPlugin } from "./plugin.ts";

export function admissionPlugins(): readonly AdmissionPlugin[] {
  return [namespaceLifecycle];
}
