/** Schemas of types whose JSON is not what their Go structs say, or that no struct is behind. */
import type { Schema, SpecVersion } from "./schema.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const extensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";

export const specialTypes = {
  intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  time: `${meta}.Time`,
  microTime: `${meta}.MicroTime`,
  rawExtension: "io.k8s.apimachinery.pkg.runtime.RawExtension",
  fieldsV1: `${meta}.FieldsV1`,
  json: `${extensions}.JSON`,
  schemaOrArray: `${extensions}.JSONSchemaPropsOrArray`,
  schemaOrBool: `${extensions}.JSONSchemaPropsOrBool`,
  schemaOrStrings: `${extensions}.JSONSchemaPropsOrStringArray`,
} as const;

const quantityWords = `Quantity is a fixed-point representation of a number. It provides convenient marshaling/unmarshaling in JSON and YAML, in addition to String() and AsInt64() accessors.

The serialization format is:

\`\`\` <quantity>        ::= <signedNumber><suffix>

\t(Note that <suffix> may be empty, from the "" case in <decimalSI>.)

<digit>           ::= 0 | 1 | ... | 9 <digits>          ::= <digit> | <digit><digits> <number>          ::= <digits> | <digits>.<digits> | <digits>. | .<digits> <sign>            ::= "+" | "-" <signedNumber>    ::= <number> | <sign><number> <suffix>          ::= <binarySI> | <decimalExponent> | <decimalSI> <binarySI>        ::= Ki | Mi | Gi | Ti | Pi | Ei

\t(International System of units; See: http://physics.nist.gov/cuu/Units/binary.html)

<decimalSI>       ::= m | "" | k | M | G | T | P | E

\t(Note that 1024 = 1Ki but 1000 = 1k; I didn't choose the capitalization.)

<decimalExponent> ::= "e" <signedNumber> | "E" <signedNumber> \`\`\`

No matter which of the three exponent forms is used, no quantity may represent a number greater than 2^63-1 in magnitude, nor may it have more than 3 decimal places. Numbers larger or more precise will be capped or rounded up. (E.g.: 0.1m will rounded up to 1m.) This may be extended in the future if we require larger or smaller quantities.

When a Quantity is parsed from a string, it will remember the type of suffix it had, and will use the same type again when it is serialized.

Before serializing, Quantity will be put in "canonical form". This means that Exponent/suffix will be adjusted up or down (with a corresponding increase or decrease in Mantissa) such that:

- No precision is lost - No fractional digits will be emitted - The exponent (or suffix) is as large as possible.

The sign will be omitted unless the number is negative.

Examples:

- 1.5 will be serialized as "1500m" - 1.5Gi will be serialized as "1536Mi"

Note that the quantity will NEVER be internally represented by a floating point number. That is the whole point of this exercise.

Non-canonical values will still parse as long as they are well formed, but will be re-emitted in their canonical form. (So always use canonical form, or don't diff.)

This format is intended to make it difficult to use these numbers without writing some sort of special handling code in the hopes that that will cause implementors to also use a fixed point implementation.`;

const rawExtensionWords = `RawExtension is used to hold extensions in external versions.

To use this, make a field which has RawExtension as its type in your external, versioned struct, and Object in your internal struct. You also need to register your various plugin types.

// Internal package:

\ttype MyAPIObject struct {
\t\truntime.TypeMeta \`json:",inline"\`
\t\tMyPlugin runtime.Object \`json:"myPlugin"\`
\t}

\ttype PluginA struct {
\t\tAOption string \`json:"aOption"\`
\t}

// External package:

\ttype MyAPIObject struct {
\t\truntime.TypeMeta \`json:",inline"\`
\t\tMyPlugin runtime.RawExtension \`json:"myPlugin"\`
\t}

\ttype PluginA struct {
\t\tAOption string \`json:"aOption"\`
\t}

// On the wire, the JSON will look something like this:

\t{
\t\t"kind":"MyAPIObject",
\t\t"apiVersion":"v1",
\t\t"myPlugin": {
\t\t\t"kind":"PluginA",
\t\t\t"aOption":"foo",
\t\t},
\t}

So what happens? Decode first uses json or yaml to unmarshal the serialized data into your external MyAPIObject. That causes the raw JSON to be stored, but not unpacked. The next step is to copy (using pkg/conversion) into the internal struct. The runtime package's DefaultScheme has conversion functions installed which will unpack the JSON stored in RawExtension, turning it into the correct object type, and storing it in the Object. (TODO: In the case where the object is of an unknown type, a runtime.Unknown object will be created and stored.)`;

const fieldsWords = `FieldsV1 stores a set of fields in a data structure like a Trie, in JSON format.

Each key is either a '.' representing the field itself, and will always map to an empty set, or a string representing a sub-field or item. The string will follow one of these four formats: 'f:<name>', where <name> is the name of a field in a struct, or key in a map 'v:<value>', where <value> is the exact json formatted value of a list item 'i:<index>', where <index> is position of a item in a list 'k:<keys>', where <keys> is a map of  a list item's key fields to their unique values If a key maps to an empty Fields value, the field that key represents is part of the set.

The exact format is defined in sigs.k8s.io/structured-merge-diff`;

const versionFields = ["gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"];
const versionWords: Readonly<Record<string, string>> = {
  major: "Major is the major version of the binary version",
  minor: "Minor is the minor version of the binary version",
  emulationMajor: "EmulationMajor is the major version of the emulation version",
  emulationMinor: "EmulationMinor is the minor version of the emulation version",
  minCompatibilityMajor: "MinCompatibilityMajor is the major version of the minimum compatibility version",
  minCompatibilityMinor: "MinCompatibilityMinor is the minor version of the minimum compatibility version",
};

function versionInfo(version: SpecVersion): Schema {
  const required = ["major", "minor", ...versionFields];
  const names = [...Object.keys(versionWords), ...versionFields].sort();
  const property = (name: string): Schema => ({
    ...(versionWords[name] === undefined ? {} : { description: versionWords[name] }),
    type: "string",
    ...(version === 3 && required.includes(name) ? { default: "" } : {}),
  });
  return {
    description: "Info contains versioning information. how we'll want to distribute that information.",
    type: "object",
    required,
    properties: Object.fromEntries(names.map((name) => [name, property(name)])),
  };
}

const words =
  (description: string, rest: Schema = {}) =>
  (): Schema => ({ description, ...rest });

export const specialSchemas: Readonly<Record<string, (version: SpecVersion) => Schema>> = {
  [specialTypes.intOrString]: (version) => ({
    description:
      "IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it produces or consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number.",
    format: "int-or-string",
    ...(version === 2 ? { type: "string" } : { oneOf: [{ type: "integer" }, { type: "string" }] }),
  }),
  [specialTypes.quantity]: (version) => ({
    description: quantityWords,
    ...(version === 2 ? { type: "string" } : { oneOf: [{ type: "string" }, { type: "number" }] }),
  }),
  [specialTypes.time]: words(
    "Time is a wrapper around time.Time which supports correct marshaling to YAML and JSON.  Wrappers are provided for many of the factory methods that the time package offers.",
    { type: "string", format: "date-time" },
  ),
  [specialTypes.microTime]: words("MicroTime is version of Time with microsecond level precision.", {
    type: "string",
    format: "date-time",
  }),
  [specialTypes.rawExtension]: words(rawExtensionWords, { type: "object" }),
  [specialTypes.fieldsV1]: words(fieldsWords, { type: "object" }),
  [specialTypes.json]: words(
    "JSON represents any valid JSON value. These types are supported: bool, int64, float64, string, []interface{}, map[string]interface{} and nil.",
  ),
  [specialTypes.schemaOrArray]: words(
    "JSONSchemaPropsOrArray represents a value that can either be a JSONSchemaProps or an array of JSONSchemaProps. Mainly here for serialization purposes.",
  ),
  [specialTypes.schemaOrBool]: words(
    "JSONSchemaPropsOrBool represents JSONSchemaProps or a boolean value. Defaults to true for the boolean property.",
  ),
  [specialTypes.schemaOrStrings]: words("JSONSchemaPropsOrStringArray represents a JSONSchemaProps or a string array."),
  [`${meta}.Patch`]: words("Patch is provided to give a concrete name and type to the Kubernetes PATCH request body.", {
    type: "object",
  }),
  "io.k8s.apimachinery.pkg.version.Info": versionInfo,
};
