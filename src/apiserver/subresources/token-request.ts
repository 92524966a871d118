/** Tokens of service accounts on request. Upstream: pkg/registry/core/serviceaccount/storage/token.go. */
import { formatTime } from "#lib/clock.ts";
import type { AuthenticationV1TokenRequest, V1Pod } from "#api/generated/types.ts";
import { builtInType } from "#api/schema/built-in.ts";
import type { KubernetesObject } from "#api/object.ts";
import { badRequest, conflict, notFound } from "#api/status-catalogue.ts";
import { invalid, invalidObject } from "#api/validation/field-errors.ts";
import { type Answer, objectAnswer } from "#apiserver/answer.ts";
import type { BoundObject, TokenSigner } from "#apiserver/authn/token-signer.ts";
import { admissionFor } from "#apiserver/resource/create.ts";
import { trackNew } from "#apiserver/resource/managed-fields.ts";
import { managerName } from "#apiserver/resource/options.ts";
import type { SpecialHandler, SpecialRequest } from "#apiserver/subresource.ts";
import { entryOf, operationOn, readBody } from "./support.ts";

const secondsMin = 10 * 60;
const secondsMax = 2 ** 32;
const secondsDefault = 60 * 60;
/** What pods ask for by themselves. Such a token lives for a year, for clients that never read it again; it says so. */
const secondsOfPods = 3607;
const secondsExtended = 365 * 24 * 60 * 60;
const schema = "io.k8s.api.authentication.v1.TokenRequest";
const group = "authentication.k8s.io";

type Sent = AuthenticationV1TokenRequest & KubernetesObject;
type Spec = Partial<NonNullable<Sent["spec"]>>;
type TokenRequest = KubernetesObject & { spec: Spec };

export function serviceAccountToken(signer: TokenSigner, audiences: readonly string[]): SpecialHandler {
  return { methods: ["POST"], handle: (special) => requestToken(special, signer, audiences) };
}

async function requestToken(
  special: SpecialRequest,
  signer: TokenSigner,
  audiences: readonly string[],
): Promise<Answer> {
  const { info, now, request } = special;
  const sent = await readBody<Sent>(special, schema, group);
  checkNamespace(sent, special);
  const form = { ...sent, spec: specOf(sent) } as TokenRequest;
  const manager = managerName(request.query.get("fieldManager") ?? "", request.header("user-agent"));
  trackNew({
    struct: builtInType(schema),
    group,
    version: "v1",
    kind: "TokenRequest",
    subresource: "token",
    now,
    object: form,
    manager,
  });
  const operation = operationOn(special, special.resource!, info.name);
  const admission = { ...admissionFor(operation, "CREATE", undefined, undefined), subresource: "token", options: form };
  await special.services.admission.mutate(admission);
  checkIdentity(form, special);
  const account = (await entryOf(operation)).object;
  complete(form, special, account, audiences);
  checkExpiration(form.spec);
  await special.services.admission.validate(admission);
  const { token, expiresAtMs } = await signed(special, signer, account, form.spec, audiences);
  const spec = { ...form.spec, boundObjectRef: form.spec.boundObjectRef ?? null };
  return objectAnswer({ ...form, spec, status: { token, expirationTimestamp: formatTime(expiresAtMs) } }, 201);
}

function specOf({ spec }: Sent): Spec {
  const { audiences, expirationSeconds, ...rest } = spec ?? {};
  const named = (audiences ?? []).length === 0 ? {} : { audiences };
  return { ...rest, ...named, expirationSeconds: expirationSeconds ?? secondsDefault };
}

/** What the server says of a request itself. */
function complete(
  form: TokenRequest,
  { info, now }: SpecialRequest,
  account: KubernetesObject,
  audiences: readonly string[],
) {
  const { name, namespace } = info;
  Object.assign(form.metadata, { name, namespace, uid: account.metadata.uid, creationTimestamp: formatTime(now) });
  if ((form.spec.audiences ?? []).length === 0) form.spec.audiences = [...audiences];
}

async function signed(
  special: SpecialRequest,
  signer: TokenSigner,
  account: KubernetesObject,
  spec: Spec,
  ownAudiences: readonly string[],
) {
  const { audiences = [], expirationSeconds = secondsDefault, boundObjectRef } = spec;
  const { info, now } = special;
  const { bound, node } = boundObject(special, account, boundObjectRef ?? undefined);
  const expiresAtMs = now + expirationSeconds * 1000;
  const isExtended =
    bound?.kind === "Pod" &&
    expirationSeconds === secondsOfPods &&
    audiences.every((audience) => ownAudiences.includes(audience));
  const token = await signer.sign(
    { namespace: info.namespace, name: info.name, uid: account.metadata.uid ?? "" },
    {
      audiences,
      issuedAtMs: now,
      expiresAtMs: isExtended ? now + secondsExtended * 1000 : expiresAtMs,
      ...(isExtended && { warnAfterMs: expiresAtMs }),
      ...(bound && { bound }),
      ...(node && { node }),
    },
  );
  return { token, expiresAtMs };
}

function checkNamespace({ metadata: { namespace = "" } }: Sent, { info }: SpecialRequest): void {
  if (namespace !== "" && namespace !== info.namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

function checkIdentity({ metadata: { name = "" } }: TokenRequest, { info }: SpecialRequest): void {
  if (name === "" || name === info.name) return;
  const fault = invalid("metadata.name", name, "must match the service account name if specified");
  throw invalidObject({ group, kind: "TokenRequest" }, info.name, [fault]);
}

function checkExpiration({ expirationSeconds: seconds = secondsDefault }: Spec): void {
  const field = "spec.expirationSeconds";
  const errors = [];
  if (seconds < secondsMin) errors.push(invalid(field, seconds, "may not specify a duration less than 10 minutes"));
  if (seconds > secondsMax) errors.push(invalid(field, seconds, "may not specify a duration larger than 2^32 seconds"));
  if (errors.length > 0) throw invalidObject({ group, kind: "TokenRequest" }, "", errors);
}

interface Reference {
  kind?: string;
  apiVersion?: string;
  name?: string;
  uid?: string;
}

const boundKinds = new Map([
  ["Pod", "pods"],
  ["Secret", "secrets"],
  ["Node", "nodes"],
]);

function boundObject(special: SpecialRequest, account: KubernetesObject, reference: Reference | undefined) {
  if (reference === undefined) return {};
  const { kind = "", name = "", uid = "" } = reference;
  const { group, version } = groupVersionOf(reference);
  const plural = group === "" ? boundKinds.get(kind) : undefined;
  if (plural === undefined) throw badRequest(`cannot bind token for object of type ${group}/${version}, Kind=${kind}`);
  const { namespace } = special.info;
  const cache = special.services.cache.resource(`/registry/core/${plural}/`);
  const object = cache.get(kind === "Node" ? name : `${namespace}/${name}`)?.object;
  if (object === undefined) throw notFound({ group: "", resource: plural }, name);
  if (kind === "Pod" && (object as V1Pod).spec?.serviceAccountName !== account.metadata.name)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
    );
  if (uid !== "" && uid !== object.metadata.uid) {
    const text = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: "", resource: kind }, name, text);
  }
  const bound: BoundObject = { kind: kind as BoundObject["kind"], name, uid: object.metadata.uid ?? "" };
  return { bound, node: kind === "Pod" ? nodeOf(special, object as V1Pod) : undefined };
}

/** What is no group and version is none of either, as upstream reads it. */
function groupVersionOf({ apiVersion = "" }: Reference): { group: string; version: string } {
  const [first = "", second, ...more] = apiVersion.split("/");
  if (more.length > 0) return { group: "", version: "" };
  return second === undefined ? { group: "", version: first } : { group: first, version: second };
}

/** The node that the pod runs on, so that the token's user is known by it. */
function nodeOf({ services }: SpecialRequest, { spec }: V1Pod) {
  const name = spec?.nodeName ?? "";
  if (name === "") return undefined;
  return { name, uid: services.cache.resource("/registry/core/nodes/").get(name)?.object.metadata.uid ?? "" };
}
