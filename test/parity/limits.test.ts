/** How much is too much: the largest things that are taken, and the answers beyond. */
import { create, jsonPatch, mergePatch, storyServer } from "#test/support/story.ts";
import { configMap, deployment, secret } from "#test/support/story-objects.ts";

const stories = storyServer();

const mebibyte = 1_048_576;
const text = (bytes: number) => "x".repeat(bytes);
const tooLarge = (limit: number) => `Too long: may not be more than ${limit} bytes`;

stories("limits", [
  [
    "data of a config map: a mebibyte",
    create(configMap("a", { data: { k: text(mebibyte) } }), "?dryRun=All"),
    create(configMap("b", { data: { k: text(mebibyte + 1) } })).isInvalid(`[]: ${tooLarge(mebibyte)}`),
  ],
  [
    "data of a secret: a mebibyte",
    create(secret("b", { stringData: { k: text(mebibyte + 1) } })).isInvalid(`data: ${tooLarge(mebibyte)}`),
  ],
  [
    "annotations: 256 kibibytes in all",
    create(configMap("a", {}, { annotations: { a: text(262_144) } })).isInvalid(
      `metadata.annotations: ${tooLarge(262_144)}`,
    ),
  ],
  [
    "the name of a field manager: 128 bytes",
    create(configMap("a"), `?fieldManager=${text(128)}`),
    create(configMap("b"), `?fieldManager=${text(129)}`).answers(
      422,
      `CreateOptions.meta.k8s.io "" is invalid: fieldManager: ${tooLarge(128)}`,
    ),
  ],
  [
    "operations of a JSON patch: 10,000",
    create(configMap("a")),
    jsonPatch(
      "configmaps/a",
      Array.from({ length: 10_001 }, () => ({ op: "test", path: "/kind", value: "ConfigMap" })),
    ).answers(413, "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001"),
  ],
  [
    "label values: 63 characters",
    create(configMap("a", {}, { labels: { l: text(63) } })),
    mergePatch("configmaps/a", { metadata: { labels: { l: text(64) } } }).answers(
      422,
      `ConfigMap "a" is invalid: metadata.labels: Invalid value: "${text(64)}": must be no more than 63 bytes`,
    ),
  ],
  [
    "replicas: as many as an int32 holds",
    create(deployment("a", { replicas: 2_147_483_647 })),
    create(deployment("b", { replicas: 2_147_483_648 })).answers(
      400,
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ),
  ],
]);
