import { expect, test } from "vitest";
import type { KubernetesObject } from "#api/object.ts";
import type { ServiceCIDR } from "#api/networking/service-cidr.ts";
import { viewOf } from "#client/view.ts";
import type { Change, Moment } from "#reconcilers/reconciler.ts";
import { serviceCidrReconciler } from "./service-cidr.ts";

const moment: Moment = {
  now: Date.parse("2026-01-01T00:01:00Z"),
  failure: undefined,
  failures: 0,
  waitingSince: undefined,
  inputs: new Map(),
};
const finalizers = ["networking.k8s.io/service-cidr-finalizer"];

const range = (name: string, cidr: string, metadata: object = {}): ServiceCIDR => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "ServiceCIDR",
  metadata: { name, uid: name, ...metadata },
  spec: { cidrs: [cidr] },
});
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "ns", name: "s" },
  spec: { clusterIPs: ["10.1.0.9"] },
} as KubernetesObject;

const words = (changes: Change[]) =>
  changes.map((change) => ("subresource" in change ? `${change.type} ${change.subresource}` : change.type));
const leaving = range("a", "10.1.0.0/16", { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers });

test.each<[claim: string, given: ServiceCIDR, others: KubernetesObject[], changes: string[]]>([
  ["a new range is kept and ready", range("a", "10.1.0.0/16"), [], ["patch", "update status"]],
  ["an unused range may go", leaving, [], ["patch"]],
  ["a used range stays and says why", leaving, [service], ["update status"]],
  ["addresses that another range has do not keep it", leaving, [service, range("b", "10.1.0.0/24")], ["patch"]],
])("service-cidr: %s", (_, given, others, changes) => {
  expect(words(serviceCidrReconciler.reconcile(given, viewOf([given, ...others]), moment))).toEqual(changes);
});
