/**
 * Nothing is created in a namespace that is not there or that is going away (evictions, bindings and tokens neither), and
 * the namespaces that the cluster cannot do without stay. Upstream: apiserver/pkg/admission/plugin/namespace/lifecycle.
 */
import type { V1Namespace } from "#api/generated/types.ts";
import { forbiddenRequest, notFound } from "#api/status-catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";

const immortal = new Set(["default", "kube-system", "kube-public"]);

export const namespaceLifecycle: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  mutate: check,
};

function check(request: AdmissionRequest): void {
  const { operation, resource, namespace, name, services } = request;
  const isNamespace = resource.group === "" && resource.plural === "namespaces";
  if (operation === "DELETE" && isNamespace && immortal.has(name))
    throw forbiddenRequest(resource.resourceName, name, "this namespace may not be deleted");
  if (isNamespace || !resource.isNamespaced || operation !== "CREATE") return;
  // A question about rights is answered for any namespace.
  if (resource.group === "authorization.k8s.io") return;
  const found = services.cache.resource("/registry/core/namespaces/").get(namespace)?.object as V1Namespace | undefined;
  if (found === undefined) throw notFound({ group: "", resource: "namespaces" }, namespace);
  if (found.metadata.deletionTimestamp === undefined && found.status?.phase !== "Terminating") return;
  const error = forbiddenRequest(
    resource.resourceName,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  error.status.details = {
    ...error.status.details,
    causes: [
      {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      },
    ],
  };
  throw error;
}
