/** Names, versions and conversion of a custom kind. Upstream: ValidateCustomResourceDefinition and its relatives. */
import type { V1CustomResourceDefinition, V1CustomResourceDefinitionVersion } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isDns1035Label } from "#api/validation/names.ts";
import { dnsSubdomain, immutable, oneOf } from "#api/validation/values.ts";
import { webhookServiceErrors, webhookUrlErrors } from "#api/validation/webhook-client.ts";
import { approvalErrors } from "./approval.ts";
import { versionFieldsErrors } from "./version-rules.ts";

type Definition = V1CustomResourceDefinition;
const warningCharactersMax = 256;
const reviewVersions = ["v1", "v1beta1"];

export function definitionErrors(definition: Definition, old?: Definition): FieldError[] {
  const { spec } = definition;
  // What an approval must say was decided when the definition came.
  const isNew = old === undefined || approvalErrors(old).length === 0;
  return [
    ...(old === undefined ? nameErrors(definition) : []),
    ...groupErrors(spec.group ?? ""),
    ...oneOf("spec.scope", spec.scope, ["Cluster", "Namespaced"]),
    ...unknownFieldsErrors(spec.preserveUnknownFields),
    ...versionsErrors(spec.versions ?? []),
    ...namesErrors("spec.names", spec.names),
    ...versionFieldsErrors(spec.versions ?? []),
    ...conversionErrors(spec.conversion),
    ...storedVersionsErrors(definition),
    ...(isNew ? approvalErrors(definition) : []),
  ];
}

function unknownFieldsErrors(preserves: boolean | undefined): FieldError[] {
  const text =
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return preserves === true ? [invalid("spec.preserveUnknownFields", true, text)] : [];
}

function storedVersionsErrors({ spec, status }: Definition): FieldError[] {
  const field = "status.storedVersions";
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0)
    return [invalid(field, status?.storedVersions ?? null, "must have at least one stored version")];
  const names = new Set((spec.versions ?? []).map(({ name }) => name));
  return stored.flatMap((name, index) => {
    if (names.has(name)) return [];
    const rest = `and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name}`;
    const text = `missing from spec.versions; ${name} was previously a storage version, ${rest} and removes ${name} from status.storedVersions`;
    return [invalid(`${field}[${index}]`, name, text)];
  });
}

/** What its controllers write. Upstream: ValidateUpdateCustomResourceDefinitionStatus. */
export function definitionStatusErrors({ status }: Definition): FieldError[] {
  const { plural = "", ...rest } = status?.acceptedNames ?? { kind: "", plural: "" };
  const said = Object.fromEntries(
    Object.entries({ plural, ...rest }).filter(([, value]) => value !== "" && value !== undefined),
  );
  return namesErrors("status.acceptedNames", { kind: "", plural: "", ...said }, false);
}

function nameErrors({ metadata, spec }: Definition): FieldError[] {
  const wanted = `${spec.names.plural}.${spec.group}`;
  const text = 'must be spec.names.plural+"."+spec.group';
  return (["name", "generateName"] as const).flatMap((field) => {
    const value = metadata[field];
    return value === undefined || value === wanted ? [] : [invalid(`metadata.${field}`, value, text)];
  });
}

function groupErrors(group: string): FieldError[] {
  if (group === "") return [required("spec.group")];
  const errors = dnsSubdomain("spec.group", group);
  return group.includes(".")
    ? errors
    : [...errors, invalid("spec.group", group, "should be a domain with at least one dot")];
}

function namesErrors(
  path: string,
  { plural, singular, kind, listKind = "", shortNames }: Definition["spec"]["names"],
  isWhole = true,
): FieldError[] {
  const label = (field: string, value: string) => invalidEach(`${path}.${field}`, value, isDns1035Label(value));
  const mixed = (field: string, value: string) =>
    isDns1035Label(value.toLowerCase()).map((fault) =>
      invalid(`${path}.${field}`, value, `may have mixed case, but should otherwise match: ${fault}`),
    );
  const missing = (field: string) => (isWhole ? [required(`${path}.${field}`)] : []);
  const errors = [
    ...(plural === "" ? missing("plural") : label("plural", plural)),
    ...(singular === undefined ? [] : label("singular", singular)),
    ...(kind === "" ? missing("kind") : mixed("kind", kind)),
    ...(listKind === "" ? missing("listKind") : mixed("listKind", listKind)),
    ...(shortNames ?? []).flatMap((name, index) => label(`shortNames[${index}]`, name)),
  ];
  if (kind !== "" && kind === listKind)
    errors.push(invalid(`${path}.listKind`, listKind, "kind and listKind may not be the same"));
  return errors;
}

function versionsErrors(versions: readonly V1CustomResourceDefinitionVersion[]): FieldError[] {
  const errors = versions.flatMap((version, index) => versionErrors(version, `spec.versions[${index}]`));
  const names = versions.map(({ name }) => name);
  if (new Set(names).size < names.length)
    errors.push(invalid("spec.versions", versions, "must contain unique version names"));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(invalid("spec.versions", versions, "must have exactly one version marked as storage version"));
  // An old field that holds the first version's name.
  const [first = ""] = names;
  if (first !== "") errors.push(...invalidEach("spec.version", first, isDns1035Label(first)));
  return errors;
}

function versionErrors(version: V1CustomResourceDefinitionVersion, path: string): FieldError[] {
  const { name = "", deprecated, deprecationWarning, schema } = version;
  const errors = invalidEach(`${path}.name`, name, isDns1035Label(name));
  if (deprecationWarning !== undefined)
    errors.push(...warningErrors(deprecationWarning, deprecated === true, `${path}.deprecationWarning`));
  if (schema?.openAPIV3Schema === undefined || Object.keys(schema.openAPIV3Schema).length === 0)
    errors.push(required(`${path}.schema.openAPIV3Schema`));
  return errors;
}

const control = /[\p{C}\p{Zl}\p{Zp}]/u;

function warningErrors(text: string, isDeprecated: boolean, field: string): FieldError[] {
  if (!isDeprecated) return [invalid(field, text, "can only be set for deprecated versions")];
  if (text === "") return [invalid(field, text, "must not be an empty string")];
  if (text.length > warningCharactersMax)
    return [invalid(field, text, `must be <= ${warningCharactersMax} characters long`)];
  const at = text.search(control);
  const fault = `must only contain printable UTF-8 characters; non-printable character found at index ${at}`;
  return at === -1 ? [] : [invalid(field, text, fault)];
}

function conversionErrors(conversion: Definition["spec"]["conversion"]): FieldError[] {
  if (conversion === undefined) return [];
  const path = "spec.conversion";
  const { strategy, webhook } = conversion;
  const errors = strategy === "" || strategy === undefined ? [required(`${path}.strategy`)] : [];
  if (errors.length === 0 && strategy !== "None" && strategy !== "Webhook")
    errors.push(notSupported(`${path}.strategy`, strategy, ["None", "Webhook"]));
  if (strategy !== "Webhook") return errors;
  const { url, service } = webhook?.clientConfig ?? {};
  if (webhook?.clientConfig === undefined)
    errors.push(required(`${path}.webhookClientConfig`, "required when strategy is set to Webhook"));
  else if ((url === undefined) === (service === undefined))
    errors.push(required(`${path}.webhookClientConfig`, "exactly one of url or service is required"));
  if (url !== undefined) errors.push(...webhookUrlErrors(`${path}.webhookClientConfig.url`, url));
  if (service !== undefined) errors.push(...webhookServiceErrors(`${path}.webhookClientConfig.service`, service));
  return [...errors, ...reviewVersionsErrors(webhook?.conversionReviewVersions ?? [], path)];
}

function reviewVersionsErrors(versions: readonly string[], path: string): FieldError[] {
  const field = `${path}.conversionReviewVersions`;
  if (versions.length === 0) return [required(field)];
  const errors = versions.flatMap((version, index) => {
    if (versions.indexOf(version) < index) return [invalid(`${field}[${index}]`, version, "duplicate version")];
    return invalidEach(`${field}[${index}]`, version, isDns1035Label(version));
  });
  if (errors.length === 0 && !versions.some((version) => reviewVersions.includes(version)))
    errors.push(invalid(field, versions, `must include at least one of ${reviewVersions.join(", ")}`));
  return errors;
}

/** What objects are found by may not change once it is in use. */
export function definitionUpdateErrors({ spec }: Definition, old: Definition): FieldError[] {
  const isEstablished = (old.status?.conditions ?? []).some(
    ({ type, status }) => type === "Established" && status === "True",
  );
  return [
    ...immutable("spec.group", spec.group, old.spec.group),
    ...immutable("spec.names.plural", spec.names.plural, old.spec.names.plural),
    ...(isEstablished
      ? [
          ...immutable("spec.scope", spec.scope, old.spec.scope),
          ...immutable("spec.names.kind", spec.names.kind, old.spec.names.kind),
        ]
      : []),
  ];
}
