/** Endpoints, slices, ingresses and network policies. */
import { create, storyServer, type Story } from "#test/support/story.ts";
import { endpoints, endpointSlice, ingress, networkPolicy } from "#test/support/story-objects.ts";

const stories = storyServer();

type Fields = Record<string, unknown>;
const ofOld = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";

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
    "in slices are of the slice's family, and whole names",
    create(endpointSlice("e", { addressType: "IPv4", endpoints: [{ addresses: ["fd00::1"] }] })).isInvalid(
      'endpoints[0].addresses[0]: Invalid value: "fd00::1": must be an IPv4 address',
    ),
    create(endpointSlice("e", { addressType: "FQDN", endpoints: [{ addresses: ["host"] }] })).isInvalid(
      'endpoints[0].addresses[0]: Invalid value: "host": should be a domain with at least two segments separated by dots',
    ),
    create(endpointSlice("e", { addressType: "FQDN", endpoints: [{ addresses: ["host.example"] }] })).warns(
      "spec.addressType: FQDN endpoints are deprecated",
    ),
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
    "has ports that end after they begin",
    create(
      networkPolicy("n", { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80, endPort: 70 }] }] } }),
    ).isInvalid("spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`"),
  ],
  [
    "warns of ranges in a form of their own",
    create(
      networkPolicy("n", { spec: { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: "FD00::/64" } }] }] } }),
    ).warns(
      'spec.egress[0].to[0].ipBlock.cidr: IPv6 CIDR value "FD00::/64" should be in RFC 5952 canonical format ("fd00::/64")',
    ),
  ],
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
