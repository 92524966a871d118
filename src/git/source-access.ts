/** How a source's Secret and time limit become what a request to its Git server carries: one reading for all who ask it. */
import { durationMs } from "#api/duration.ts";
import type { GitHttpOptions } from "./git-http.ts";

export interface GitCredentials {
  username?: string;
  password?: string;
  bearerToken?: string;
}

export interface SourceAccess {
  http: GitHttpOptions;
  credentials?: GitCredentials;
}

const timeoutMsDefault = 60_000;

/** `secret` is a Secret's data as text; undefined where the source names none. */
export function sourceAccess(
  secret: Readonly<Record<string, string>> | undefined,
  timeout: string | undefined,
): SourceAccess {
  const timeoutMs = durationMs(timeout) ?? timeoutMsDefault;
  if (secret === undefined) return { http: { timeoutMs } };
  const { username, password, bearerToken } = secret;
  return {
    http: { timeoutMs, ca: secret["ca.crt"] ?? secret["caFile"], cert: secret["tls.crt"], key: secret["tls.key"] },
    credentials: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(bearerToken === undefined ? {} : { bearerToken: bearerToken.trim() }),
    },
  };
}

/** What isomorphic-git's calls take; credentials that are refused are not asked for again. */
export function gitAuth(credentials: GitCredentials | undefined) {
  const { bearerToken, username, password } = credentials ?? {};
  if (bearerToken !== undefined) return { headers: { Authorization: `Bearer ${bearerToken}` } };
  if (username === undefined && password === undefined) return {};
  return {
    onAuth: () => ({ username: username ?? "", password: password ?? "" }),
    onAuthFailure: () => ({ cancel: true }),
  };
}
