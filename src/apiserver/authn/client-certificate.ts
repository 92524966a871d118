/** A client certificate of the cluster's CA: its common name is the user, its organizations are the groups. */
import type { User } from "#apiserver/request.ts";
import { authenticatedUser, type Authenticator } from "./authenticator.ts";

const users = new WeakMap<object, User>();

export const clientCertificate: Authenticator = {
  authenticate({ clientCertificate: certificate }) {
    if (certificate?.authority !== "clients") return undefined;
    let user = users.get(certificate);
    if (user === undefined) {
      const { commonName, organizations, fingerprint, uid } = certificate;
      const id = fingerprint.replaceAll(":", "").toLowerCase();
      user = authenticatedUser({
        name: commonName,
        groups: organizations,
        ...(uid === undefined ? {} : { uid }),
        extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${id}`] },
      });
      users.set(certificate, user);
    }
    return user;
  },
};
