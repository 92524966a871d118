/** Failures of a call in the words of Go's HTTP client, and answers other than 200 in those of Kubernetes' REST client. */
import { goQuote } from "#api/go-text.ts";

interface NetworkFault extends Error {
  code?: string;
  syscall?: string;
  address?: string;
  port?: number;
  hostname?: string;
  host?: string;
  errors?: readonly NetworkFault[];
  cert?: { subjectaltname?: string; valid_to?: string };
}

const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
]);

const systemTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
};

export function faultText(error: Error): string {
  const fault = ((error as NetworkFault).errors?.[0] ?? error) as NetworkFault;
  const { code = "" } = fault;
  if (fault.name === "TimeoutError" || code === "ABORT_ERR") return "context deadline exceeded";
  if (code === "ENOTFOUND") return `dial tcp: lookup ${fault.hostname ?? ""}: no such host`;
  if (untrusted.has(code)) return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
  if (code === "CERT_HAS_EXPIRED")
    return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return wrongNameText(fault);
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) return "tls: first record does not look like a TLS handshake";
  const text = systemTexts[code];
  if (text === undefined) return fault.message;
  if (fault.syscall !== "connect") return code === "ECONNRESET" ? "EOF" : `${fault.syscall ?? "read"}: ${text}`;
  const { address = "", port = "" } = fault;
  return `dial tcp ${address.includes(":") ? `[${address}]` : address}:${port}: connect: ${text}`;
}

function wrongNameText({ cert, host = "" }: NetworkFault): string {
  const names = (cert?.subjectaltname ?? "")
    .split(", ")
    .filter((name) => name.startsWith("DNS:"))
    .map((name) => name.slice("DNS:".length));
  const what =
    names.length === 0
      ? "certificate relies on legacy Common Name field, use SANs instead"
      : `certificate is valid for ${names.join(", ")}, not ${host}`;
  return `tls: failed to verify certificate: x509: ${what}`;
}

const statusTexts: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  406: "the server was unable to respond with a content type that the client supports",
  409: "the server reported a conflict",
  415: "the server was unable to respond with a content type that the client supports",
  422: "the server rejected our request due to an error in our request",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};

/** Of an answer that is no success. Upstream: client-go/rest/request.go, errors.NewGenericServerResponse. */
export function statusText(code: number, body: string): string {
  const said = statusMessage(body);
  if (said !== undefined) return said;
  const known = statusTexts[code];
  if (known !== undefined) return known;
  if (code === 403) return body;
  if (code >= 500) return `an error on the server (${goQuote(body.trim())}) has prevented the request from succeeding`;
  return `the server responded with the status code ${code} but did not return more information`;
}

/** A Status speaks for itself. */
function statusMessage(body: string): string | undefined {
  if (!body.startsWith("{")) return undefined;
  try {
    const { kind, status, message } = JSON.parse(body) as { kind?: string; status?: string; message?: string };
    return kind === "Status" && status === "Failure" ? message : undefined;
  } catch {
    return undefined;
  }
}
