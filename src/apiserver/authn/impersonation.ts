/**
 * Acting as someone else. Two ways: constrained, which needs a right for the request at hand ("impersonate-on:user-info:list"
 * pods) and one for each part of the other user ("impersonate:user-info" users), and the old one, which needs "impersonate" on
 * each part. Constrained modes are tried first, and the first refusal is what a caller reads.
 * Upstream: apiserver/pkg/endpoints/filters/impersonation.
 */
import type { StatusError } from "#api/status-error.ts";
import { isDns1123Label, isDns1123Subdomain } from "#api/validation/names.ts";
import { type Attributes, type Authorizer, forbidden } from "#apiserver/authz/authorizer.ts";
import type { ServerRequest, User } from "#apiserver/request.ts";
import { extraFault } from "./impersonation-extra.ts";
import { type Wish, wishOf } from "./impersonation-headers.ts";

/** `attributes`: of the request, as its own user would make it. Throws 403 and 400. */
export type Impersonator = (request: ServerRequest, attributes: Attributes, authorizer: Authorizer) => User;

interface Mode {
  readonly name: string;
  readonly isConstrained: boolean;
  /** Whether this mode can make this user. */
  suits(wish: Wish, asker: User): boolean;
}

const nodePrefix = "system:node:";
const nodeNameKey = "authentication.kubernetes.io/node-name";
const masters = "system:masters";
/** From so many on, one right on all of them is asked for first. */
const manyMin = 4;
/** Callers of whom it is known which mode let them pass last. */
const lastModesMax = 1024;

const modes: readonly Mode[] = [
  {
    name: "associated-node",
    isConstrained: true,
    suits: (wish, asker) => hasNameOnly(wish) && isOnNode(asker, wish.name),
  },
  {
    name: "arbitrary-node",
    isConstrained: true,
    suits: (wish) => hasNameOnly(wish) && nodeOf(wish.name) !== undefined,
  },
  {
    name: "serviceaccount",
    isConstrained: true,
    suits: (wish) => hasNameOnly(wish) && accountOf(wish.name) !== undefined,
  },
  {
    name: "user-info",
    isConstrained: true,
    suits: ({ name }) => nodeOf(name) === undefined && accountOf(name) === undefined,
  },
  { name: "", isConstrained: false, suits: () => true },
];

const lastModes = new Map<string, Mode>();

export const impersonate: Impersonator = (request, attributes, authorizer) => {
  const wish = wishOf(request);
  if (wish === undefined) return attributes.user;
  const asker = JSON.stringify(attributes.user);
  const last = lastModes.get(asker);
  let refusal: StatusError | undefined;
  for (const mode of last === undefined ? modes : [last, ...modes.filter((one) => one !== last)]) {
    if (!mode.suits(wish, attributes.user)) continue;
    const outcome = tryMode(mode, wish, attributes, authorizer);
    if (outcome.user === undefined) {
      refusal ??= outcome.refusal;
      continue;
    }
    if (lastModes.size >= lastModesMax) lastModes.clear();
    lastModes.set(asker, mode);
    return outcome.user;
  }
  throw refusal!;
};

type Outcome = { user: User; refusal?: undefined } | { user?: undefined; refusal: StatusError };

function tryMode(mode: Mode, wish: Wish, attributes: Attributes, authorizer: Authorizer): Outcome {
  const ask = (asked: Attributes): StatusError | undefined => {
    const seen = mode.name === "associated-node" ? asAssociated(asked) : asked;
    const verdict = authorizer.authorize(seen);
    return verdict.decision === "allow" ? undefined : forbidden(seen, reasonOf(verdict));
  };
  const on = mode.isConstrained
    ? ask({ ...attributes, verb: `impersonate-on:${mode.name}:${attributes.verb}` })
    : undefined;
  const refusal =
    on ??
    ask(nameRight(mode, wish, attributes.user)) ??
    (wish.uid === "" ? undefined : ask(right(mode, attributes.user, authentication, "uids", wish.uid))) ??
    groupsRefusal(mode, wish, attributes.user, ask) ??
    extraRefusal(mode, wish, attributes.user, ask);
  return refusal === undefined ? { user: impersonated(mode, wish) } : { refusal };
}

const reasonOf = ({ reason, error }: { reason: string; error?: string }): string =>
  [...(error === undefined ? [] : [error]), ...(reason === "" ? [] : [reason])].join(": ");

/** Which node it is does not count: the right must hold for all, and the account's own node is known already. */
function asAssociated(attributes: Attributes): Attributes {
  const extra = {
    "authentication.kubernetes.io/associated-node-keys": Object.keys(attributes.user.extra ?? {}).sort(),
  };
  const name = attributes.verb === "impersonate:associated-node" ? "*" : attributes.name;
  return { ...attributes, name, user: { ...attributes.user, extra } };
}

const authentication = "authentication.k8s.io";

function right(mode: Mode, user: User, group: string, resource: string, name: string): Attributes {
  return {
    user,
    verb: mode.isConstrained ? `impersonate:${mode.name}` : "impersonate",
    isResource: true,
    group,
    version: "v1",
    resource,
    subresource: "",
    namespace: "",
    name,
    path: "",
  };
}

/** Users and groups are of the core group in the old way. */
const ownGroup = ({ isConstrained }: Mode): string => (isConstrained ? authentication : "");

function nameRight(mode: Mode, { name }: Wish, user: User): Attributes {
  const group = ownGroup(mode);
  const account = accountOf(name);
  if (account !== undefined)
    return { ...right(mode, user, group, "serviceaccounts", account.name), namespace: account.namespace };
  const node = mode.isConstrained ? nodeOf(name) : undefined;
  return node === undefined ? right(mode, user, group, "users", name) : right(mode, user, group, "nodes", node);
}

type Ask = (attributes: Attributes) => StatusError | undefined;

function groupsRefusal(mode: Mode, { groups }: Wish, user: User, ask: Ask): StatusError | undefined {
  const of = (name: string) => right(mode, user, ownGroup(mode), "groups", name);
  if (mode.isConstrained) {
    if (groups.includes("")) return forbidden(of(""), "impersonating the empty string group is not allowed");
    if (groups.includes(masters)) return forbidden(of(masters), `impersonating the ${masters} group is not allowed`);
    if (groups.length >= manyMin && ask(of("*")) === undefined) return undefined;
  }
  return firstRefusal(groups.map(of), ask);
}

function extraRefusal(mode: Mode, { extra }: Wish, user: User, ask: Ask): StatusError | undefined {
  const of = (subresource: string, name: string) => ({
    ...right(mode, user, authentication, "userextras", name),
    subresource,
  });
  const pairs = Object.entries(extra).flatMap(([key, values]) => values.map((value) => [key, value] as const));
  if (mode.isConstrained) {
    const fault = extraFault(extra);
    if (fault !== undefined) return forbidden(of("", ""), fault);
    if (pairs.length >= manyMin && ask(of("*", "*")) === undefined) return undefined;
  }
  return firstRefusal(
    pairs.map(([key, value]) => of(key, value)),
    ask,
  );
}

function firstRefusal(rights: readonly Attributes[], ask: Ask): StatusError | undefined {
  for (const one of rights) {
    const refusal = ask(one);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function impersonated(mode: Mode, { name, uid, groups, extra }: Wish): User {
  return {
    name,
    ...(uid === "" ? {} : { uid }),
    groups: withImpliedGroup(name, groupsOf(mode, name, groups)),
    ...(Object.keys(extra).length === 0 ? {} : { extra: { ...extra } }),
  };
}

/** Groups that the name alone gives. */
function groupsOf(mode: Mode, name: string, groups: readonly string[]): readonly string[] {
  if (groups.length > 0) return groups;
  const account = accountOf(name);
  if (account !== undefined) return ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`];
  return mode.isConstrained && nodeOf(name) !== undefined ? ["system:nodes"] : [];
}

function withImpliedGroup(name: string, groups: readonly string[]): readonly string[] {
  const implied = name === "system:anonymous" ? "system:unauthenticated" : "system:authenticated";
  return groups.includes(implied) || groups.includes("system:unauthenticated") ? groups : [...groups, implied];
}

const hasNameOnly = ({ uid, groups, extra }: Wish): boolean =>
  uid === "" && groups.length === 0 && Object.keys(extra).length === 0;

function nodeOf(name: string): string | undefined {
  if (!name.startsWith(nodePrefix)) return undefined;
  const node = name.slice(nodePrefix.length);
  return isDns1123Subdomain(node).length === 0 ? node : undefined;
}

function accountOf(user: string): { namespace: string; name: string } | undefined {
  const [, namespace = "", name = ""] = /^system:serviceaccount:([^:]*):([^:]*)$/.exec(user) ?? [];
  if (isDns1123Label(namespace).length > 0 || isDns1123Subdomain(name).length > 0) return undefined;
  return { namespace, name };
}

/** Whether a service account's token says that it runs on the node of this name. */
function isOnNode(asker: User, name: string): boolean {
  const node = nodeOf(name);
  const said = asker.extra?.[nodeNameKey] ?? [];
  return node !== undefined && accountOf(asker.name) !== undefined && said.length === 1 && said[0] === node;
}
