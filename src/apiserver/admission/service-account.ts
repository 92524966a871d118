/**
 * Gives a pod its service account, the account's token as a volume, and its pull secrets.
 * Upstream: plugin/pkg/admission/serviceaccount/admission.go.
 */
import { randomSuffix } from "#lib/random.ts";
import type { V1Container, V1Pod, V1ServiceAccount } from "#api/generated/types.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { referenced } from "#apiserver/authz/node.ts";
import { clone } from "#apiserver/resource/metadata.ts";
import { type AdmissionPlugin, type AdmissionRequest, isFor } from "./plugin.ts";

const defaultAccount = "default";
/** As long as upstream, which looks ten times. */
const arrivalMs = 1_500;
const tokenPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
/** Seven seconds more than an hour tell such tokens from those that a user asked an hour for. */
const tokenSeconds = 3607;
const mirrorAnnotation = "kubernetes.io/config.mirror";
const mountableAnnotation = "kubernetes.io/enforce-mountable-secrets";

export const serviceAccount: AdmissionPlugin = {
  name: "ServiceAccount",
  async mutate(request) {
    if (request.operation !== "CREATE" || !isFor(request, "", "pods") || request.object === undefined) return;
    const pod = request.object as V1Pod;
    if (pod.spec === undefined) return;
    if (isMirror(pod)) return checkMirror(request, pod);
    if ((pod.spec.serviceAccountName ?? "") === "") pod.spec.serviceAccountName = defaultAccount;
    pod.spec.serviceAccount = pod.spec.serviceAccountName!;
    if (pod.spec.serviceAccountName === defaultAccount) await arrival(request);
    const account = accountOf(request, pod);
    if (automounts(account, pod)) mountToken(request, pod);
    if ((pod.spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0)
      pod.spec.imagePullSecrets = clone(account.imagePullSecrets!);
  },
  validate(request) {
    if (request.object === undefined) return;
    const pod = request.object as V1Pod;
    if (isFor(request, "", "pods", "ephemeralcontainers")) return checkEphemeral(request, pod);
    if (request.operation !== "CREATE" || !isFor(request, "", "pods") || pod.spec === undefined) return;
    if (isMirror(pod)) checkMirror(request, pod);
    else checkMountable(request, pod, accountOf(request, pod));
  },
};

/** Truths, as Go reads them from a text. */
const truths = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const limitsSecrets = ({ metadata }: V1ServiceAccount): boolean =>
  truths.has(metadata.annotations?.[mountableAnnotation] ?? "");

interface SecretUse {
  by: string;
  secret: string;
}

function usesOf(kind: string, containers: readonly Omit<V1Container, "name">[] | undefined): SecretUse[] {
  return ((containers as readonly V1Container[] | undefined) ?? []).flatMap(({ name, env = [], envFrom = [] }) => [
    ...env.flatMap(({ name: variable, valueFrom }): SecretUse[] => {
      const from = valueFrom?.secretKeyRef;
      return from === undefined
        ? []
        : [{ by: `${kind} ${name} with envVar ${variable} referencing`, secret: from.name ?? "" }];
    }),
    ...envFrom.flatMap(({ secretRef }): SecretUse[] =>
      secretRef === undefined ? [] : [{ by: `${kind} ${name} with envFrom referencing`, secret: secretRef.name ?? "" }],
    ),
  ]);
}

function checkUses(request: AdmissionRequest, uses: readonly SecretUse[], account: V1ServiceAccount): void {
  const allowed = new Set((account.secrets ?? []).map(({ name }) => name));
  for (const { by, secret } of uses) {
    if (allowed.has(secret)) continue;
    throw refuse(
      request,
      `${by} secret.secretName=${JSON.stringify(secret)} is not allowed because service account ${account.metadata.name ?? ""} does not reference that secret`,
    );
  }
}

function checkEphemeral(request: AdmissionRequest, pod: V1Pod): void {
  if ((pod.spec?.serviceAccountName ?? "") === "")
    throw refuse(request, `no service account specified for pod ${request.namespace}/${pod.metadata.name}`);
  const account = accountOf(request, pod);
  if (limitsSecrets(account)) checkUses(request, usesOf("ephemeral container", pod.spec?.ephemeralContainers), account);
}

const isMirror = ({ metadata }: V1Pod): boolean => metadata.annotations?.[mirrorAnnotation] !== undefined;

function refuse({ resource, name }: AdmissionRequest, text: string) {
  return forbiddenRequest(resource.resourceName, name, text);
}

function checkMirror(request: AdmissionRequest, pod: V1Pod): void {
  const { spec } = pod;
  if ((spec!.serviceAccountName ?? "") !== "") throw refuse(request, "a mirror pod may not reference service accounts");
  if (referenced(pod, "secret").size > 0) throw refuse(request, "a mirror pod may not reference secrets");
  const hasToken = (spec!.volumes ?? []).some(({ projected }) =>
    projected?.sources?.some((source) => source.serviceAccountToken !== undefined),
  );
  if (hasToken) throw refuse(request, "a mirror pod may not use ServiceAccountToken volume projections");
}

const prefixOfAccounts = "/registry/core/serviceaccounts/";

/** A new namespace's default account is made by a controller: who is here first waits a moment for it. */
async function arrival({ namespace, services }: AdmissionRequest): Promise<void> {
  const accounts = services.cache.resource(prefixOfAccounts);
  const key = `${namespace}/${defaultAccount}`;
  if (accounts.get(key) !== undefined) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(end, arrivalMs);
    const stop = accounts.listen((changes) => changes.some((change) => change.key === key) && end());
  });
}

function accountOf(request: AdmissionRequest, { spec }: V1Pod): V1ServiceAccount {
  const name = spec!.serviceAccountName ?? defaultAccount;
  const { namespace, services } = request;
  const found = services.cache.resource(prefixOfAccounts).get(`${namespace}/${name}`);
  if (found === undefined)
    throw refuse(
      request,
      `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
    );
  return found.object as V1ServiceAccount;
}

function automounts(account: V1ServiceAccount, { spec }: V1Pod): boolean {
  return spec!.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
}

function mountToken({ services }: AdmissionRequest, pod: V1Pod): void {
  const spec = pod.spec!;
  const existing = (spec.volumes ?? []).find((volume) => volume.name.startsWith(volumePrefix));
  const name = existing?.name ?? `${volumePrefix}${randomSuffix(5, services.random)}`;
  let isUsed = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if ((container.volumeMounts ?? []).some(({ mountPath }) => mountPath === tokenPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenPath }];
    isUsed = true;
  }
  if (isUsed && existing === undefined) spec.volumes = [...(spec.volumes ?? []), { name, projected: tokenSources() }];
}

function tokenSources() {
  const fieldRef = { apiVersion: "v1", fieldPath: "metadata.namespace" };
  return {
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef }] } },
    ],
    defaultMode: 0o644,
  };
}

/** An account may say that its pods use only the secrets that it lists. */
function checkMountable(request: AdmissionRequest, pod: V1Pod, account: V1ServiceAccount): void {
  if (!limitsSecrets(account)) return;
  const pullable = new Set((account.imagePullSecrets ?? []).map(({ name }) => name));
  const { spec } = pod;
  const accountName = account.metadata.name ?? "";
  const uses = (spec!.volumes ?? []).flatMap(({ secret }): SecretUse[] =>
    secret === undefined ? [] : [{ by: "volume with", secret: secret.secretName ?? "" }],
  );
  uses.push(...usesOf("init container", spec!.initContainers), ...usesOf("container", spec!.containers));
  checkUses(request, uses, account);
  for (const [index, { name }] of (spec!.imagePullSecrets ?? []).entries())
    if (!pullable.has(name))
      throw refuse(
        request,
        `imagePullSecrets[${index}].name=${JSON.stringify(name)} is not allowed because service account ${accountName} does not reference that imagePullSecret`,
      );
}
