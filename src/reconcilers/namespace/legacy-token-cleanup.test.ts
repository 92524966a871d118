import { expect, test } from "vitest";
import type { KubernetesObject } from "#api/object.ts";
import type { Secret } from "#api/core/secret.ts";
import { viewOf } from "#client/view.ts";
import type { Moment } from "#reconcilers/reconciler.ts";
import { legacyTokenCleanupReconciler } from "./legacy-token-cleanup.ts";

const now = Date.parse("2026-06-01T00:00:00Z");
const moment: Moment = { now, failure: undefined, failures: 0, waitingSince: undefined, inputs: new Map() };
const core = (kind: string, namespace: string, name: string, rest: object) =>
  ({ apiVersion: "v1", kind, metadata: { namespace, name }, ...rest }) as KubernetesObject;
const account = core("ServiceAccount", "ns", "bot", { secrets: [{ name: "token" }] });
const tracking = core("ConfigMap", "kube-system", "kube-apiserver-legacy-service-account-token-tracking", {
  data: { since: "2020-01-01" },
});
const mounting = core("Pod", "ns", "p", { spec: { volumes: [{ name: "v", secret: { secretName: "token" } }] } });

const token = (labels: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: {
    namespace: "ns",
    name: "token",
    uid: "u",
    creationTimestamp: "2020-01-01T00:00:00Z",
    labels: Object.fromEntries(
      Object.entries(labels).map(([key, value]) => [`kubernetes.io/legacy-token-${key}`, value]),
    ),
    annotations: { "kubernetes.io/service-account.name": "bot" },
  },
  type: "kubernetes.io/service-account-token",
});

test.each<[claim: string, labels: Record<string, string>, objects: KubernetesObject[], changes: string[]]>([
  ["an unused token is marked", {}, [account, tracking], ["patch", "wake"]],
  ["a used one is left alone", { "last-used": "2026-05-01" }, [account, tracking], ["wake"]],
  ["a mounted one is left alone", {}, [account, tracking, mounting], ["wake"]],
  ["nothing is known before use is noted", {}, [account], ["wake"]],
  ["a marked token goes after a year", { "invalid-since": "2025-01-01" }, [account, tracking], ["delete"]],
  ["a token that somebody made stays", {}, [tracking], []],
])("legacy tokens: %s", (_, labels, objects, changes) => {
  const plan = legacyTokenCleanupReconciler.reconcile(token(labels), viewOf(objects), moment);
  expect(plan.map(({ type }) => type)).toEqual(changes);
});
