/**
 * Who may only read may not act: a connection that goes both ways needs the right to create, though a WebSocket is asked for
 * with a GET. Upstream asks so for pods (registry/core/pod/rest/subresources.go); here it holds for a node's own server too,
 * which runs commands in pods for whoever gets through to it.
 */
import { forbiddenRequest } from "#api/status-catalogue.ts";
import { attributesOf } from "#apiserver/authz/authorizer.ts";
import type { SpecialRequest } from "#apiserver/subresource.ts";

/** Throws the 403 of who may not create the subresource that is asked for: it tells the authorizer's reason alone. */
export function checkMayConnect({ services, info, user }: Pick<SpecialRequest, "services" | "info" | "user">): void {
  const attributes = { ...attributesOf(info, user), verb: "create" };
  const { decision, reason } = services.authorizer.authorize(attributes);
  if (decision !== "allow") throw forbiddenRequest({ group: info.group, resource: info.resource }, info.name, reason);
}
