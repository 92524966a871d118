/** Defaults, preparation and rules of API services. Upstream: kube-aggregator/pkg/apis/apiregistration. */
import type { V1APIService, V1APIServiceSpec } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import type { Strategy } from "#api/resource.ts";
import { carryOver } from "#api/status-strategy.ts";
import { goQuote } from "#api/go-text.ts";
import { forbidden, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isPortNumber } from "#api/validation/formats.ts";
import { isDns1035Label, isPathSegmentName } from "#api/validation/names.ts";
import { dnsSubdomain, present } from "#api/validation/values.ts";
import { formatTime } from "#lib/clock.ts";

const groupPriorityMax = 20_000;
const versionPriorityMax = 1000;
const statuses = new Set(["True", "False", "Unknown"]);

export function defaultApiService({ spec }: V1APIService): void {
  if (spec?.service !== undefined) spec.service.port ??= 443;
}

export const apiServiceStrategy: Strategy<V1APIService> = {
  prepareCreate(service, { now }) {
    service.status = {};
    if (service.spec?.service !== undefined) return;
    service.status.conditions = [
      {
        type: "Available",
        status: "True",
        lastTransitionTime: formatTime(now),
        reason: "Local",
        message: "Local APIServices are always available",
      },
    ];
  },
  prepareUpdate: (service, old) => carryOver(service, old, "status"),
  validate: ({ metadata, spec }) => specErrors(metadata.name ?? "", spec ?? ({} as V1APIServiceSpec)),
  resetFields: [["status"]],
};

function specErrors(name: string, spec: V1APIServiceSpec): FieldError[] {
  const { group = "", version = "", groupPriorityMinimum = 0, versionPriority = 0, service, caBundle = "" } = spec;
  const wanted = `${version}.${group}`;
  const errors: FieldError[] = [];
  if (name !== wanted && isPathSegmentName(name).length === 0)
    errors.push(invalid("metadata.name", name, `must be \`spec.version+"."+spec.group\`: ${goQuote(wanted)}`));
  // In this group of objects, the core API registers itself without a group.
  if (group !== "") errors.push(...dnsSubdomain("spec.group", group));
  else if (version !== "v1")
    errors.push(required("spec.group", "only v1 may have an empty group and it better be legacy kube"));
  errors.push(
    ...invalidEach("spec.version", version, isDns1035Label(version)),
    ...priorityErrors("spec.groupPriorityMinimum", groupPriorityMinimum, groupPriorityMax),
    ...priorityErrors("spec.versionPriority", versionPriority, versionPriorityMax),
  );
  const insecure = spec.insecureSkipTLSVerify === true;
  if (service !== undefined) errors.push(...serviceErrors(service));
  else {
    if (caBundle !== "")
      errors.push(
        invalid(
          "spec.caBundle",
          `${Buffer.from(caBundle, "base64").length} bytes`,
          "local APIServices may not have a caBundle",
        ),
      );
    if (insecure)
      errors.push(
        invalid("spec.insecureSkipTLSVerify", insecure, "local APIServices may not have insecureSkipTLSVerify"),
      );
    return errors;
  }
  if (insecure && caBundle !== "")
    errors.push(forbidden("spec.insecureSkipTLSVerify", "may not be true if caBundle is present"));
  return errors;
}

const priorityErrors = (field: string, value: number, max: number): FieldError[] =>
  value <= 0 || value > max ? [invalid(field, value, `must be positive and less than ${max}`)] : [];

function serviceErrors({ namespace, name, port }: NonNullable<V1APIServiceSpec["service"]>): FieldError[] {
  const faults = port === undefined ? [] : isPortNumber(port);
  return [
    ...present("spec.service.namespace", namespace),
    ...present("spec.service.name", name),
    ...faults.map((fault) => invalid("spec.service.port", port, `port is not valid: ${fault}`)),
  ];
}

export function apiServiceStatusErrors({ status }: V1APIService): FieldError[] {
  return (status?.conditions ?? []).flatMap(({ status: value }, index) =>
    statuses.has(value)
      ? []
      : [
          {
            field: `status.conditions[${index}].status`,
            type: "FieldValueNotSupported" as const,
            message: `Unsupported value: ${goQuote(value ?? "")}: supported values: "False", "True", "Unknown"`,
          },
        ],
  );
}
