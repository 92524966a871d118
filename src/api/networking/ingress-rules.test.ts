import { describe, expect, it } from "vitest";
import type { V1Ingress } from "#api/generated/types.ts";
import { ingressErrors, ingressStatusErrors, ingressWarnings } from "./ingress-rules.ts";

const ingress = (spec: V1Ingress["spec"], annotations: Record<string, string> = {}): V1Ingress => ({
  metadata: { name: "i", annotations },
  ...(spec === undefined ? {} : { spec }),
});
const texts = (spec: V1Ingress["spec"], old?: V1Ingress) =>
  ingressErrors(ingress(spec), old).map(({ field, message }) => `${field}: ${message}`);
const backend = { service: { name: "s", port: { number: 80 } } };
const path = (text: string, pathType: string) => ({ path: text, pathType, backend });
const rule = (text: string, pathType = "Prefix", host?: string) => ({
  ...(host === undefined ? {} : { host }),
  http: { paths: [path(text, pathType)] },
});

describe("ingress", () => {
  it.each([
    [{ defaultBackend: backend }, []],
    [{}, ["spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"]],
    [{ rules: [rule("a")] }, ['spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path']],
    [
      { rules: [rule("/a//b/.", "Exact")] },
      [
        `spec.rules[0].http.paths[0].path: Invalid value: "/a//b/.": must not contain '//'`,
        `spec.rules[0].http.paths[0].path: Invalid value: "/a//b/.": cannot end with '/.'`,
      ],
    ],
    [{ rules: [rule("", "ImplementationSpecific")] }, []],
    [
      { rules: [rule("/", null as never)] },
      ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"],
    ],
    [{ defaultBackend: { resource: { apiGroup: null as never, kind: "K", name: "n" } } }, []],
    [
      { rules: [rule("/", "Prefix", "192.0.2.1")] },
      ['spec.rules[0].host: Invalid value: "192.0.2.1": must be a DNS name, not an IP address'],
    ],
    [
      { defaultBackend: { service: { name: "s", port: { name: "http", number: 80 } } } },
      ['spec.defaultBackend: Invalid value: "": cannot set both port name & port number'],
    ],
    [
      { defaultBackend: { service: { name: "", port: {} } } },
      [
        "spec.defaultBackend.service.name: Required value",
        "spec.defaultBackend: Required value: port name or number is required",
      ],
    ],
  ])("%j has these faults", (spec, expected) => expect(texts(spec as V1Ingress["spec"])).toEqual(expected));

  it("a secret name that was bad may stay bad", () => {
    const spec = { defaultBackend: backend, tls: [{ secretName: "Bad_Name" }] };
    expect(texts(spec)).toHaveLength(1);
    expect(texts(spec, ingress(spec))).toEqual([]);
  });
  it("an annotated class must be the class that is named", () => {
    const annotated = ingress(
      { ingressClassName: "a", defaultBackend: backend },
      { "kubernetes.io/ingress.class": "b" },
    );
    expect(ingressErrors(annotated, undefined).map(({ field }) => field)).toEqual([
      "annotations.kubernetes.io/ingress.class",
    ]);
    expect(ingressWarnings(annotated, undefined)).toHaveLength(1);
    expect(ingressWarnings(annotated, annotated)).toEqual([]);
  });
  it("addresses in a status are checked when they are new", () => {
    const status = { loadBalancer: { ingress: [{ ip: "010.0.0.1" }] } };
    expect(ingressStatusErrors({ metadata: {}, status }, { metadata: {} })).toHaveLength(1);
    expect(ingressStatusErrors({ metadata: {}, status }, { metadata: {}, status })).toEqual([]);
  });
});
