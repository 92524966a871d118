/** Services: addresses, node ports, types, warnings, and the proxy to them. */
import { create, get, mergePatch, put, remove, storyServer, strategicPatch, type Story } from "#test/support/story.ts";
import { endpoints, service } from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const ofOld = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
const invalid = (claim: string, spec: Fields, text: string): Story => [
  claim,
  create(service("s", spec), "?dryRun=All").isInvalid(text),
];

stories("a new service", [
  [
    "gets an address and defaults",
    create(service("s"))
      .shows({
        spec: {
          ports: [{ protocol: "TCP", port: 80, targetPort: 80 }],
          type: "ClusterIP",
          sessionAffinity: "None",
          ipFamilies: ["IPv4"],
          ipFamilyPolicy: "SingleStack",
          internalTrafficPolicy: "Cluster",
        },
        status: { loadBalancer: {} },
      })
      .meets((body) => {
        const { clusterIP, clusterIPs } = body["spec"] as { clusterIP: string; clusterIPs: string[] };
        if (!clusterIP.startsWith("10.43.") || clusterIPs.join() !== clusterIP) throw new Error(clusterIP);
      })
      .lacks("metadata.generation"),
  ],
  [
    "gets a node port and a policy",
    create(service("s", { type: "NodePort" }))
      .shows({ spec: { externalTrafficPolicy: "Cluster" } })
      .meets((body) => {
        const port = (body["spec"] as { ports: { nodePort: number }[] }).ports[0]?.nodePort ?? 0;
        if (port < 30000 || port > 32767) throw new Error(String(port));
      }),
  ],
  ["has no address if it wants none", create(service("s", { clusterIP: "None" })).has("spec.clusterIPs", ["None"])],
  [
    "of an outside name has neither address nor policy",
    create(service("s", { type: "ExternalName", externalName: "a.example", ports: undefined })).lacks(
      "spec.clusterIP",
      "spec.internalTrafficPolicy",
      "spec.ipFamilies",
    ),
  ],
  [
    "keeps clients together for three hours",
    create(service("s", { sessionAffinity: "ClientIP" })).has("spec.sessionAffinityConfig", {
      clientIP: { timeoutSeconds: 10800 },
    }),
  ],
]);

stories("a service is invalid", [
  invalid(
    "with a port below one",
    { ports: [{ port: -1 }] },
    "[spec.ports[0].port: Invalid value: -1: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: -1: must be between 1 and 65535, inclusive]",
  ),
  invalid(
    "with several ports without names",
    { ports: [{ port: 80 }, { port: 81 }] },
    "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]",
  ),
  invalid(
    "with a long name of a target port",
    { ports: [{ port: 80, targetPort: "abcdefghijklmnop" }] },
    'spec.ports[0].targetPort: Invalid value: "abcdefghijklmnop": must be no more than 15 characters',
  ),
  invalid(
    "with a node port inside",
    { ports: [{ port: 80, nodePort: 30001 }] },
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ),
  invalid(
    "with two first addresses",
    { clusterIP: "10.43.0.77", clusterIPs: ["10.43.0.78"] },
    'spec.clusterIPs: Invalid value: ["10.43.0.78"]: first value must match `clusterIP`',
  ),
  invalid(
    "with node ports but no address",
    { type: "NodePort", clusterIP: "None" },
    `spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`,
  ),
  invalid(
    "with an affinity of no time",
    { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
    "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400",
  ),
  invalid(
    "with addresses in a loose form",
    { type: "LoadBalancer", loadBalancerSourceRanges: ["10.1.2.3/8", "010.0.0.0/8"] },
    '[spec.LoadBalancerSourceRanges[0]: Invalid value: "10.1.2.3/8": must not have bits set beyond the prefix length, spec.LoadBalancerSourceRanges[1]: Invalid value: "010.0.0.0/8": must not have leading 0s in IP or prefix length]',
  ),
  invalid(
    "with a family that is none",
    { ipFamilies: ["IPv5"] },
    'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
  ),
  invalid(
    "with two families where there is one",
    { ipFamilyPolicy: "RequireDualStack" },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ),
  invalid(
    "with None among others",
    { clusterIP: "None", clusterIPs: ["None", "10.43.0.9"] },
    `spec.clusterIPs: Invalid value: ["None","10.43.0.9"]: 'None' must be the first and only value`,
  ),
  invalid(
    "with a policy that is none",
    { internalTrafficPolicy: "Zone" },
    'spec.internalTrafficPolicy: Unsupported value: "Zone": supported values: "Cluster", "Local"',
  ),
]);

const taken = (ip: string) =>
  `spec.clusterIPs: Invalid value: ["${ip}"]: failed to allocate IP ${ip}: provided IP is already allocated`;
stories("an address", [
  [
    "is given once",
    create(service("s", { clusterIP: "10.43.9.1" })),
    create(service("t", { clusterIP: "10.43.9.1" })).isInvalid(taken("10.43.9.1")),
    remove("services/s"),
    create(service("t", { clusterIP: "10.43.9.1" })),
  ],
  [
    "has an object of its own as long as it is given",
    create(service("s")).saves("ip", "spec.clusterIP"),
    get("/apis/networking.k8s.io/v1/ipaddresses/{ip}").has("spec.parentRef", {
      resource: "services",
      namespace: "{ns}",
      name: "s",
    }),
    remove("services/s"),
    get("/apis/networking.k8s.io/v1/ipaddresses/{ip}").answers(404, 'ipaddresses.networking.k8s.io "{ip}" not found'),
  ],
  [
    "stays when a service is written without it",
    create(service("s", { type: "NodePort" }))
      .saves("ip", "spec.clusterIP")
      .saves("port", "spec.ports.0.nodePort"),
    put("services/s", service("s", { type: "NodePort" }))
      .has("spec.clusterIP", "{ip}")
      .meets(() => {}),
    get("services/s").has("spec.clusterIP", "{ip}"),
  ],
  [
    "cannot be given up",
    create(service("s")),
    mergePatch("services/s", { spec: { clusterIP: "None", clusterIPs: ["None"] } }).answers(
      422,
      'Service "s" is invalid: spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
    ),
  ],
  [
    "is kept while a service waits for its end",
    create(service("s", { clusterIP: "10.43.9.2" }, { finalizers: ["x.io/f"] })),
    remove("services/s"),
    create(service("t", { clusterIP: "10.43.9.2" })).isInvalid(taken("10.43.9.2")),
    mergePatch("services/s", { metadata: { finalizers: null } }),
  ],
  [
    "goes with a change to an outside name",
    create(service("s", { clusterIP: "10.43.9.3" })),
    mergePatch("services/s", {
      spec: { type: "ExternalName", externalName: "a.example", clusterIP: null, clusterIPs: null },
    }).lacks("spec.clusterIP"),
    create(service("t", { clusterIP: "10.43.9.3" })),
  ],
]);

stories("a node port", [
  [
    "is given once",
    create(service("s", { type: "NodePort", ports: [{ port: 80, nodePort: 31001 }] })),
    create(service("t", { type: "NodePort", ports: [{ port: 80, nodePort: 31001 }] })).isInvalid(
      "spec.ports[0].nodePort: Invalid value: 31001: provided port is already allocated",
    ),
    remove("services/s"),
  ],
  [
    "may serve two protocols of a service",
    create(
      service("s", {
        type: "NodePort",
        ports: [
          { name: "a", port: 53, nodePort: 31002 },
          { name: "b", port: 53, protocol: "UDP", nodePort: 31002 },
        ],
      }),
    ),
  ],
  [
    "is of the range",
    create(service("s", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] })).isInvalid(
      "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
    ),
  ],
  [
    "goes when the type goes",
    create(service("s", { type: "NodePort" })),
    mergePatch("services/s", { spec: { type: "ClusterIP" } }).lacks(
      "spec.ports.0.nodePort",
      "spec.externalTrafficPolicy",
    ),
  ],
]);

stories("a range of addresses", [
  [
    "may be added to those of the cluster",
    create(service("s", { clusterIP: "10.99.7.1" })).isInvalid(
      'spec.clusterIPs: Invalid value: ["10.99.7.1"]: failed to allocate IP 10.99.7.1: the provided network does not match the current range',
    ),
    create({
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: { name: "{ns}" },
      spec: { cidrs: ["10.99.7.0/24"] },
    }),
    create(service("s", { clusterIP: "10.99.7.1" })).has("spec.clusterIP", "10.99.7.1"),
    remove("services/s"),
    remove("/apis/networking.k8s.io/v1/servicecidrs/{ns}"),
  ],
]);

stories("a dry run", [
  [
    "gives numbers that are nobody's",
    create(service("s", { type: "LoadBalancer", externalTrafficPolicy: "Local" }), "?dryRun=All")
      .has("spec.clusterIP", "10.43.0.0")
      .has("spec.ports.0.nodePort", 32769)
      .has("spec.healthCheckNodePort", 32770),
    get("services/s").answers(404),
  ],
]);

stories("a change of a service", [
  [
    "keeps node ports by name of the port",
    create(
      service("s", {
        type: "NodePort",
        ports: [
          { name: "a", port: 80, nodePort: 31020 },
          { name: "b", port: 81, nodePort: 31021 },
        ],
      }),
    ),
    mergePatch("services/s", {
      spec: {
        ports: [
          { name: "b", port: 90 },
          { name: "a", port: 80 },
        ],
      },
    })
      .has("spec.ports.0.nodePort", 31021)
      .has("spec.ports.1.nodePort", 31020),
  ],
  [
    "fails if two ports of one protocol ask for one number",
    create(service("s", { type: "NodePort" })),
    mergePatch("services/s", {
      spec: {
        ports: [
          { name: "a", port: 80, nodePort: 31022 },
          { name: "b", port: 81, nodePort: 31022 },
        ],
      },
    }).answers(500, "duplicate nodePort: {TCP 31022}"),
  ],
  [
    "merges ports by number alone",
    create(
      service("s", {
        ports: [
          { name: "t", port: 53 },
          { name: "u", port: 53, protocol: "UDP" },
        ],
      }),
    ),
    strategicPatch("services/s", { spec: { ports: [{ port: 53, protocol: "UDP", targetPort: 5353 }] } }).answers(422),
  ],
  [
    "may not give a class to a balancer later",
    create(service("s", { type: "LoadBalancer" })),
    mergePatch("services/s", { spec: { loadBalancerClass: "x.io/b" } }).answers(
      422,
      'Service "s" is invalid: spec.loadBalancerClass: Invalid value: "x.io/b": may not change once set',
    ),
  ],
  [
    "warns of an outside name that is not used",
    create(service("s", { type: "ExternalName", externalName: "a.example" })),
    mergePatch("services/s", { spec: { type: "ClusterIP" } }).warns(
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ),
  ],
]);

stories("a service warns", [
  [
    "of what has no use without an address",
    create(service("s", { clusterIP: "None", loadBalancerIP: "1.2.3.4", sessionAffinity: "ClientIP" })).warns(
      "spec.loadBalancerIP is ignored for headless services",
      "spec.SessionAffinity is ignored for headless services",
    ),
  ],
  [
    "of an old distribution, and of forms of addresses",
    create(
      service("s", { type: "LoadBalancer", trafficDistribution: "PreferClose", loadBalancerIP: "FD00::1" }),
      "?dryRun=All",
    ).warns(
      'spec.loadBalancerIP: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ),
  ],
]);

stories("the proxy to a service", [
  [
    "needs endpoints",
    create(service("s")),
    get("services/s/proxy/").answers(404, 'services "s" not found'),
    create(endpoints("s", { subsets: [] })).warns(ofOld),
    get("services/s/proxy/").answers(503, 'no endpoints available for service "s"'),
  ],
  [
    "understands scheme, name and port",
    get("services/ftp:s:80/proxy/").answers(400, 'invalid service request "ftp:s:80"'),
    get("services/a:b:c:d/proxy/").answers(400, 'invalid service request "a:b:c:d"'),
  ],
]);
