/** A namespace, with its quotas and limits. */
import { LimitRange } from "#api/core/limit-range.ts";
import { ResourceQuota } from "#api/core/resource-quota.ts";
import type { V1LimitRange, V1Namespace, V1ResourceQuota } from "#api/generated/types.ts";
import { describer } from "./describer.ts";
import { sortedEntries, writeAnnotations, writeLabels } from "./metadata.ts";
import type { Writer } from "./writer.ts";

export const describeNamespace = describer<V1Namespace>(async (namespace, { session, writer }) => {
  const { metadata, status } = namespace;
  writer.line(0, `Name:\t${metadata.name}`);
  writeLabels(writer, "Labels", metadata.labels);
  writeAnnotations(writer, metadata.annotations);
  writer.line(0, `Status:\t${status?.phase ?? ""}`);
  if ((status?.conditions ?? []).length > 0) {
    writer.line(
      0,
      "Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage\n  ----\t------\t------------------\t------\t-------",
    );
    for (const one of status!.conditions!)
      writer.line(
        1,
        `${one.type}\t${one.status}\t${String(one.lastTransitionTime ?? "")}\t${one.reason ?? ""}\t${one.message ?? ""}`,
      );
  }
  const [quotas, limits] = await Promise.all([
    session.client.list(ResourceQuota, { namespace: metadata.name }),
    session.client.list(LimitRange, { namespace: metadata.name }),
  ]);
  writeQuotas(writer, quotas.items);
  writeLimits(writer, limits.items);
});

function writeQuotas(writer: Writer, quotas: readonly V1ResourceQuota[]): void {
  if (quotas.length === 0) return writer.line(0, "\nNo resource quota.");
  writer.line(0, "\nResource Quotas");
  for (const { metadata, status } of quotas) {
    writer.line(1, `Name:\t${metadata.name}`);
    writer.line(1, "Resource\tUsed\tHard");
    writer.line(1, "--------\t---\t---");
    const used = (status?.used ?? {}) as Record<string, string>;
    for (const [name, hard] of sortedEntries(status?.hard as Record<string, string> | undefined))
      writer.line(1, `${name}\t${used[name] ?? "0"}\t${hard}`);
  }
}

function writeLimits(writer: Writer, limitRanges: readonly V1LimitRange[]): void {
  if (limitRanges.length === 0) return writer.line(0, "\nNo LimitRange resource.");
  writer.line(0, "\nResource Limits");
  writer.line(1, "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio");
  writer.line(1, "----\t--------\t---\t---\t---------------\t-------------\t-----------------------");
  for (const { spec } of limitRanges)
    for (const limit of spec?.limits ?? []) for (const row of limitRows(limit)) writer.line(1, row);
}

function limitRows(limit: NonNullable<V1LimitRange["spec"]>["limits"][number]): string[] {
  const lists = [limit.min, limit.max, limit.defaultRequest, limit["default"], limit.maxLimitRequestRatio] as (
    | Record<string, string>
    | undefined
  )[];
  const names = [...new Set(lists.flatMap((list) => Object.keys(list ?? {})))].sort();
  return names.map((name) => [limit.type, name, ...lists.map((list) => list?.[name] ?? "-")].join("\t"));
}
