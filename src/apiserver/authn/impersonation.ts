/**
 * Acting as someone else: Impersonate-* headers, each of which needs a right of its own.
 * Upstream: apiserver/pkg/endpoints/filters/impersonation.
 */
import { badRequest } from "#api/status-catalogue.ts";
import { type Authorizer, type Attributes, forbidden } from "#apiserver/authz/authorizer.ts";
import type { ServerRequest, User } from "#apiserver/request.ts";

export type Impersonator = (request: ServerRequest, user: User, authorizer: Authorizer) => User;

interface Wish {
  name: string;
  uid: string;
  groups: readonly string[];
  extra: Record<string, string[]>;
}

const extraPrefix = "impersonate-extra-";

export const impersonate: Impersonator = (request, user, authorizer) => {
  const wish = wishOf(request);
  if (wish === undefined) return user;
  for (const attributes of rightsFor(wish, user)) {
    const verdict = authorizer.authorize(attributes);
    if (verdict.decision !== "allow") throw forbidden(attributes, verdict.reason);
  }
  return impersonated(wish);
};

function wishOf(request: ServerRequest): Wish | undefined {
  const name = request.header("impersonate-user") ?? "";
  const uid = request.header("impersonate-uid") ?? "";
  const groups = valuesOf(request, "impersonate-group");
  const extra: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const header of Object.keys(request.headers())) {
    if (!header.startsWith(extraPrefix)) continue;
    const key = decodeKey(header.slice(extraPrefix.length));
    extra[key] = [...(extra[key] ?? []), ...valuesOf(request, header)];
  }
  const wantsMore = uid !== "" || groups.length > 0 || Object.keys(extra).length > 0;
  if (name === "" && wantsMore)
    throw badRequest(`requested ${goUser({ name, uid, groups, extra })} without impersonating a user name`);
  return name === "" ? undefined : { name, uid, groups, extra };
}

/** Node joins equal headers with a comma; names of groups may hold none. */
function valuesOf(request: ServerRequest, header: string): string[] {
  const value = request.headers()[header];
  if (value === undefined) return [];
  return typeof value === "string" ? value.split(/,\s*/) : [...value];
}

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text).toLowerCase();
  } catch {
    return text.toLowerCase();
  }
}

/** As Go prints the struct, in the one text that shows it. */
function goUser({ name, uid, groups, extra }: Wish): string {
  const strings = (values: readonly string[]) => `{${values.map((value) => JSON.stringify(value)).join(", ")}}`;
  const groupText = groups.length === 0 ? "[]string(nil)" : `[]string${strings(groups)}`;
  const extraText = Object.keys(extra)
    .sort()
    .map((key) => `${JSON.stringify(key)}:[]string${strings(extra[key]!)}`)
    .join(", ");
  return `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, Groups:${groupText}, Extra:map[string][]string{${extraText}}}`;
}

function serviceAccountOf(name: string): { namespace: string; account: string } | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  return match === null ? undefined : { namespace: match[1]!, account: match[2]! };
}

function rightsFor({ name, uid, groups, extra }: Wish, user: User): Attributes[] {
  const account = serviceAccountOf(name);
  const right = (group: string, resource: string, target: string, more: Partial<Attributes> = {}): Attributes => ({
    user,
    verb: "impersonate",
    isResource: true,
    group,
    version: "v1",
    resource,
    subresource: "",
    namespace: "",
    name: target,
    path: "",
    ...more,
  });
  const authentication = "authentication.k8s.io";
  return [
    account === undefined
      ? right("", "users", name)
      : right("", "serviceaccounts", account.account, { namespace: account.namespace }),
    ...groups.map((group) => right("", "groups", group)),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => right(authentication, "userextras", value, { subresource: key })),
    ),
    ...(uid === "" ? [] : [right(authentication, "uids", uid)]),
  ];
}

function impersonated({ name, uid, groups, extra }: Wish): User {
  const account = serviceAccountOf(name);
  const own =
    account !== undefined && groups.length === 0
      ? ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`]
      : [...groups];
  return {
    name,
    ...(uid === "" ? {} : { uid }),
    groups: withImpliedGroup(name, own),
    ...(Object.keys(extra).length === 0 ? {} : { extra: { ...extra } }),
  };
}

function withImpliedGroup(name: string, groups: string[]): string[] {
  if (name === "system:anonymous")
    return groups.includes("system:unauthenticated") ? groups : [...groups, "system:unauthenticated"];
  const isSaid = groups.includes("system:authenticated") || groups.includes("system:unauthenticated");
  return isSaid ? groups : [...groups, "system:authenticated"];
}
