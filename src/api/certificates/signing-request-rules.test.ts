import { createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { V1CertificateSigningRequest } from "#api/generated/types.ts";
import { certificateRequestFault } from "./pkcs10.ts";
import { signerNameErrors, signingRequestErrors } from "./signing-request-rules.ts";

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};

/** A request of a fresh key, for nobody or for an organization in a type of text. */
function makeRequest(spoil = false, organization?: Buffer): string {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = publicKey.export({ format: "der", type: "spki" });
  const organizationType = der(0x06, Buffer.from("55040a", "hex"));
  const subject =
    organization === undefined ? der(0x30) : der(0x30, der(0x31, der(0x30, organizationType, organization)));
  const info = der(0x30, der(0x02, Buffer.from([0])), subject, key, der(0xa0));
  const algorithm = der(0x30, der(0x06, Buffer.from("2a8648ce3d040302", "hex")));
  const signature = createSign("sha256")
    .update(spoil ? "other" : info)
    .sign(privateKey);
  const whole = der(0x30, info, algorithm, der(0x03, Buffer.from([0]), signature));
  return `-----BEGIN CERTIFICATE REQUEST-----\n${whole.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
}

type Conditions = NonNullable<V1CertificateSigningRequest["status"]>["conditions"];
const request = (conditions: Conditions = [], certificate?: string): V1CertificateSigningRequest => ({
  metadata: { name: "r" },
  spec: { request: "", signerName: "x.io/s", usages: ["client auth"] },
  status: { conditions, ...(certificate === undefined ? {} : { certificate }) },
});
const approved = { type: "Approved", status: "True" };
const texts = (now: V1CertificateSigningRequest, old: V1CertificateSigningRequest, mayApprove: boolean) =>
  signingRequestErrors(now, old, { mayApprove, mayIssue: !mayApprove }).map(({ message }) => message);

describe("signing request", () => {
  it("what its own key has signed is fine, all else is not", () => {
    expect(certificateRequestFault(makeRequest())).toBeUndefined();
    expect(certificateRequestFault(makeRequest(true))).toBe("x509: ECDSA verification failure");
    expect(certificateRequestFault("nonsense")).toBe("PEM block type must be CERTIFICATE REQUEST");
    const cut = makeRequest().replace(/\n.{40}/, "\n");
    expect(certificateRequestFault(cut)).toBeDefined();
  });
  it.each([
    [0x0c, "system:masters", undefined],
    [0x0c, "Müller", undefined],
    [0x12, "12 3", undefined],
    [0x12, "system:masters", "asn1: syntax error: NumericString contains invalid character"],
    [0x13, "system:masters", undefined],
    [0x13, "a_b", "asn1: syntax error: PrintableString contains invalid character"],
    [0x16, "a_b", undefined],
    [0x16, "ü", "asn1: syntax error: IA5String contains invalid character"],
  ])("a name in text of type %i holds only its characters: %s", (type, text, fault) =>
    expect(certificateRequestFault(makeRequest(false, der(type, Buffer.from(text))))).toBe(fault),
  );
  it.each([
    ["example.com/name", []],
    ["example.com/name.with.dots", []],
    ["name", ["must be a fully qualified domain and path of the form 'example.com/signer-name'"]],
    ["localhost/name", ["should be a domain with at least two segments"]],
  ])("the signer %s has these faults", (name, expected) =>
    expect(signerNameErrors(name, "f").map(({ message }) => message.replace(/^.*?": /, ""))).toEqual(expected),
  );
  it("only the approval endpoint approves, and nobody takes it back", () => {
    expect(texts(request([approved]), request(), true)).toEqual([]);
    expect(texts(request([approved]), request(), false)).toEqual([
      'Forbidden: updates may not add a condition of type "Approved"',
    ]);
    expect(texts(request(), request([approved]), true)).toEqual([
      'Forbidden: updates may not remove a condition of type "Approved"',
    ]);
    expect(texts(request([approved, { type: "Denied", status: "True" }]), request(), true)).toEqual([
      'Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
    ]);
  });
  it("only the status endpoint issues, once", () => {
    const issued = request([], Buffer.from("x").toString("base64"));
    expect(texts(issued, request(), true)[1]).toBe("Forbidden: updates may not set certificate content");
    expect(texts(issued, request(), false)).toEqual([
      'Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    ]);
  });
});
