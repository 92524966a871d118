/** Admission of what connects: exec, attach, port-forward, proxies. Upstream: endpoints/handlers/rest.go, ConnectResource. */
import type { KubernetesObject } from "#api/object.ts";
import type { SpecialRequest } from "#apiserver/subresource.ts";
import type { AdmissionRequest } from "./plugin.ts";

/** Throws StatusError to refuse. */
export async function admitConnection(
  { services, info, user, now, warnings, resource }: SpecialRequest,
  options: object,
): Promise<void> {
  const request: AdmissionRequest = {
    operation: "CONNECT",
    resource: resource!,
    subresource: info.subresource,
    namespace: resource!.isNamespaced ? info.namespace : "",
    name: info.name,
    options: options as KubernetesObject,
    user,
    dryRun: false,
    now,
    warnings,
    services,
    writes: [],
    settle: [],
  };
  await services.admission.mutate(request);
  await services.admission.validate(request);
}
