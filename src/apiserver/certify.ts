/** Certifies what a PKCS #10 request asks for, as a signer of the certificates API does. Not for the cluster's own keys. */
import "reflect-metadata";
import { randomBytes, type webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

export interface Issuer {
  certificate: x509.X509Certificate;
  key: webcrypto.CryptoKey;
  algorithm: { name: string; namedCurve: string; hash: string };
}

export interface Terms {
  /** As the API names them: "digital signature", "client auth". */
  usages: readonly string[];
  notBefore: Date;
  notAfter: Date;
}

const keyUsages: Readonly<Record<string, x509.KeyUsageFlags>> = {
  signing: x509.KeyUsageFlags.digitalSignature,
  "digital signature": x509.KeyUsageFlags.digitalSignature,
  "content commitment": x509.KeyUsageFlags.nonRepudiation,
  "key encipherment": x509.KeyUsageFlags.keyEncipherment,
  "key agreement": x509.KeyUsageFlags.keyAgreement,
  "data encipherment": x509.KeyUsageFlags.dataEncipherment,
  "cert sign": x509.KeyUsageFlags.keyCertSign,
  "crl sign": x509.KeyUsageFlags.cRLSign,
  "encipher only": x509.KeyUsageFlags.encipherOnly,
  "decipher only": x509.KeyUsageFlags.decipherOnly,
};

const extendedKeyUsages: Readonly<Record<string, string>> = {
  any: "2.5.29.37.0",
  "server auth": x509.ExtendedKeyUsage.serverAuth,
  "client auth": x509.ExtendedKeyUsage.clientAuth,
  "code signing": x509.ExtendedKeyUsage.codeSigning,
  "email protection": x509.ExtendedKeyUsage.emailProtection,
  "s/mime": x509.ExtendedKeyUsage.emailProtection,
  "ipsec end system": "1.3.6.1.5.5.7.3.5",
  "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
  "ipsec user": "1.3.6.1.5.5.7.3.7",
  timestamping: x509.ExtendedKeyUsage.timeStamping,
  "ocsp signing": x509.ExtendedKeyUsage.ocspSigning,
  "microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
  "netscape sgc": "2.16.840.1.113730.4.1",
};

const alternativeNames = "2.5.29.17";

/** PEM in, PEM out. Refuses a request whose signature is not of its own key, and usages that nobody knows. */
export async function certify(pem: string, issuer: Issuer, terms: Terms): Promise<string> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (!(await request.verify())) throw new Error("the request is not signed with its own key");
  const names = request.getExtension(alternativeNames);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: asRead(request.subjectName),
    issuer: issuer.certificate.subject,
    notBefore: terms.notBefore,
    notAfter: terms.notAfter,
    publicKey: await request.publicKey.export(),
    signingKey: issuer.key,
    signingAlgorithm: issuer.algorithm,
    extensions: [
      ...usageExtensions(terms.usages),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
      ...(names === null || names === undefined ? [] : [names]),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

/**
 * The name anew, in the one type of text that everybody reads alike: a certificate says what admission and approval have read
 * in the request, and nothing that another reader would find in its bytes. Throws for what is no text.
 */
function asRead(name: x509.Name): x509.Name {
  const parts = name.toJSON().map((part) =>
    Object.fromEntries(
      Object.entries(part).map(([type, values]) => [
        type,
        values.map((value) => {
          if (typeof value !== "string" || value.startsWith("#")) throw new Error(`the subject's ${type} is no text`);
          return { utf8String: value };
        }),
      ]),
    ),
  );
  return new x509.Name(parts);
}

function usageExtensions(usages: readonly string[]): x509.Extension[] {
  let flags = 0;
  const extended: string[] = [];
  for (const usage of usages) {
    const flag = keyUsages[usage];
    const purpose = extendedKeyUsages[usage];
    if (flag !== undefined) flags |= flag;
    else if (purpose !== undefined) extended.push(purpose);
    else throw new Error(`unrecognized usage ${JSON.stringify(usage)}`);
  }
  return [
    ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
    ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
  ];
}

/** Positive and 127 bits of chance. */
export function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x01;
  return bytes.toString("hex");
}
