import { expect, it } from "vitest";
import { hollowNode as node, hollowPod as pod } from "#scheduler/hollow.ts";
import { scores, verdicts } from "#scheduler/try-plugin.ts";
import type { V1Namespace, V1PodAffinityTerm } from "#api/generated/types.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";

const zone = "topology.kubernetes.io/zone";
const term = (app: string, more: Partial<V1PodAffinityTerm> = {}): V1PodAffinityTerm => ({
  labelSelector: { matchLabels: { app } },
  topologyKey: zone,
  ...more,
});
const near = (...terms: V1PodAffinityTerm[]) => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const far = (...terms: V1PodAffinityTerm[]) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const namespace = (name: string, labels: Record<string, string>): V1Namespace => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});
const nodes = [node("a", { labels: { [zone]: "z1" } }), node("b", { labels: { [zone]: "z2" } }), node("c")];
const web = pod("w", { nodeName: "a", labels: { app: "web" } });
const notNear = "neverFits: node(s) didn't match pod affinity rules";
const tooNear = "misfit: node(s) didn't match pod anti-affinity rules";
const unwanted = "misfit: node(s) didn't satisfy existing pods anti-affinity rules";

it.each([
  ["near a pod", pod("p", near(term("web"))), [web], ["fits", notNear, notNear]],
  ["near nobody", pod("p", near(term("db"))), [web], [notNear, notNear, notNear]],
  ["the first of its kind", pod("p", { ...near(term("db")), labels: { app: "db" } }), [web], ["fits", "fits", notNear]],
  [
    "one pod must meet every term",
    pod("p", near(term("web"), term("db"))),
    [web, pod("d", { nodeName: "a", labels: { app: "db" } })],
    [notNear, notNear, notNear],
  ],
  ["away from a pod", pod("p", far(term("web"))), [web], [tooNear, "fits", "fits"]],
  [
    "a pod there that wants nobody near",
    pod("p", { labels: { app: "db" } }),
    [pod("w", { nodeName: "b", ...far(term("db")) })],
    ["fits", unwanted, "fits"],
  ],
  [
    "other namespaces do not count",
    pod("p", { namespace: "other", ...far(term("web")) }),
    [web],
    ["fits", "fits", "fits"],
  ],
  [
    "namespaces that are named do",
    pod("p", { namespace: "other", ...far(term("web", { namespaces: ["default"] })) }),
    [web],
    [tooNear, "fits", "fits"],
  ],
  [
    "so do those that a selector finds",
    pod("p", { namespace: "other", ...far(term("web", { namespaceSelector: { matchLabels: { team: "x" } } })) }),
    [web, namespace("default", { team: "x" })],
    [tooNear, "fits", "fits"],
  ],
  [
    "an empty selector finds all namespaces",
    pod("p", { namespace: "other", ...far(term("web", { namespaceSelector: {} })) }),
    [web],
    [tooNear, "fits", "fits"],
  ],
  ["no selector finds no pod", pod("p", far({ topologyKey: zone })), [web], ["fits", "fits", "fits"]],
  [
    "match label keys narrow to pods alike",
    pod("p", { labels: { v: "2" }, ...far(term("web", { matchLabelKeys: ["v"] })) }),
    [web],
    ["fits", "fits", "fits"],
  ],
])("InterPodAffinity: %s", (_, wanted, objects, expected) => {
  expect(verdicts(interPodAffinity, wanted, [...nodes, ...objects])).toEqual(expected);
});

it("InterPodAffinity: preferences of the pod and of those there move the score", () => {
  const liking = (weight: number, app: string, kind: "podAffinity" | "podAntiAffinity" = "podAffinity") => ({
    affinity: {
      [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term(app) }] },
    },
  });
  const db = pod("d", { nodeName: "b", labels: { app: "db" }, ...liking(5, "web") });
  expect(scores(interPodAffinity, pod("p", liking(10, "web")), [...nodes, web, db])).toEqual([100, 0, 0]);
  expect(scores(interPodAffinity, pod("p", liking(10, "web", "podAntiAffinity")), [...nodes, web])).toEqual([
    0, 100, 100,
  ]);
  expect(scores(interPodAffinity, pod("p", { labels: { app: "web" } }), [...nodes, db])).toEqual([0, 100, 0]);
  expect(scores(interPodAffinity, pod("p"), [...nodes, web])).toBeUndefined();
});

it("InterPodAffinity: a share of the highest score is rounded down as upstream's floating numbers come out", () => {
  const preferred = [
    { weight: 100, podAffinityTerm: term("web") },
    { weight: 29, podAffinityTerm: term("db") },
  ];
  const wanted = pod("p", {
    affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } },
  });
  const db = pod("d", { nodeName: "b", labels: { app: "db" } });
  expect(scores(interPodAffinity, wanted, [...nodes, web, db])).toEqual([100, 28, 0]);
});
