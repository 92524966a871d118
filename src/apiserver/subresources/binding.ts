/** How a scheduler gives a pod to a node. Upstream: pkg/registry/core/pod/storage/storage.go, BindingREST. */
import { setPodCondition } from "#api/core/pod-condition.ts";
import { dropInitAnnotations } from "#api/core/pod-defaults.ts";
import type { V1Binding, V1Pod } from "#api/generated/types.ts";
import { badRequest, conflict, unknownFailure } from "#api/status-catalogue.ts";
import { aggregateText, fieldErrorText, notSupported, required } from "#api/validation/field-errors.ts";
import { type Answer, objectAnswer } from "#apiserver/answer.ts";
import type { Entry } from "#apiserver/cache/entry.ts";
import { upstreamKey } from "#apiserver/resource/keys.ts";
import type { SpecialHandler, SpecialRequest, VirtualResource } from "#apiserver/subresource.ts";
import type { KubernetesObject } from "#api/object.ts";
import type { AdmissionRequest } from "#apiserver/admission/plugin.ts";
import { topologyLabelsOf } from "#apiserver/admission/pod-topology-labels.ts";
import { admissionFor } from "#apiserver/resource/create.ts";
import { operationOn, readBody, rewrite, success, unstored } from "./support.ts";

type Binding = V1Binding & KubernetesObject;
const schema = "io.k8s.api.core.v1.Binding";
const podsOf = ({ services }: SpecialRequest) => services.catalogue.find("", "v1", "pods")!;

export const podBinding: SpecialHandler = {
  methods: ["POST"],
  async handle(special) {
    const binding = await readBody<Binding>(special, schema);
    const { name } = special.info;
    const { kind, name: nodeName = "" } = binding.target ?? {};
    const topology = kind === "Node" ? topologyLabelsOf(special.services.cache, nodeName) : {};
    const operation = operationOn(special, podsOf(special), name);
    const request = {
      ...admissionFor(operation, "CREATE", undefined, undefined),
      subresource: "binding",
      options: binding,
    };
    return bind(special, binding, request, topology);
  },
};

/** The same as a collection of its own, which admission knows as no part of a pod: it brings no labels of the node. */
const bindingKind = { group: "", version: "v1", kind: "Binding", plural: "bindings", isNamespaced: true };
export const bindings: VirtualResource = {
  ...bindingKind,
  singular: "binding",
  verbs: ["create"],
  methods: ["POST"],
  async handle(special) {
    const binding = await readBody<Binding>(special, schema);
    const resource = unstored(special, { ...bindingKind, schema });
    return bind(special, binding, admissionFor(operationOn(special, resource, ""), "CREATE", binding, undefined), {});
  },
};

async function bind(
  special: SpecialRequest,
  binding: Binding,
  request: AdmissionRequest,
  topology: Record<string, string>,
): Promise<Answer> {
  const { admission } = special.services;
  await admission.mutate(request);
  if (binding.metadata.name !== request.name) throw badRequest("name in URL does not match name in Binding object");
  checkTarget(binding);
  await admission.validate(request);
  const operation = operationOn(special, podsOf(special), request.name);
  const nodeName = binding.target.name ?? "";
  await rewrite<V1Pod & KubernetesObject>(operation, (pod, entry) => {
    checkPreconditions(special, binding, entry);
    checkBindable(pod);
    pod.spec!.nodeName = nodeName;
    merge(pod, "annotations", { ...pod.metadata.annotations, ...binding.metadata.annotations });
    dropInitAnnotations(pod.metadata);
    merge(pod, "labels", { ...pod.metadata.labels, ...binding.metadata.labels, ...topology });
    setPodCondition((pod.status ??= {}), { type: "PodScheduled", status: "True" }, special.now);
    // Where it was promised room is of no interest once it has a node.
    delete pod.status?.nominatedNodeName;
  });
  return objectAnswer(success(), 201);
}

function merge(pod: KubernetesObject, field: "annotations" | "labels", values: Record<string, string>): void {
  if (Object.keys(values).length > 0) pod.metadata[field] = values;
}

function checkTarget({ target }: Binding): void {
  const errors = [];
  if (target?.kind !== undefined && target.kind !== "" && target.kind !== "Node")
    errors.push(notSupported("target.kind", target.kind, ["Node", "<empty>"]));
  if ((target?.name ?? "") === "") errors.push(required("target.name"));
  if (errors.length > 0) throw unknownFailure(aggregateText(errors.map(fieldErrorText)));
}

function checkPreconditions({ services, info }: SpecialRequest, { metadata }: Binding, { object }: Entry): void {
  const { name = "", uid = "", resourceVersion = "" } = object.metadata;
  const key = upstreamKey(services.catalogue.find("", "v1", "pods")!, info.namespace, name);
  const fails = (fault: string) =>
    conflict(
      { group: "", resource: "pods" },
      name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${fault}`,
    );
  if ((metadata.uid ?? "") !== "" && metadata.uid !== uid)
    throw fails(`Precondition failed: UID in precondition: ${metadata.uid ?? ""}, UID in object meta: ${uid}`);
  if ((metadata.resourceVersion ?? "") !== "" && metadata.resourceVersion !== resourceVersion)
    throw fails(
      `Precondition failed: ResourceVersion in precondition: ${metadata.resourceVersion ?? ""}, ResourceVersion in object meta: ${resourceVersion}`,
    );
}

function checkBindable({ metadata, spec }: V1Pod): void {
  const name = metadata.name ?? "";
  const fails = (text: string) => conflict({ group: "", resource: "pods/binding" }, name, text);
  if (metadata.deletionTimestamp !== undefined)
    throw fails(`pod ${name} is being deleted, cannot be assigned to a host`);
  if ((spec?.nodeName ?? "") !== "")
    throw fails(`pod ${name} is already assigned to node ${JSON.stringify(spec!.nodeName)}`);
  if ((spec?.schedulingGates ?? []).length > 0) throw fails(`pod ${name} has non-empty .spec.schedulingGates`);
}
