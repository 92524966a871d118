import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import type { ResourceClaim } from "#api/devices/resource-claim.ts";
import type { ResourceClaimTemplate } from "#api/devices/resource-claim-template.ts";
import { viewOf } from "#client/view.ts";
import type { Change, Moment } from "#reconcilers/reconciler.ts";
import { claimReleaseReconciler } from "./claim-release.ts";
import { claimFinalizer, generateNameFor, podClaimAnnotation } from "./pod-claims.ts";
import { podResourceClaimsReconciler } from "./pod-resource-claims.ts";

const moment: Moment = { now: 0, failure: undefined, failures: 0, waitingSince: undefined, inputs: new Map() };
const podKind = { apiVersion: "v1", kind: "Pod" };
const claimKind = { apiVersion: "resource.k8s.io/v1", kind: "ResourceClaim" };

function pod(changes: Partial<Pod> = {}): Pod {
  return {
    ...podKind,
    metadata: { namespace: "ns", name: "one", uid: "pod-uid" },
    spec: { containers: [], resourceClaims: [{ name: "dev", resourceClaimTemplateName: "gpu" }] },
    ...changes,
  };
}

const template: ResourceClaimTemplate = {
  apiVersion: "resource.k8s.io/v1",
  kind: "ResourceClaimTemplate",
  metadata: { namespace: "ns", name: "gpu", uid: "t" },
  spec: { metadata: { labels: { a: "b" } }, spec: {} },
};

function made(status: ResourceClaim["status"] = {}, finalizers?: string[]): ResourceClaim {
  return {
    ...claimKind,
    metadata: {
      namespace: "ns",
      name: "one-dev-abcde",
      uid: "claim-uid",
      annotations: { [podClaimAnnotation]: "dev" },
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "one", uid: "pod-uid", controller: true }],
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec: {},
    status,
  };
}

const words = (changes: Change[]): string[] =>
  changes.map((change) => ("subresource" in change ? `${change.type} ${change.subresource}` : change.type));

describe("claims of pods", () => {
  test("resourceclaim: a template's claim is made once and then named in the pod's status", () => {
    const first = podResourceClaimsReconciler.reconcile(pod(), viewOf([template]), moment);
    expect(words(first)).toEqual(["create"]);
    const second = podResourceClaimsReconciler.reconcile(pod(), viewOf([template, made()]), moment);
    expect(words(second)).toEqual(["patch status"]);
    const status = { resourceClaimStatuses: [{ name: "dev", resourceClaimName: "one-dev-abcde" }] };
    expect(podResourceClaimsReconciler.reconcile(pod({ status }), viewOf([template, made()]), moment)).toEqual([]);
  });
  test("resourceclaim: a missing template is told", () => {
    expect(words(podResourceClaimsReconciler.reconcile(pod(), viewOf([]), moment))).toEqual(["event"]);
  });
  test("resourceclaim: long names are cut in proportion", () => {
    expect(generateNameFor("a".repeat(100), "b".repeat(14)).length).toBeLessThanOrEqual(58);
    expect(generateNameFor("one", "dev")).toBe("one-dev-");
  });
});

describe("release of claims", () => {
  const reservedFor = [{ resource: "pods", name: "one", uid: "pod-uid" }];
  const allocated = { allocation: {}, reservedFor };
  const gone: Moment = { ...moment, inputs: new Map([["one", { ok: true, value: undefined }]]) };
  test("resourceclaim: a claim in use is left alone", () => {
    expect(claimReleaseReconciler.reconcile(made(allocated, [claimFinalizer]), viewOf([pod()]), moment)).toEqual([]);
  });
  test("resourceclaim: a pod that only the view misses keeps its claim", () => {
    expect(claimReleaseReconciler.reconcile(made(allocated), viewOf([]), moment)).toEqual([]);
  });
  test("resourceclaim: a claim whose pod is gone is freed and deleted", () => {
    const changes = claimReleaseReconciler.reconcile(made(allocated, [claimFinalizer]), viewOf([]), gone);
    expect(words(changes)).toEqual(["update status", "patch", "delete"]);
  });
  test("resourceclaim: a finished pod needs nothing", () => {
    const finished = pod({ status: { phase: "Succeeded" } });
    expect(words(claimReleaseReconciler.reconcile(made(allocated), viewOf([finished]), moment))).toContain("delete");
  });
});
