/** Acting as someone else: Impersonate-* headers, each of which needs a right of its own. Upstream: filters/impersonation. */
import type { Authorizer } from "#apiserver/authz/authorizer.ts";
import type { ServerRequest, User } from "#apiserver/request.ts";

export type Impersonator = (request: ServerRequest, user: User, authorizer: Authorizer) => User;

export const impersonate: Impersonator = (_request, user) => user;
