/** For whom a node may ask for tokens: for its pods, and for those that their volumes speak to. Upstream: noderestriction. */
import type {
  AuthenticationV1TokenRequest,
  V1CSIDriver,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Volume,
} from "#api/generated/types.ts";
import { badRequest, forbiddenRequest, notFound } from "#api/status-catalogue.ts";
import { objectAt } from "./lookup.ts";
import type { AdmissionRequest } from "./plugin.ts";

const refuse = ({ resource, name }: AdmissionRequest, text: string) =>
  forbiddenRequest(resource.resourceName, name, text);

export function checkNodeToken(request: AdmissionRequest, node: string): void {
  const { spec } = request.options as AuthenticationV1TokenRequest;
  const reference = spec?.boundObjectRef;
  if (
    reference === undefined ||
    reference === null ||
    reference.apiVersion !== "v1" ||
    reference.kind !== "Pod" ||
    (reference.name ?? "") === ""
  )
    throw refuse(request, "node requested token not bound to a pod");
  if ((reference.uid ?? "") === "") throw refuse(request, "node requested token with a pod binding without a uid");
  const pod = objectAt<V1Pod>(request.services, "/registry/core/pods/", `${request.namespace}/${reference.name ?? ""}`);
  if (pod === undefined) throw notFound({ group: "", resource: "pods" }, reference.name ?? "");
  if (pod.metadata.uid !== reference.uid)
    throw refuse(
      request,
      `the UID in the bound object reference (${reference.uid ?? ""}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (pod.spec?.nodeName !== node)
    throw refuse(request, "node requested token bound to a pod scheduled on a different node");
  checkAudience(request, pod, spec?.audiences ?? []);
}

/** Whom the token is for: one that a volume of the pod names, or one that the node has a right to. */
function checkAudience(request: AdmissionRequest, pod: V1Pod, audiences: readonly string[]): void {
  if (audiences.length > 1) throw badRequest("node may only request 0 or 1 audiences");
  const [audience = ""] = audiences;
  if (audiencesOf(request, pod).has(audience) || mayAskFor(request, audience)) return;
  throw refuse(
    request,
    `audience ${JSON.stringify(audience)} not found in pod spec volume, ${request.user.name} is not authorized to request tokens for this audience`,
  );
}

function mayAskFor({ services, user, namespace, name }: AdmissionRequest, audience: string): boolean {
  const { decision } = services.authorizer.authorize({
    user,
    verb: "request-serviceaccounts-token-audience",
    isResource: true,
    group: "",
    version: "v1",
    resource: audience,
    subresource: "",
    namespace,
    name,
    path: "",
  });
  return decision === "allow";
}

function audiencesOf(request: AdmissionRequest, pod: V1Pod): Set<string> {
  const audiences = new Set<string>();
  for (const volume of pod.spec?.volumes ?? []) {
    for (const { serviceAccountToken: token } of volume.projected?.sources ?? [])
      if (token !== undefined) audiences.add(token.audience ?? "");
    const driver = driverOf(request, pod, volume);
    const found =
      driver === undefined
        ? undefined
        : objectAt<V1CSIDriver>(request.services, "/registry/storage.k8s.io/csidrivers/", driver);
    for (const token of found?.spec.tokenRequests ?? []) audiences.add(token.audience ?? "");
  }
  return audiences;
}

/** The CSI driver of a volume, of its claim, or of the claim that was made for it. */
function driverOf({ services, namespace }: AdmissionRequest, pod: V1Pod, volume: V1Volume): string | undefined {
  const claimName =
    volume.ephemeral?.volumeClaimTemplate === undefined
      ? volume.persistentVolumeClaim?.claimName
      : `${pod.metadata.name}-${volume.name}`;
  if (claimName === undefined) return volume.csi?.driver;
  const claim = objectAt<V1PersistentVolumeClaim>(
    services,
    "/registry/core/persistentvolumeclaims/",
    `${namespace}/${claimName}`,
  );
  const bound = objectAt<V1PersistentVolume>(
    services,
    "/registry/core/persistentvolumes/",
    claim?.spec?.volumeName ?? "",
  );
  return bound?.spec?.csi?.driver;
}
