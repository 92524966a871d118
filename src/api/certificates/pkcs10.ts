/** Whether a PEM block is a certificate request that its own key has signed. Upstream: Go's x509.ParseCertificateRequest. */
import { createPublicKey, verify } from "node:crypto";

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/;
const notDer = "asn1: structure error: tags don't match";

/** Hash by the object identifier of a signature, as hexadecimal DER; null where the key alone says it. */
const hashes: Readonly<Record<string, string | null>> = {
  "2a864886f70d01010b": "sha256",
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
  "2b6570": null,
};
const faults: Readonly<Record<string, string>> = {
  rsa: "crypto/rsa: verification error",
  ec: "x509: ECDSA verification failure",
  ed25519: "x509: Ed25519 verification failure",
};

/** The fault as Go says it; undefined if there is none. */
export function certificateRequestFault(text: string): string | undefined {
  const [, type, base64 = ""] = pemBlock.exec(text) ?? [];
  if (type !== "CERTIFICATE REQUEST") return "PEM block type must be CERTIFICATE REQUEST";
  try {
    return signatureFault(Buffer.from(base64, "base64"));
  } catch (error) {
    return error instanceof RangeError ? notDer : "x509: unsupported elliptic curve";
  }
}

interface Element {
  /** With its tag and length. */
  whole: Buffer;
  content: Buffer;
}

/** CertificationRequest ::= SEQUENCE { info, algorithm, signature }; info ::= SEQUENCE { version, subject, key, attributes }. */
function signatureFault(der: Buffer): string | undefined {
  const [info, algorithm, signature] = elements(elements(der)[0]?.content);
  const key = elements(info?.content)[2];
  const identifier = elements(algorithm?.content)[0];
  if (info === undefined || signature === undefined || key === undefined || identifier === undefined)
    throw new RangeError(notDer);
  const hash = hashes[identifier.content.toString("hex")];
  if (hash === undefined) return "x509: cannot verify signature: algorithm unimplemented";
  const subject = elements(info.content)[1];
  for (const { type, text } of attributes(subject?.content)) {
    const [what, allowed] = alphabets.get(type) ?? [];
    if (allowed?.test(text) === false) return `asn1: syntax error: ${what} contains invalid character`;
  }
  const publicKey = createPublicKey({ key: key.whole, format: "der", type: "spki" });
  // A bit string begins with the number of its unused bits.
  if (verify(hash, info.whole, publicKey, signature.content.subarray(1))) return undefined;
  return faults[publicKey.asymmetricKeyType ?? ""] ?? "x509: verification failure";
}

/** Types of text that may not hold every character, by their tags. */
const alphabets: ReadonlyMap<number, readonly [name: string, allowed: RegExp]> = new Map([
  [0x12, ["NumericString", /^[0-9 ]*$/]],
  [0x13, ["PrintableString", /^[A-Za-z0-9 '()+,\-./:=?*&]*$/]],
  [0x16, ["IA5String", /^\p{ASCII}*$/u]],
]);

/** Of a Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }: its values. */
function attributes(name: Buffer | undefined): { type: number; text: string }[] {
  return elements(name)
    .flatMap(({ content }) => elements(content))
    .map(({ content }) => elements(content)[1])
    .filter((value) => value !== undefined)
    .map(({ whole, content }) => ({ type: whole.readUInt8(0), text: content.toString("latin1") }));
}

/** The DER values that follow each other in some bytes. */
function elements(bytes: Buffer | undefined): Element[] {
  const found: Element[] = [];
  for (let at = 0; bytes !== undefined && at < bytes.length;) {
    const { start, end } = bounds(bytes, at);
    found.push({ whole: bytes.subarray(at, end), content: bytes.subarray(start, end) });
    at = end;
  }
  return found;
}

const lengthBytesMax = 4;

function bounds(bytes: Buffer, at: number): { start: number; end: number } {
  const first = bytes.readUInt8(at + 1);
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (count > lengthBytesMax || first === 0x80) throw new RangeError(notDer);
  const start = at + 2 + count;
  const end = start + (count === 0 ? first : bytes.readUIntBE(at + 2, count));
  if (end > bytes.length) throw new RangeError(notDer);
  return { start, end };
}
