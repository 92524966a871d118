import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import type { ConfigMap } from "#api/core/config-map.ts";
import type { Secret } from "#api/core/secret.ts";
import { viewOf } from "#client/view.ts";
import type { Moment } from "#reconcilers/reconciler.ts";
import { bootstrapSignerReconciler, detachedSignature } from "./bootstrap-signer.ts";
import { tokenCleanerReconciler } from "./token-cleaner.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const moment: Moment = { now, failure: undefined, failures: 0, waitingSince: undefined, inputs: new Map() };
const base64 = (text: string) => Buffer.from(text).toString("base64");

function token(fields: Record<string, string> = {}): Secret {
  const all = { "token-id": "abcdef", "token-secret": "s", "usage-bootstrap-signing": "true", ...fields };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "kube-system", name: "bootstrap-token-abcdef", uid: "t" },
    type: "bootstrap.kubernetes.io/token",
    data: Object.fromEntries(Object.entries(all).map(([key, value]) => [key, base64(value)])),
  };
}

const info = (data: Record<string, string>): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "kube-public", name: "cluster-info" },
  data,
});

const dataOf = (given: ConfigMap, secrets: Secret[]) => {
  const [first] = bootstrapSignerReconciler.reconcile(given, viewOf(secrets), moment);
  return first?.type === "update" ? (first.object as ConfigMap).data : undefined;
};

test("bootstrap-signer: a token that signs does, and what is signed stays", () => {
  const data = dataOf(info({ kubeconfig: "k" }), [token()]);
  expect(Object.keys(data ?? {})).toEqual(["kubeconfig", "jws-kubeconfig-abcdef"]);
  expect(dataOf(info(data!), [token()])).toBeUndefined();
});

test("bootstrap-signer: signatures of tokens that are gone, expired or for something else go", () => {
  const signed = info({ kubeconfig: "k", "jws-kubeconfig-abcdef": "x" });
  for (const secrets of [
    [],
    [token({ expiration: "2025-12-31T00:00:00Z" })],
    [token({ "usage-bootstrap-signing": "false" })],
  ])
    expect(dataOf(signed, secrets)).toEqual({ kubeconfig: "k" });
});

test("bootstrap-signer: a signature is a detached HS256 one", () => {
  const [header = "", payload, signature] = detachedSignature("k", { id: "abcdef", secret: "s" }).split(".");
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({ alg: "HS256", kid: "abcdef" });
  expect(payload).toBe("");
  const whole = `${header}.${Buffer.from("k").toString("base64url")}`;
  expect(signature).toBe(createHmac("sha256", "s").update(whole).digest("base64url"));
});

test("token-cleaner: a token goes when it ends", () => {
  const plan = (fields: Record<string, string>) =>
    tokenCleanerReconciler.reconcile(token(fields), viewOf([]), moment).map(({ type }) => type);
  expect(plan({})).toEqual([]);
  expect(plan({ expiration: "2026-01-02T00:00:00Z" })).toEqual(["wake"]);
  expect(plan({ expiration: "2025-12-31T00:00:00Z" })).toEqual(["delete"]);
});
