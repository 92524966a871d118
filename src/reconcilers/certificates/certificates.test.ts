import { describe, expect, test } from "vitest";
import type { CertificateSigningRequest } from "#api/certificates/certificate-signing-request.ts";
import { decidedMsMax, endOf, pendingMsMax } from "./certificate-cleaner.ts";
import { signers } from "./signers.ts";
import type { RequestFacts } from "./signing-request.ts";

const nobody: RequestFacts = {
  commonName: "system:node:a",
  organizations: ["system:nodes"],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
};

describe("signers", () => {
  const kubelet = "kubernetes.io/kube-apiserver-client-kubelet";
  const serving = "kubernetes.io/kubelet-serving";
  const client = "kubernetes.io/kube-apiserver-client";
  const clientUsages = ["client auth", "digital signature"];
  test.each<[claim: string, signer: string, facts: Partial<RequestFacts>, usages: string[], fault: string | undefined]>(
    [
      ["a node may be a client", kubelet, {}, clientUsages, undefined],
      ["a node's RSA key may encipher", kubelet, {}, [...clientUsages, "key encipherment"], undefined],
      [
        "a node's client has no names",
        kubelet,
        { dnsNames: ["a"] },
        clientUsages,
        "DNS subjectAltNames are not allowed",
      ],
      ["others are no nodes", kubelet, { organizations: [] }, clientUsages, "subject organization is not system:nodes"],
      [
        "a client does not serve",
        kubelet,
        {},
        ["server auth", "digital signature"],
        "usages did not match [client auth digital signature key encipherment]",
      ],
      [
        "who serves has a name",
        serving,
        {},
        ["server auth", "digital signature"],
        "DNS or IP subjectAltName is required",
      ],
      ["a named node serves", serving, { ipAddresses: ["10.0.0.1"] }, ["server auth", "digital signature"], undefined],
      ["a client asks to be one", client, {}, [], "missing required usage for client certificate: client auth"],
      ["a client is nothing else", client, {}, ["any"], "invalid usage for client certificate: any"],
      ["the oldest signer asks nothing", "kubernetes.io/legacy-unknown", {}, [], undefined],
    ],
  )("signing: %s", (_, signer, facts, usages, fault) => {
    expect(signers.get(signer)!({ ...nobody, ...facts }, usages)).toBe(fault);
  });
});

describe("cleaning", () => {
  const made = "2026-01-01T00:00:00Z";
  const madeAt = Date.parse(made);
  const request = (type: string | undefined, certificate?: string): CertificateSigningRequest => ({
    metadata: { name: "a", creationTimestamp: made },
    spec: { signerName: "example.com/own", request: "" },
    status: {
      ...(certificate === undefined ? {} : { certificate }),
      ...(type === undefined ? {} : { conditions: [{ type, status: "True", lastUpdateTime: made }] }),
    },
  });
  test.each<[claim: string, request: CertificateSigningRequest, end: number]>([
    ["an undecided request waits a day", request(undefined), madeAt + pendingMsMax],
    ["an approved request waits for its certificate", request("Approved"), madeAt + pendingMsMax],
    ["a denied request stays an hour", request("Denied"), madeAt + decidedMsMax],
    ["a request that is served stays an hour", request("Approved", "AAAA"), madeAt + decidedMsMax],
  ])("cleaning: %s", (_, given, end) => expect(endOf(given)).toBe(end));
});
