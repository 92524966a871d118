/** Tokens that the server was started with: the join token of nodes. Compared in constant time. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { ServerRequest, User } from "#apiserver/request.ts";
import { authenticatedUser, type Authenticator } from "./authenticator.ts";
import { presentedToken } from "./presented-token.ts";

export interface StaticToken {
  token: string;
  user: User;
}

const digest = (text: string) => createHash("sha256").update(text).digest();

export function staticTokens(tokens: readonly StaticToken[]): Authenticator {
  const known = tokens.map(({ token, user }) => ({ hash: digest(token), user: authenticatedUser(user) }));
  return {
    authenticate(request: ServerRequest) {
      const token = presentedToken(request);
      if (token === undefined) return undefined;
      const hash = digest(token);
      return known.find((one) => timingSafeEqual(one.hash, hash))?.user;
    },
  };
}
