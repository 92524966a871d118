/** Kinds of the cluster as a whole: classes, priorities, flows; and what pods say to those who connect. */
import {
  create,
  get,
  mergePatch,
  post,
  remove,
  storyServer,
  update,
  type Story,
  type Written,
} from "#test/support/story.ts";
import { pod, priorityClass, runtimeClass } from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const invalid = (claim: string, object: Written, text: string): Story => [claim, create(object).isInvalid(text)];

stories("a priority class", [
  [
    "has a value up to a billion",
    create(priorityClass("{ns}", { value: 1_000_000_000 })),
    create(priorityClass("{ns}-x", { value: 1_000_000_001 })).isInvalid(
      "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
    ),
  ],
  invalid(
    "is not the system's",
    priorityClass("system-mine", { value: 1 }),
    "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
  ),
  invalid(
    "preempts or never does",
    priorityClass("a", { value: 1, preemptionPolicy: "Sometimes" }),
    'preemptionPolicy: Unsupported value: "Sometimes": supported values: "PreemptLowerPriority", "Never"',
  ),
  [
    "is the only default",
    create(priorityClass("{ns}", { value: 1, globalDefault: true })),
    mergePatch("priorityclasses/{ns}", { description: "x" }),
    create(priorityClass("{ns}", { value: 1, globalDefault: true })).answers(
      403,
      'priorityclasses.scheduling.k8s.io "{ns}" is forbidden: PriorityClass {ns} is already marked as default. Only one default can exist',
    ),
    remove("priorityclasses/{ns}"),
  ],
  [
    "of the system is there",
    get("priorityclasses/system-node-critical").shows({
      value: 2_000_001_000,
      description: "Used for system critical pods that must not be moved from their current node.",
    }),
    remove("priorityclasses/system-node-critical").answers(
      403,
      'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: this is a system priority class and cannot be deleted',
    ),
  ],
]);
stories("a runtime class", [
  invalid("has a handler", runtimeClass("a"), "handler: Required value"),
  [
    "has each toleration once, and is never written blindly",
    create(
      runtimeClass("{ns}", {
        handler: "k",
        scheduling: { tolerations: [{ operator: "Exists" }, { operator: "Exists" }] },
      }),
    ).isInvalid(
      'scheduling.tolerations[1]: Duplicate value: {"Key":"","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}',
    ),
    create(
      runtimeClass("{ns}", { handler: "k", scheduling: { nodeSelector: { "beta.kubernetes.io/os": "linux" } } }),
    ).warns('scheduling.nodeSelector: deprecated since v1.14; use "kubernetes.io/os" instead'),
    update(runtimeClass("{ns}", { handler: "k" })).answers(
      422,
      'runtimeclasses.node.k8s.io "{ns}" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    ),
    remove("runtimeclasses/{ns}"),
  ],
  [
    "gives its pods their overhead and their nodes",
    create(
      runtimeClass("{ns}", {
        handler: "kata",
        overhead: { podFixed: { cpu: "250m" } },
        scheduling: { nodeSelector: { runtime: "kata" } },
      }),
    ),
    create(pod("p", { runtimeClassName: "{ns}" })).shows({
      spec: { overhead: { cpu: "250m" }, nodeSelector: { runtime: "kata" } },
    }),
  ],
]);

const flow = "flowcontrol.apiserver.k8s.io/v1";
const schemaOf = (spec: Fields): Written => ({
  apiVersion: flow,
  kind: "FlowSchema",
  metadata: { name: "{ns}" },
  spec,
});
const level = (spec: Fields): Written => ({
  apiVersion: flow,
  kind: "PriorityLevelConfiguration",
  metadata: { name: "{ns}" },
  spec,
});
stories("flows", [
  [
    "have a precedence",
    create(schemaOf({ priorityLevelConfiguration: { name: "global-default" } })).has("spec.matchingPrecedence", 1000),
  ],
  invalid(
    "have a level",
    schemaOf({ matchingPrecedence: 9000 }),
    "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
  ),
  invalid(
    "come after the exempt one",
    schemaOf({ priorityLevelConfiguration: { name: "global-default" }, matchingPrecedence: 1 }),
    "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
  ),
  [
    "have levels with queues",
    create(level({ type: "Limited", limited: { limitResponse: { type: "Queue", queuing: {} } } })).has("spec.limited", {
      nominalConcurrencyShares: 30,
      limitResponse: { type: "Queue", queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
      lendablePercent: 0,
    }),
  ],
  invalid(
    "have one exempt level",
    level({ type: "Exempt" }),
    "spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'",
  ),
  [
    "of the start are there",
    get("flowschemas/catch-all").has("spec.matchingPrecedence", 10_000),
    get("prioritylevelconfigurations/exempt").has("spec.type", "Exempt"),
  ],
]);

const two = { containers: ["a", "b"].map((name) => ({ name, image: "x" })) };
stories("a pod that nobody runs", [
  [
    "has no shell",
    create(pod("p")),
    post("pods/p/exec?command=ls&stdout=true", undefined).answers(400, "pod p does not have a host assigned"),
  ],
  [
    "asks which container",
    create(pod("p", two)),
    post("pods/p/exec?command=ls&stdout=true", undefined).answers(
      400,
      "a container name must be specified for pod p, choose one of: [a b]",
    ),
    get("pods/p/log").answers(400, "a container name must be specified for pod p, choose one of: [a b]"),
  ],
  [
    "knows its containers",
    create(pod("p")),
    post("pods/p/exec?command=ls&stdout=true&container=zz", undefined).answers(
      400,
      "container zz is not valid for pod p",
    ),
  ],
  [
    "checks what part of a log is wanted",
    create(pod("p")),
    get("pods/p/log?sinceSeconds=0&limitBytes=0").answers(
      422,
      'PodLogOptions "p" is invalid: [limitBytes: Invalid value: 0: must be greater than 0, sinceSeconds: Invalid value: 0: must be greater than 0]',
    ),
  ],
  [
    "is there, or is not",
    get("pods/nope/log").answers(404, 'pods "nope" not found'),
    mergePatch("pods/nope", {}).answers(404, 'pods "nope" not found'),
  ],
]);
