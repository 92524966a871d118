/** Deletes join tokens that have expired. Upstream: pkg/controller/bootstrap/tokencleaner.go. */
import { Secret } from "#api/core/secret.ts";
import { defineReconciler, remove, wake } from "#reconcilers/reconciler.ts";
import { isBootstrapToken } from "./bootstrap-token.ts";

export const tokenCleanerReconciler = defineReconciler<Secret>({
  name: "token-cleaner",
  watches: Secret,
  reconcile(secret, _, { now }) {
    const expiration = secret.data?.["expiration"];
    if (!isBootstrapToken(secret) || expiration === undefined || secret.metadata.deletionTimestamp !== undefined)
      return [];
    const at = Date.parse(Buffer.from(expiration, "base64").toString("utf8"));
    // An end that cannot be read is over.
    return at > now ? [wake(at)] : [remove(Secret, secret)];
  },
});
