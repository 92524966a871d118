import "reflect-metadata";
import { mkdtempSync, rmSync } from "node:fs";
import { X509Certificate, webcrypto } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { subjectOf } from "./admission/certificate-subject.ts";
import { type ClusterPki, openPki } from "./pki.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-certify-"));
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
let pki: ClusterPki;

beforeAll(async () => {
  pki = await openPki(folder, systemClock);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function requestFor(name: x509.JsonNameParams): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
  const options = { name: new x509.Name(name), keys, signingAlgorithm: algorithm };
  return (await x509.Pkcs10CertificateRequestGenerator.create(options)).toString("pem");
}
const terms = { usages: ["client auth"], lifetimeMs: 3_600_000 };
const subjectIn = (cert: string) => ({ ...new X509Certificate(cert).toLegacyObject().subject });
const inBase64 = (text: string) => Buffer.from(text).toString("base64");

describe("a certificate", () => {
  it.each<[string, x509.JsonNameParams, object]>([
    ["plain text", [{ O: ["a"] }, { CN: ["b"] }], { O: "a", CN: "b" }],
    ["several organizations", [{ O: ["a"] }, { O: ["b, c"] }, { CN: ["d"] }], { O: ["a", "b, c"], CN: "d" }],
    ["other types of text", [{ O: [{ bmpString: "a" }] }, { CN: [{ ia5String: "b" }] }], { O: "a", CN: "b" }],
  ])("names whom the request names: %s", async (_, name, expected) => {
    expect(subjectIn(await pki.ca.certify(await requestFor(name), terms))).toEqual(expected);
  });

  it.each([
    ["short", 60 * 60 * 1000, 0],
    ["long", 24 * 60 * 60 * 1000, 5 * 60 * 1000],
  ])(
    "that is %s ends as long after its making as it is asked for, less what it begins earlier if that is little",
    async (_, lifetimeMs, less) => {
      const cert = new X509Certificate(
        await pki.ca.certify(await requestFor([{ CN: ["b"] }]), { ...terms, lifetimeMs }),
      );
      const left = Date.parse(cert.validTo) - Date.now();
      expect(Math.abs(left - (lifetimeMs - less))).toBeLessThan(10_000);
    },
  );

  it("names nobody whom a reader of the request would not see", async () => {
    const numeric = `#120e${Buffer.from("system:masters").toString("hex")}`;
    const request = await requestFor([{ O: [numeric] }, { CN: ["me"] }]);
    await expect(pki.ca.certify(request, terms)).rejects.toThrow("the subject's O is no text");
  });

  it("is for the last of several names, also for those who check the request", async () => {
    const request = await requestFor([{ CN: ["first"] }, { CN: ["last"] }]);
    expect(subjectIn(await pki.ca.certify(request, terms))).toEqual({ CN: ["first", "last"] });
    expect(subjectOf(inBase64(request))?.commonName).toBe("last");
  });
});
