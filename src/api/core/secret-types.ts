/** What secrets of well-known types must hold. Upstream: ValidateSecret, warningsForSecret. */
import { X509Certificate, createPrivateKey } from "node:crypto";
import type { V1Secret } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { JsonSyntaxError, jsonTypeName } from "#api/decode/json-value.ts";
import { parseJson } from "#api/decode/json.ts";
import { invalid, required } from "#api/validation/field-errors.ts";

const redacted = "<secret contents redacted>";
const accountAnnotation = "kubernetes.io/service-account.name";

export function secretContentErrors({ metadata, type, data = {} }: V1Secret): FieldError[] {
  const missing = (...keys: string[]) => keys.filter((key) => !(key in data)).map((key) => required(`data[${key}]`));
  switch (type) {
    case "kubernetes.io/service-account-token":
      return metadata?.annotations?.[accountAnnotation] ? [] : [required(`metadata.annotations[${accountAnnotation}]`)];
    case "kubernetes.io/dockercfg":
      return jsonErrors(data, ".dockercfg");
    case "kubernetes.io/dockerconfigjson":
      return jsonErrors(data, ".dockerconfigjson");
    case "kubernetes.io/basic-auth":
      return "username" in data || "password" in data ? [] : missing("username", "password");
    case "kubernetes.io/ssh-auth":
      return data["ssh-privatekey"] ? [] : [required("data[ssh-privatekey]")];
    case "kubernetes.io/tls":
      return missing("tls.crt", "tls.key");
    default:
      return [];
  }
}

/** An object in JSON; faults have Go's words. */
function jsonErrors(data: Record<string, string>, key: string): FieldError[] {
  const field = `data[${key}]`;
  if (!(key in data)) return [required(field)];
  try {
    const { value } = parseJson(Buffer.from(data[key]!, "base64"));
    if (value === null || (typeof value === "object" && !Array.isArray(value))) return [];
    return [
      invalid(
        field,
        redacted,
        `json: cannot unmarshal ${jsonTypeName(value)} into Go value of type map[string]interface {}`,
      ),
    ];
  } catch (error) {
    if (error instanceof JsonSyntaxError) return [invalid(field, redacted, error.message)];
    throw error;
  }
}

/** A key pair that does not work is stored all the same. Upstream: tls.X509KeyPair, whose words these are. */
export function tlsWarnings({ type, data = {} }: V1Secret): string[] {
  if (type !== "kubernetes.io/tls") return [];
  const text = (key: string) => Buffer.from(data[key] ?? "", "base64").toString("latin1");
  const fault = keyPairFault(text("tls.crt"), text("tls.key"));
  return fault === undefined ? [] : [fault];
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/g;
const blocks = (pem: string) => [...pem.matchAll(pemBlock)].map(([whole, label = ""]) => ({ whole, label }));
const isKeyLabel = (label: string) => label === "PRIVATE KEY" || label.endsWith(" PRIVATE KEY");

function keyPairFault(certificates: string, key: string): string | undefined {
  const found = blocks(certificates);
  const leaf = found.find(({ label }) => label === "CERTIFICATE");
  if (leaf === undefined) return missingBlock(found, "certificate", "CERTIFICATE");
  const keys = blocks(key);
  const privateKey = keys.find(({ label }) => isKeyLabel(label));
  if (privateKey === undefined) return missingBlock(keys, "key", "PRIVATE KEY");
  let parsed: X509Certificate;
  try {
    parsed = new X509Certificate(leaf.whole);
  } catch {
    return "x509: malformed certificate";
  }
  try {
    const loaded = createPrivateKey(privateKey.whole);
    if (parsed.publicKey.asymmetricKeyType !== loaded.asymmetricKeyType)
      return "tls: private key type does not match public key type";
    return parsed.checkPrivateKey(loaded) ? undefined : "tls: private key does not match public key";
  } catch {
    return "tls: failed to parse private key";
  }
}

function missingBlock(found: readonly { label: string }[], what: "certificate" | "key", wanted: string): string {
  const labels = found.map(({ label }) => label);
  if (labels.length === 0) return `tls: failed to find any PEM data in ${what} input`;
  if (what === "certificate" && labels.length === 1 && isKeyLabel(labels[0]!))
    return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  if (what === "key" && labels.length === 1 && labels[0] === "CERTIFICATE")
    return "tls: found a certificate rather than a key in the PEM for the private key";
  const block = what === "key" ? 'PEM block with type ending in "PRIVATE KEY"' : `"${wanted}" PEM block`;
  return `tls: failed to find ${block} in ${what} input after skipping PEM blocks of the following types: [${labels.join(" ")}]`;
}
