/** Certificate signing requests: what may be asked for, who approves it, and what becomes of it. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { create, get, mergePatch, storyServer, type Written } from "#test/support/story.ts";
import { clusterRole, clusterRoleBinding } from "#test/support/story-objects.ts";

const stories = storyServer("controllers");

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
async function requestFor(name: string): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys: keys as never,
    signingAlgorithm: algorithm,
  });
  return Buffer.from(`${made.toString("pem")}\n`).toString("base64");
}
const [alice, master] = await Promise.all([requestFor("CN=alice,O=team"), requestFor("CN=root,O=system:masters")]);

const asks = (spec: Record<string, unknown>): Written => ({
  apiVersion: "certificates.k8s.io/v1",
  kind: "CertificateSigningRequest",
  metadata: { name: "{ns}" },
  spec: { request: alice, signerName: "example.com/mine", usages: ["client auth"], ...spec },
});
const path = "certificatesigningrequests/{ns}";
const says = (type: string, status = "True") => ({
  status: { conditions: [{ type, status, reason: "R", message: "M" }] },
});
const forClients = { signerName: "kubernetes.io/kube-apiserver-client" };

stories("a signing request", [
  [
    "carries who asked",
    create({ ...asks({ username: "mallory", groups: ["x"] }), status: says("Approved").status })
      .shows({ spec: { username: "admin", groups: ["system:masters", "system:authenticated"] } })
      .has("status", {}),
  ],
  ["names a signer", create(asks({ signerName: undefined })).isInvalid("spec.signerName: Required value")],
  [
    "names no signer of old",
    create(asks({ signerName: "kubernetes.io/legacy-unknown" })).isInvalid(
      'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
    ),
  ],
  [
    "names uses, each once",
    create(asks({ usages: [] })).isInvalid("spec.usages: Required value"),
    create(asks({ usages: ["client auth", "client auth"] })).isInvalid(
      'spec.usages[1]: Duplicate value: "client auth"',
    ),
  ],
  [
    "lasts ten minutes at least",
    create(asks({ expirationSeconds: 599 })).isInvalid(
      "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)",
    ),
  ],
  [
    "is encoded",
    create(asks({ request: "***" })).answers(
      400,
      'CertificateSigningRequest in version "v1" cannot be handled as a CertificateSigningRequest: illegal base64 data at input byte 0',
    ),
  ],
  [
    "never makes a master",
    create(asks({ ...forClients, request: master })).answers(
      403,
      'certificatesigningrequests.certificates.k8s.io "{ns}" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    ),
  ],
]);

stories("approval", [
  [
    "has an endpoint of its own",
    create(asks({})),
    mergePatch(path, says("Approved")).has("status", {}),
    mergePatch(`${path}/status`, says("Approved")).answers(
      422,
      'CertificateSigningRequest.certificates.k8s.io "{ns}" is invalid: status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    ),
    mergePatch(`${path}/approval`, says("Approved")).hasCondition("Approved", {
      status: "True",
      reason: "R",
      message: "M",
    }),
  ],
  [
    "is not taken back",
    create(asks({})),
    mergePatch(`${path}/approval`, says("Approved")),
    mergePatch(`${path}/approval`, { status: { conditions: [] } }).answers(
      422,
      'CertificateSigningRequest.certificates.k8s.io "{ns}" is invalid: status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ),
  ],
  [
    "and denial exclude each other",
    create(asks({})),
    mergePatch(`${path}/approval`, {
      status: { conditions: ["Approved", "Denied"].map((type) => says(type).status.conditions[0]) },
    }).answers(422),
  ],
  ["is true", create(asks({})), mergePatch(`${path}/approval`, says("Approved", "False")).answers(422)],
  [
    "needs a right on the signer",
    create(asks({})),
    create(
      clusterRole("{ns}", {
        rules: [
          {
            apiGroups: ["certificates.k8s.io"],
            resources: ["certificatesigningrequests", "certificatesigningrequests/approval"],
            verbs: ["get", "patch", "update"],
          },
        ],
      }),
    ),
    create(
      clusterRoleBinding("{ns}", {
        subjects: [{ kind: "User", name: "u", apiGroup: "rbac.authorization.k8s.io" }],
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "{ns}" },
      }),
    ),
    mergePatch(`${path}/approval`, says("Approved")).as("u").answers(403),
  ],
]);

stories("a signer", [
  [
    "of the cluster signs what is approved",
    create(asks(forClients)),
    mergePatch(`${path}/approval`, says("Approved")),
    get(path)
      .meets((body) => {
        const { certificate = "" } = body["status"] as { certificate?: string };
        const signed = new x509.X509Certificate(Buffer.from(certificate, "base64").toString("utf8"));
        if (!/CN=alice/.test(signed.subject)) throw new Error(signed.subject);
      })
      .eventually(),
  ],
  [
    "of others is left to them",
    create(asks({})),
    mergePatch(`${path}/approval`, says("Approved")),
    get(path).lacks("status.certificate"),
  ],
]);
