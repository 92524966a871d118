import { describe, expect, test } from "vitest";
import type { V1DaemonSetSpec, V1LabelSelector, V1PodTemplateSpec, V1StatefulSetSpec } from "#api/generated/types.ts";
import type { RequestContext } from "#api/resource.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { DaemonSet } from "./daemon-set.ts";
import { Deployment } from "./deployment.ts";
import { ReplicaSet } from "./replica-set.ts";
import { StatefulSet } from "./stateful-set.ts";

const context: RequestContext = { now: 0, user: { name: "u", groups: [] }, dryRun: false };
const kinds = { DaemonSet, Deployment, ReplicaSet, StatefulSet } as const;
type Kind = keyof typeof kinds;

interface Parts {
  selector?: V1LabelSelector;
  template?: Partial<V1PodTemplateSpec>;
  annotations?: Record<string, string>;
  spec?: object;
}

function made(kind: Kind, { selector = { matchLabels: { app: "web" } }, template, annotations, spec }: Parts) {
  const object = {
    metadata: { name: "web", namespace: "a", ...(annotations === undefined ? {} : { annotations }) },
    spec: {
      selector,
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "main", image: "busybox" }] },
        ...template,
      },
      ...spec,
    },
  };
  kinds[kind].defaults!(object as never);
  return object;
}

const texts = (kind: Kind, parts: Parts) =>
  kinds[kind].validate!(made(kind, parts) as never, undefined, context).map(fieldErrorText);

describe("workloads", () => {
  const empty = { selector: {} };
  test.each<[Kind, string]>([
    ["Deployment", "deployment"],
    ["ReplicaSet", "deployment"],
    ["StatefulSet", "statefulset"],
    ["DaemonSet", "daemonset"],
  ])("%s: an empty selector is told as one of a %s", (kind, name) =>
    expect(texts(kind, empty)).toEqual([`spec.selector: Invalid value: {}: empty selector is invalid for ${name}`]),
  );

  const unread = { matchExpressions: [{ key: "app", operator: "Like", values: ["x"] }] };
  const shown = JSON.stringify(unread);
  const operator = 'spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator';
  const noContainers = { template: { spec: { containers: [], activeDeadlineSeconds: 1 } }, selector: unread };
  const required = "spec.template.spec.containers: Required value";
  const deadline = (kind: string) =>
    `spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ${kind} is not Supported`;
  test.each<[Kind, string[]]>([
    ["Deployment", [operator, `spec.selector: Invalid value: ${shown}: invalid label selector`]],
    ["StatefulSet", [operator, `spec.selector: Invalid value: ${shown}`, deadline("StatefulSet")]],
    ["DaemonSet", [operator, required, deadline("DaemonSet")]],
  ])("%s: what is looked at behind a selector that cannot be read", (kind, expected) =>
    expect(texts(kind, noContainers)).toEqual(expected),
  );

  test("StatefulSet: labels that do not fit are told before labels that are none", () => {
    const faults = texts("StatefulSet", { template: { metadata: { labels: { app: "no!" } } } });
    expect(faults.map((fault) => fault.split(": ")[0])).toEqual([
      "spec.template.metadata.labels",
      "spec.template.labels",
      "spec.template.labels",
    ]);
  });
  test("StatefulSet: fractions of bytes in claims' requests and limits", () => {
    const claim = {
      metadata: { name: "data" },
      spec: { resources: { requests: { storage: "1m" }, limits: { storage: "2m" } } },
    };
    const set = made("StatefulSet", { spec: { volumeClaimTemplates: [claim] } satisfies Partial<V1StatefulSetSpec> });
    expect(StatefulSet.warnings!(set as never, undefined, context).map((text) => text.split(":")[0])).toEqual([
      "spec.volumeClaimTemplates[0].resources.requests[storage]",
      "spec.volumeClaimTemplates[0].resources.limits[storage]",
    ]);
    expect(StatefulSet.warnings!(set as never, set as never, context).map((text) => text.split(":")[0])).toEqual([
      "spec.volumeClaimTemplates[0].Spec.resources.requests[storage]",
      "spec.volumeClaimTemplates[0].Spec.resources.limits[storage]",
    ]);
  });

  const rollback = "deprecated.deployment.rollback.to";
  test("Deployment: an old rollback goes to no revision below 0", () => {
    expect(texts("Deployment", { annotations: { [rollback]: "-3" } })).toEqual([
      "spec.rollback.version: Invalid value: -3: must be greater than or equal to 0",
    ]);
    expect(texts("Deployment", { annotations: { [rollback]: "" } })).toEqual([]);
    expect(made("Deployment", { annotations: { [rollback]: "+07" } }).metadata.annotations).toEqual({
      [rollback]: "7",
    });
    expect(() => texts("Deployment", { annotations: { [rollback]: "99999999999999999999" } })).toThrow(
      "value out of range",
    );
  });

  const rolling = "spec.updateStrategy.rollingUpdate";
  test.each<[V1DaemonSetSpec["updateStrategy"], string[]]>([
    [{ rollingUpdate: { maxUnavailable: "3" } }, ["maxUnavailable: Invalid value"]],
    [{ rollingUpdate: { maxUnavailable: 0, maxSurge: "3" } }, ["maxSurge: Invalid value"]],
    [{ rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } }, ["maxSurge: Invalid value"]],
    [{ rollingUpdate: { maxUnavailable: "0%", maxSurge: 0 } }, ["maxUnavailable: Required value"]],
    [{ type: "OnDelete", rollingUpdate: {} }, []],
  ])("DaemonSet: %j", (updateStrategy, expected) =>
    expect(
      texts("DaemonSet", { spec: { updateStrategy } }).map((text) => text.split(": ").slice(0, 2).join(": ")),
    ).toEqual(expected.map((text) => `${rolling}.${text}`)),
  );
  test("DaemonSet: numbers that another strategy does not ask for are 0", () =>
    expect(made("DaemonSet", { spec: { updateStrategy: { type: "OnDelete", rollingUpdate: {} } } }).spec).toMatchObject(
      {
        updateStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } },
      },
    ));
});
