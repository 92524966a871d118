/** Who asks. Each way of proving it is one authenticator; the first that knows the caller decides. */
import type { ServerRequest, User } from "#apiserver/request.ts";

export interface Authenticator {
  /**
   * undefined: not my kind of proof. Throws a 401 StatusError for a proof of my kind that does not hold. `warnings`: texts for
   * the caller.
   */
  authenticate(request: ServerRequest, warnings: string[]): User | undefined | Promise<User | undefined>;
}

export const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** Upstream's AuthenticatedGroupAdder. */
export function authenticatedUser(user: User): User {
  if (user.groups.includes("system:authenticated") || user.groups.includes("system:unauthenticated")) return user;
  if (user.name === anonymous.name) return user;
  return { ...user, groups: [...user.groups, "system:authenticated"] };
}
