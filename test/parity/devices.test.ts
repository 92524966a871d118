/** Devices: what claims and classes may say, and who may hand devices out and report on them. */
import { create, mergePatch, storyServer } from "#test/support/story.ts";
import {
  clusterRole,
  clusterRoleBinding,
  deviceClass,
  namespace,
  resourceClaim,
  role,
  roleBinding,
} from "#test/support/story-objects.ts";

const stories = storyServer();

const group = "resource.k8s.io";
const rbac = "rbac.authorization.k8s.io";
const claim = (more: object = {}) =>
  resourceClaim("c", {
    spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpu", ...more } }] } },
  });
const selecting = (expression: string) => deviceClass("{ns}", { spec: { selectors: [{ cel: { expression } }] } });
const at = "spec.selectors[0].cel.expression";

stories("a selector of devices", [
  ["asks for driver, attributes and capacity", create(selecting('device.attributes["d.example.com"].model == "a"'))],
  [
    "says yes or no",
    create(selecting("device.driver")).isInvalid(
      `${at}: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string`,
    ),
  ],
  [
    "may not cost too much",
    create(
      selecting("[1,2,3,4,5,6,7,8,9,10].all(a, ".repeat(7) + "device.driver.size() < a" + ")".repeat(7)),
    ).isInvalid(`${at}: Forbidden: too complex, exceeds cost limit`),
  ],
  [
    "is about devices",
    create(selecting("object.x")).isInvalid(
      `${at}: Invalid value: "object.x": compilation failed: ERROR: <input>:1:1: undeclared reference to 'object' (in container '')\n | object.x\n | ^`,
    ),
  ],
]);

const marked = "resource.kubernetes.io/admin-access";
const unmarked = `admin access to devices requires the \`${marked}: true\` label on the containing namespace`;
stories("access of an administrator", [
  [
    "is asked for where it is marked",
    create(claim({ adminAccess: true })).isInvalid(`spec.devices.requests[0].adminAccess: Forbidden: ${unmarked}`),
    mergePatch("/api/v1/namespaces/{ns}", { metadata: { labels: { [marked]: "true" } } }),
    create(claim({ adminAccess: true })),
  ],
  ["is marked by true or false", create(namespace("{ns}-2", {}, { labels: { [marked]: "false" } }))],
]);

const statusPath = `/apis/${group}/v1/namespaces/{ns}/resourceclaims/c/status`;
const mayPatch = (...rules: object[]) => [
  create(
    role("r", { rules: [{ apiGroups: [group], resources: ["resourceclaims/status"], verbs: ["patch"] }, ...rules] }),
  ),
  create(
    roleBinding("b", {
      subjects: [{ kind: "User", name: "u", apiGroup: rbac }],
      roleRef: { apiGroup: rbac, kind: "Role", name: "r" },
    }),
  ),
];
const binding = [
  create(
    clusterRole("{ns}", {
      rules: [{ apiGroups: [group], resources: ["resourceclaims/binding"], verbs: ["patch"] }],
    }),
  ),
  create(
    clusterRoleBinding("{ns}", {
      subjects: [{ kind: "User", name: "u", apiGroup: rbac }],
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "{ns}" },
    }),
  ),
];
const device = { driver: "d.example.com", pool: "p", device: "0" };
const allocation = { devices: { results: [{ request: "r", ...device }] } };
const prefix = 'ResourceClaim.resource.k8s.io "c" is invalid: ';
const mayNot = (verb: string, name: string, subresource: string, where: string) =>
  `resourceclaims.resource.k8s.io${name} is forbidden: User "u" cannot ${verb} resource "resourceclaims/${subresource}" in API group "${group}" ${where}`;

stories("the status of a claim", [
  [
    "gets its devices from who may bind claims",
    create(claim()),
    ...mayPatch(),
    mergePatch(statusPath, { status: { allocation } })
      .as("u")
      .answers(
        422,
        `${prefix}status: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="patch" permission: ${mayNot("patch", "", "binding", "at the cluster scope")}`,
      ),
    ...binding,
    mergePatch(statusPath, { status: { allocation } }).as("u"),
  ],
  [
    "hears of its devices from their driver",
    create(claim()),
    ...mayPatch({
      apiGroups: [group],
      resources: ["resourceclaims/driver"],
      resourceNames: ["d.example.com"],
      verbs: ["arbitrary-node:patch"],
    }),
    mergePatch(statusPath, {
      status: {
        allocation: {
          devices: { results: [allocation.devices.results[0], { request: "r", ...device, driver: "e.example.com" }] },
        },
      },
    }),
    mergePatch(statusPath, { status: { devices: [device] } }).as("u"),
    mergePatch(statusPath, { status: { devices: [device, { ...device, driver: "e.example.com" }] } })
      .as("u")
      .answers(
        422,
        `${prefix}status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[arbitrary-node:patch]" permission: ${mayNot("arbitrary-node:patch", ' "e.example.com"', "driver", 'in the namespace "{ns}"')}`,
      ),
  ],
]);
