/** Who may do what. Authorizers are asked in turn; the first that allows or denies decides, else it is a no. */
import { goQuote } from "#api/go-text.ts";
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { failure, type StatusError } from "#api/status-error.ts";
import type { RequestInfo } from "#apiserver/request-info.ts";
import type { User } from "#apiserver/request.ts";

export interface Attributes {
  readonly user: User;
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  /** Of reads of a collection. */
  readonly fieldSelector?: string;
}

export interface Verdict {
  decision: "allow" | "deny" | "no-opinion";
  reason: string;
  error?: string;
}

export interface Authorizer {
  authorize(attributes: Attributes): Verdict;
}

export const noOpinion: Verdict = { decision: "no-opinion", reason: "" };

/** Members of system:masters may do everything, whatever else is broken. */
export const masters: Authorizer = {
  authorize: ({ user }) => (user.groups.includes("system:masters") ? { decision: "allow", reason: "" } : noOpinion),
};

export function authorizerChain(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes) {
      const reasons: string[] = [];
      const errors: string[] = [];
      for (const authorizer of authorizers) {
        const verdict = authorizer.authorize(attributes);
        if (verdict.decision !== "no-opinion") return verdict;
        if (verdict.reason !== "") reasons.push(verdict.reason);
        if (verdict.error !== undefined) errors.push(verdict.error);
      }
      return {
        decision: "no-opinion",
        reason: reasons.join("\n"),
        ...(errors.length === 0 ? {} : { error: errors.join(", ") }),
      };
    },
  };
}

export function attributesOf(info: RequestInfo, user: User): Attributes {
  const { verb, isResource, group, version, resource, subresource, namespace, name, path, fieldSelector } = info;
  return { user, verb, isResource, group, version, resource, subresource, namespace, name, path, fieldSelector };
}

/** Upstream's forbiddenMessage, with the reason that the authorizers gave. */
export function forbidden(attributes: Attributes, reason: string): StatusError {
  const { user, verb, isResource, path } = attributes;
  const who = user.name === "" ? "User" : `User ${goQuote(user.name)}`;
  const because = reason === "" ? "" : `: ${reason}`;
  if (!isResource)
    return failure(403, "Forbidden", `forbidden: ${who} cannot ${verb} path ${goQuote(path)}${because}`, {});
  const { group, resource, subresource, namespace, name } = attributes;
  const what = subresource === "" ? resource : `${resource}/${subresource}`;
  const scope = namespace === "" ? "at the cluster scope" : `in the namespace ${goQuote(namespace)}`;
  const text = `${who} cannot ${verb} resource ${goQuote(what)} in API group ${goQuote(group)} ${scope}${because}`;
  return forbiddenRequest({ group, resource }, name, text);
}
