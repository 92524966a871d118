/**
 * Fills Secrets of type service-account-token, and deletes them with their account. A token ends when its Secret does.
 * Upstream: pkg/controller/serviceaccount/tokens_controller.go.
 */
import { Secret } from "#api/core/secret.ts";
import { ServiceAccount } from "#api/core/service-account.ts";
import { defineIndex } from "#client/object-set.ts";
import {
  defineReconciler,
  remove,
  trigger,
  update,
  wake,
  type Change,
  type InputRequest,
  type View,
} from "#reconcilers/reconciler.ts";

const tokenType = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

/** A token that could not be made is asked for again after this. */
const againMs = 5_000;

const byAccount = defineIndex<Secret>("secret-account", ({ metadata, type }) =>
  type === tokenType ? [`${metadata.namespace}/${metadata.annotations?.[nameAnnotation] ?? ""}`] : [],
);

export type SignForSecret = (
  account: { namespace: string; name: string; uid: string },
  secret: string,
) => Promise<string>;

export const serviceAccountTokenReconciler = (rootCa: () => string, sign: SignForSecret) =>
  defineReconciler<Secret>({
    name: "serviceaccount-token",
    component: "serviceaccount-token",
    watches: Secret,
    also: [
      trigger(ServiceAccount, ({ metadata: { namespace, name } }, view, other) =>
        other === undefined
          ? view.byIndex(Secret, byAccount, `${namespace}/${name}`).map(({ metadata }) => metadata)
          : [],
      ),
    ],
    inputs(secret, view) {
      const requests = new Map<string, InputRequest>();
      const account = accountOf(secret, view);
      if (!isTokenSecret(secret)) return requests;
      const { namespace } = secret.metadata;
      const name = secret.metadata.annotations?.[nameAnnotation];
      if (account === undefined)
        requests.set("account", { type: "get", ref: ServiceAccount, key: { namespace, name } });
      else if (!isFilled(secret, rootCa()))
        requests.set("token", { type: "run", run: () => sign(subjectOf(account), secret.metadata.name!) });
      return requests;
    },
    reconcile(secret, view, { inputs, now }): Change[] {
      if (!isTokenSecret(secret)) return [];
      const account = accountOf(secret, view);
      if (account === undefined) return withoutAccount(secret, inputs.get("account"));
      const uid = secret.metadata.annotations?.[uidAnnotation];
      if (uid !== undefined && uid !== "" && uid !== account.metadata.uid) return [remove(Secret, secret)];
      if (isFilled(secret, rootCa())) return [];
      const token = inputs.get("token");
      if (token === undefined || !token.ok) return token === undefined ? [] : [wake(now + againMs)];
      return [update(Secret, filled(secret, account, rootCa(), token.value as string))];
    },
  });

function isTokenSecret({ metadata, type }: Secret): boolean {
  const named = (metadata.annotations?.[nameAnnotation] ?? "") !== "";
  return type === tokenType && named && metadata.deletionTimestamp === undefined;
}

function accountOf({ metadata: { namespace, annotations } }: Secret, view: View): ServiceAccount | undefined {
  return view.get(ServiceAccount, { namespace, name: annotations?.[nameAnnotation] });
}

/** Only a fresh answer says that the account is gone: the view may be behind. */
function withoutAccount(secret: Secret, answer: { ok: boolean; value?: unknown } | undefined): Change[] {
  return answer?.ok === true && answer.value === undefined ? [remove(Secret, secret)] : [];
}

const encoded = (text: string): string => Buffer.from(text, "utf8").toString("base64");

function isFilled({ metadata, data }: Secret, rootCa: string): boolean {
  const named = (metadata.annotations?.[uidAnnotation] ?? "") !== "";
  return (
    named &&
    data?.["ca.crt"] === encoded(rootCa) &&
    data["namespace"] === encoded(metadata.namespace ?? "") &&
    (data["token"] ?? "") !== ""
  );
}

function filled(secret: Secret, account: ServiceAccount, rootCa: string, token: string): Secret {
  const { namespace = "", annotations } = secret.metadata;
  const metadata = { ...secret.metadata, annotations: { ...annotations, [uidAnnotation]: account.metadata.uid! } };
  const kept = secret.data?.["token"] ?? "";
  const data = {
    ...secret.data,
    "ca.crt": encoded(rootCa),
    namespace: encoded(namespace),
    token: kept === "" ? encoded(token) : kept,
  };
  return { ...secret, metadata, data };
}

const subjectOf = ({ metadata: { namespace = "", name = "", uid = "" } }: ServiceAccount) => ({ namespace, name, uid });
