/** Names, versions and conversion of a custom kind. Upstream: ValidateCustomResourceDefinition and its relatives. */
import type { V1CustomResourceDefinition, V1CustomResourceDefinitionVersion } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, invalidEach, required } from "#api/validation/field-errors.ts";
import { isDns1035Label, isDns1123Subdomain } from "#api/validation/names.ts";
import { immutable, oneOf } from "#api/validation/values.ts";
import { caBundleErrors, webhookServiceErrors, webhookUrlErrors } from "#api/validation/webhook-client.ts";
import { approvalErrors } from "./approval.ts";
import type { JsonSchema } from "./json-schema.ts";
import { versionFieldsErrors } from "./version-rules.ts";

type Definition = V1CustomResourceDefinition;
type Webhook = NonNullable<NonNullable<Definition["spec"]["conversion"]>["webhook"]>;
const warningBytesMax = 256;
const reviewVersions = ["v1", "v1beta1"];

export function definitionErrors(definition: Definition, old?: Definition): FieldError[] {
  const { spec } = definition;
  // What an approval must say was decided when the definition came.
  const isNew = old === undefined || approvalErrors(old).length === 0;
  return [
    ...(old === undefined ? nameErrors(definition) : []),
    ...groupErrors(spec.group ?? ""),
    ...oneOf("spec.scope", spec.scope, ["Cluster", "Namespaced"]),
    ...schemaErrors(spec),
    ...versionsErrors(spec.versions ?? []),
    ...namesErrors("spec.names", spec.names),
    ...versionFieldsErrors(spec.versions ?? [], old?.spec.versions),
    ...unknownFieldsConversionErrors(spec),
    ...conversionErrors(spec.conversion, old),
    ...(old === undefined ? [] : immutableErrors(definition, old)),
    ...storedVersionsErrors(definition),
    ...(isNew ? approvalErrors(definition) : []),
    ...unknownFieldsErrors(spec, old?.spec),
  ];
}

/** Every version tells of its fields; where the others are kept, none is given by default. */
function schemaErrors({ versions: given, preserveUnknownFields }: Definition["spec"]): FieldError[] {
  const versions = given ?? [];
  const schemaOf = ({ schema }: V1CustomResourceDefinitionVersion) => (schema?.openAPIV3Schema ?? {}) as JsonSchema;
  const missing = versions.flatMap((version, index) =>
    Object.keys(schemaOf(version)).length === 0 ? [required(`spec.versions[${index}].schema.openAPIV3Schema`)] : [],
  );
  if (preserveUnknownFields !== true || !versions.some((version) => hasDefault(schemaOf(version)))) return missing;
  const text = "must be false in order to use defaults in the schema";
  return [...missing, invalid("spec.preserveUnknownFields", true, text)];
}

function unknownFieldsConversionErrors({ preserveUnknownFields, conversion }: Definition["spec"]): FieldError[] {
  const { strategy = "None" } = conversion ?? {};
  return preserveUnknownFields === true && strategy !== "None"
    ? [invalid("spec.conversion.strategy", strategy, "must be None if spec.preserveUnknownFields is true")]
    : [];
}

/** What was so before schemas told of all fields cannot be had any more. */
function unknownFieldsErrors({ preserveUnknownFields }: Definition["spec"], old?: Definition["spec"]): FieldError[] {
  if (preserveUnknownFields !== true || old?.preserveUnknownFields === true) return [];
  const text =
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return [invalid("spec.preserveUnknownFields", true, text)];
}

function hasDefault({ default: value, ...schema }: JsonSchema): boolean {
  if (value !== undefined && value !== null) return true;
  const { items, properties = {}, additionalProperties, not, allOf = [], anyOf = [], oneOf = [] } = schema;
  const inner = [items, additionalProperties, not, ...allOf, ...anyOf, ...oneOf, ...Object.values(properties)];
  return inner.some((one) => typeof one === "object" && one !== null && hasDefault(one));
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
  const faults = isDns1123Subdomain(group);
  if (faults.length > 0) return [invalid("spec.group", group, faults.join(","))];
  return group.includes(".") ? [] : [invalid("spec.group", group, "should be a domain with at least one dot")];
}

function namesErrors(
  path: string,
  { plural, singular, kind, listKind = "", shortNames, categories }: Definition["spec"]["names"],
  isWhole = true,
): FieldError[] {
  const label = (field: string, value: string) => labelErrors(`${path}.${field}`, value);
  const mixed = (field: string, value: string) => {
    const faults = isDns1035Label(value.toLowerCase());
    const text = `may have mixed case, but should otherwise match: ${faults.join(",")}`;
    return faults.length === 0 ? [] : [invalid(`${path}.${field}`, value, text)];
  };
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
  return [...errors, ...(categories ?? []).flatMap((name, index) => label(`categories[${index}]`, name))];
}

/** All faults of a name in one error. */
function labelErrors(field: string, value: string): FieldError[] {
  const faults = isDns1035Label(value);
  return faults.length === 0 ? [] : [invalid(field, value, faults.join(","))];
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
  if (first !== "") errors.push(...labelErrors("spec.version", first));
  return errors;
}

function versionErrors(version: V1CustomResourceDefinitionVersion, path: string): FieldError[] {
  const { name = "", deprecated, deprecationWarning } = version;
  const errors = labelErrors(`${path}.name`, name);
  if (deprecationWarning !== undefined)
    errors.push(...warningErrors(deprecationWarning, deprecated === true, `${path}.deprecationWarning`));
  return errors;
}

/** Of spaces only the plain one is printed. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

function warningErrors(text: string, isDeprecated: boolean, field: string): FieldError[] {
  if (!isDeprecated) return [invalid(field, text, "can only be set for deprecated versions")];
  const bytes = Buffer.byteLength(text);
  const at = text.search(unprintable);
  const index = Buffer.byteLength(text.slice(0, Math.max(at, 0)));
  const faults = [
    ...(bytes > warningBytesMax ? [`must be <= ${warningBytesMax} characters long`] : []),
    ...(text === "" ? ["must not be an empty string"] : []),
    ...(at === -1
      ? []
      : [`must only contain printable UTF-8 characters; non-printable character found at index ${index}`]),
  ];
  return invalidEach(field, text, faults);
}

function conversionErrors(conversion: Definition["spec"]["conversion"], old: Definition | undefined): FieldError[] {
  if (conversion === undefined) return [];
  const path = "spec.conversion";
  const { strategy, webhook } = conversion;
  const errors = oneOf(`${path}.strategy`, strategy, ["None", "Webhook"]);
  if (strategy === "Webhook")
    return [
      ...errors,
      ...webhookErrors(webhook, `${path}.webhookClientConfig`, old),
      ...reviewVersionsErrors(webhook?.conversionReviewVersions ?? [], path),
    ];
  const unwanted = "should not be set when strategy is not set to Webhook";
  if (webhook?.clientConfig !== undefined) errors.push(forbidden(`${path}.webhookClientConfig`, unwanted));
  if ((webhook?.conversionReviewVersions ?? []).length > 0)
    errors.push(forbidden(`${path}.conversionReviewVersions`, unwanted));
  return errors;
}

function webhookErrors(webhook: Webhook | undefined, path: string, old: Definition | undefined): FieldError[] {
  if (webhook?.clientConfig === undefined) return [required(path, "required when strategy is set to Webhook")];
  const { url, service, caBundle = "" } = webhook.clientConfig;
  const where =
    (url === undefined) === (service === undefined)
      ? [required(path, "exactly one of url or service is required")]
      : url !== undefined
        ? webhookUrlErrors(`${path}.url`, url)
        : webhookServiceErrors(`${path}.service`, service!);
  return [...where, ...(mayHaveBadBundle(old) ? [] : caBundleErrors(`${path}.caBundle`, caBundle))];
}

/** A definition that is served may not lose a bundle that is good. */
function mayHaveBadBundle(old: Definition | undefined): boolean {
  if (old === undefined || !isEstablished(old)) return true;
  const { caBundle = "" } = old.spec.conversion?.webhook?.clientConfig ?? {};
  return caBundle !== "" && caBundleErrors("", caBundle).length > 0;
}

function reviewVersionsErrors(versions: readonly string[], path: string): FieldError[] {
  const field = `${path}.conversionReviewVersions`;
  if (versions.length === 0) return [required(field)];
  const errors = versions.flatMap((version, index) => {
    if (versions.indexOf(version) < index) return [invalid(`${field}[${index}]`, version, "duplicate version")];
    return invalidEach(`${field}[${index}]`, version, isDns1035Label(version));
  });
  if (!versions.some((version) => reviewVersions.includes(version)))
    errors.push(invalid(field, versions, `must include at least one of ${reviewVersions.join(", ")}`));
  return errors;
}

const isEstablished = ({ status }: Definition): boolean =>
  (status?.conditions ?? []).some((one) => one.type === "Established" && one.status === "True");

/** What objects are found by may not change once it is in use. */
function immutableErrors({ spec }: Definition, old: Definition): FieldError[] {
  return [
    ...(isEstablished(old)
      ? [
          ...immutable("spec.scope", spec.scope, old.spec.scope),
          ...immutable("spec.names.kind", spec.names.kind, old.spec.names.kind),
        ]
      : []),
    ...immutable("spec.group", spec.group, old.spec.group),
    ...immutable("spec.names.plural", spec.names.plural, old.spec.names.plural),
  ];
}
