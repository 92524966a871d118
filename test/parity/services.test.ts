/** Services and what is about them: addresses, node ports, types; endpoints, slices, ingresses, policies, addresses. */
import { create, get, mergePatch, put, remove, storyServer, strategicPatch, type Story } from "#test/support/story.ts";
import { endpoints, endpointSlice, ingress, networkPolicy, service } from "#test/support/story-objects.ts";

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

stories("a change of a service", [
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

stories("endpoints", [
  [
    "are of old",
    create(endpoints("e", { subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }] }))
      .has("subsets.0.ports.0", { port: 80, protocol: "TCP" })
      .warns(ofOld),
  ],
  [
    "need a port",
    create(endpoints("e", { subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 0 }] }] }))
      .isInvalid("subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive")
      .warns(ofOld),
  ],
  [
    "in slices are of one type of address",
    create(endpointSlice("e", { endpoints: [] })).isInvalid("addressType: Required value"),
    create(
      endpointSlice("e", {
        addressType: "IPv4",
        endpoints: [],
        ports: [
          { name: "a", port: 80 },
          { name: "a", port: 81 },
        ],
      }),
    ).isInvalid('ports[1].name: Duplicate value: "a"'),
  ],
  [
    "in slices default to one TCP port without a name",
    create(
      endpointSlice("e", { addressType: "IPv4", endpoints: [{ addresses: ["192.0.2.1"] }], ports: [{ port: 80 }] }),
    )
      .has("ports", [{ name: "", port: 80, protocol: "TCP" }])
      .shows({ metadata: { generation: 1 } }),
  ],
]);

const path = (fields: Fields) => ({
  rules: [
    {
      http: {
        paths: [
          { path: "/", pathType: "Prefix", backend: { service: { name: "s", port: { number: 80 } } }, ...fields },
        ],
      },
    },
  ],
});
const badIngress = (claim: string, spec: Fields, text: string): Story => [
  claim,
  create(ingress("i", { spec })).isInvalid(text),
];
stories("an ingress", [
  ["has rules or a default", create(ingress("i", { spec: path({}) })).has("status", { loadBalancer: {} })],
  badIngress(
    "has paths of three types",
    path({ pathType: "Regex" }),
    'spec.rules[0].http.paths[0].pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"',
  ),
  badIngress("has at least one path", { rules: [{ http: { paths: [] } }] }, "spec.rules[0].http.paths: Required value"),
  badIngress(
    "has stars first in its hosts",
    { rules: [{ host: "foo.*.example.com" }] },
    `spec.rules[0].host: Invalid value: "foo.*.example.com": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  ),
  badIngress(
    "has one kind of backend",
    { defaultBackend: { service: { name: "s", port: { number: 80 } }, resource: { kind: "K", name: "n" } } },
    'spec.defaultBackend: Invalid value: "": cannot set both resource and service backends',
  ),
]);
stories("a network policy", [
  [
    "is about what comes in, and goes out if it says so",
    create(networkPolicy("n", { spec: { podSelector: {} } })).has("spec.policyTypes", ["Ingress"]),
    create(networkPolicy("m", { spec: { podSelector: {}, egress: [{}] } })).has("spec.policyTypes", [
      "Ingress",
      "Egress",
    ]),
  ],
  [
    "has two types at most",
    create(networkPolicy("n", { spec: { podSelector: {}, policyTypes: ["Ingress", "Egress", "Ingress"] } })).isInvalid(
      'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
    ),
  ],
  [
    "has ports in range",
    create(
      networkPolicy("n", { spec: { podSelector: {}, ingress: [{ ports: [{ port: 0 }, { port: 65536 }] }] } }),
    ).isInvalid(
      "[spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, spec.ingress[0].ports[1].port: Invalid value: 65536: must be between 1 and 65535, inclusive]",
    ),
  ],
]);
