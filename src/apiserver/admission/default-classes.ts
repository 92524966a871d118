/**
 * Claims and ingresses that name no class get the default one. Upstream: plugin/pkg/admission/storage/storageclass/
 * setdefault, plugin/pkg/admission/network/defaultingressclass.
 */
import type { V1Ingress, V1PersistentVolumeClaim } from "#api/generated/types.ts";
import { defaultOf } from "./lookup.ts";
import { type AdmissionPlugin, isFor } from "./plugin.ts";

const storageAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];
const claimClassAnnotation = "volume.beta.kubernetes.io/storage-class";
const ingressAnnotations = ["ingressclass.kubernetes.io/is-default-class"];
const ingressClassAnnotation = "kubernetes.io/ingress.class";

export const defaultStorageClass: AdmissionPlugin = {
  name: "DefaultStorageClass",
  mutate(request) {
    if (request.operation !== "CREATE" || !isFor(request, "", "persistentvolumeclaims")) return;
    const { spec, metadata } = request.object as V1PersistentVolumeClaim;
    if (spec === undefined || spec.storageClassName !== undefined) return;
    if (metadata.annotations?.[claimClassAnnotation] !== undefined) return;
    const name = defaultOf(request.services, "/registry/storage.k8s.io/storageclasses/", storageAnnotations)?.metadata
      .name;
    if (name !== undefined) spec.storageClassName = name;
  },
};

export const defaultIngressClass: AdmissionPlugin = {
  name: "DefaultIngressClass",
  mutate(request) {
    if (request.operation !== "CREATE" || !isFor(request, "networking.k8s.io", "ingresses")) return;
    const ingress = request.object as V1Ingress;
    if (ingress.spec?.ingressClassName !== undefined) return;
    if (ingress.metadata.annotations?.[ingressClassAnnotation] !== undefined) return;
    const prefix = "/registry/networking.k8s.io/ingressclasses/";
    const name = defaultOf(request.services, prefix, ingressAnnotations)?.metadata.name;
    if (name !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: name };
  },
};
