/** ConfigMaps, Secrets and ServiceAccounts. */
import type { V1ConfigMap, V1Secret, V1ServiceAccount } from "#api/generated/types.ts";
import { describer } from "./describer.ts";
import { writeEvents } from "./events.ts";
import { bound, sortedEntries, writeHead, writeMany } from "./metadata.ts";

export const describeConfigMap = describer<V1ConfigMap>(async (configMap, context) => {
  const { writer } = context;
  writeHead(writer, configMap);
  writer.raw("\nData\n====\n");
  for (const [key, value] of sortedEntries(configMap.data)) writer.raw(`${key}:\n----\n${value}\n\n`);
  writer.raw("\nBinaryData\n====\n");
  for (const [key, value] of sortedEntries(configMap.binaryData))
    writer.raw(`${key}: ${Buffer.from(value, "base64").length} bytes\n`);
  writer.raw("\n");
  await writeEvents(configMap, context);
});

/** Sizes only, but for tokens. */
export const describeSecret = describer<V1Secret>((secret, { writer }) => {
  const { line } = bound(writer);
  writeHead(writer, secret);
  line(0, `\nType:\t${secret.type ?? ""}`);
  line(0, "\nData\n====");
  const isToken = secret.type === "kubernetes.io/service-account-token";
  for (const [key, value] of sortedEntries(secret.data)) {
    const bytes = Buffer.from(value, "base64");
    line(0, `${key}:\t${isToken && key === "token" ? bytes.toString("utf8") : `${bytes.length} bytes`}`);
  }
});

export const describeServiceAccount = describer<V1ServiceAccount>(async (account, context) => {
  const { writer } = context;
  writeHead(writer, account);
  const names = (account.imagePullSecrets ?? []).map(({ name }) => name ?? "");
  writeMany(writer, "Image pull secrets", names);
  const secrets = (account.secrets ?? []).map(({ name }) => name ?? "");
  if (secrets.length > 0) writeMany(writer, "Mountable secrets", secrets);
  await writeEvents(account, context);
});
