/** What others need to check our service account tokens. Upstream: pkg/serviceaccount/openidmetadata.go. */
import type { OidcDocuments } from "#apiserver/non-resource.ts";
import type { TokenSigner } from "./token-signer.ts";

export function oidcDocuments(signer: TokenSigner, address: () => string): OidcDocuments {
  return {
    configuration: () => ({
      issuer: signer.issuer,
      jwks_uri: `https://${address()}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
    }),
    keys: () => signer.keys(),
  };
}
