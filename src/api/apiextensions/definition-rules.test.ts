/** Names, versions and conversion of a CustomResourceDefinition, with the texts that clients see. */
import { describe, expect, it } from "vitest";
import type { V1CustomResourceDefinition } from "#api/generated/types.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { CustomResourceDefinition } from "./custom-resource-definition.ts";
import { definitionErrors } from "./definition-rules.ts";

type Spec = V1CustomResourceDefinition["spec"];
const schema = { openAPIV3Schema: { type: "object" } };

function definition(more: Partial<Spec> = {}, isEstablished = false): V1CustomResourceDefinition {
  const crd: V1CustomResourceDefinition = {
    metadata: { name: "widgets.x.io" },
    spec: {
      group: "x.io",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [{ name: "v1", served: true, storage: true, schema }],
      ...more,
    },
    status: {
      storedVersions: ["v1"],
      acceptedNames: { plural: "widgets", kind: "Widget" },
      conditions: isEstablished ? [{ type: "Established", status: "True" }] : [],
    },
  };
  CustomResourceDefinition.defaults!(crd as never);
  return crd;
}
const texts = (crd: V1CustomResourceDefinition, old?: V1CustomResourceDefinition) =>
  definitionErrors(crd, old).map(fieldErrorText);
const hook = (clientConfig: object) =>
  ({ strategy: "Webhook", webhook: { conversionReviewVersions: ["v1"], clientConfig } }) as Spec["conversion"];

describe("a definition", () => {
  it("gets its names, its conversion and its stored version by default", () => {
    const crd = definition();
    crd.status!.storedVersions = [];
    CustomResourceDefinition.defaults!(crd as never);
    expect(crd.spec.names).toMatchObject({ singular: "widget", listKind: "WidgetList" });
    expect(crd.spec.conversion).toEqual({ strategy: "None" });
    expect(crd.status!.storedVersions).toEqual(["v1"]);
    expect(texts(crd)).toEqual([]);
  });

  it("has every name checked, and all faults of one told together", () => {
    const long = `${"a".repeat(63)}_`;
    const names = { plural: "widgets", kind: "Widget", shortNames: ["W"], categories: [long] };
    const [short, category, ...rest] = texts(definition({ names }));
    expect(short).toMatch(/^spec\.names\.shortNames\[0\]: Invalid value: "W": a DNS-1035 label must consist/);
    expect(category).toMatch(
      /^spec\.names\.categories\[0\]: .*must be no more than 63.*,a DNS-1035 label|,must be no more/,
    );
    expect(rest).toEqual([]);
  });

  it.each<[string, string[]]>([
    ["", ["must not be an empty string"]],
    [
      `${"x".repeat(256)}\n`,
      [
        "must be <= 256 characters long",
        "must only contain printable UTF-8 characters; non-printable character found at index 256",
      ],
    ],
    ["fine", []],
  ])("tells all faults of the deprecation warning %j", (deprecationWarning, faults) => {
    const versions = [{ name: "v1", served: true, storage: true, schema, deprecated: true, deprecationWarning }];
    const field = "spec.versions[0].deprecationWarning";
    expect(texts(definition({ versions })).map((text) => text.split('": ').pop())).toEqual(faults);
    for (const text of texts(definition({ versions }))) expect(text.startsWith(field)).toBe(true);
  });

  it("has a webhook only if it converts by one", () => {
    const conversion = { ...hook({ url: "https://x.io" })!, strategy: "None" };
    expect(texts(definition({ conversion }))).toEqual([
      "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook",
      "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
    ]);
  });

  it("names one place where it converts, and only that is looked at", () => {
    const both = { url: "http://x.io", service: { namespace: "", name: "" } };
    expect(texts(definition({ conversion: hook(both) }))).toEqual([
      "spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required",
    ]);
  });

  it("may come with a bad CA bundle, but not lose a good one once it is served", () => {
    const bad = { url: "https://x.io", caBundle: Buffer.from("none").toString("base64") };
    expect(texts(definition({ conversion: hook(bad) }))).toEqual([]);
    const none = definition({ conversion: hook({ url: "https://x.io" }) }, true);
    expect(texts(definition({ conversion: hook(bad) }), none)).toEqual([
      `spec.conversion.webhookClientConfig.caBundle: Invalid value: "bm9uZQ==": unable to load root certificates: unable to parse bytes as PEM block`,
    ]);
    expect(texts(definition({ conversion: hook(bad) }), definition({ conversion: hook(bad) }, true))).toEqual([]);
  });

  it("keeps scope and kind once it is served, group and plural always", () => {
    const other: Partial<Spec> = { scope: "Cluster", names: { plural: "wodgets", kind: "Wodget" }, group: "y.io" };
    const fields = (old: V1CustomResourceDefinition) =>
      definitionErrors(definition(other), old)
        .filter(({ message }) => message.endsWith("field is immutable"))
        .map(({ field }) => field);
    expect(fields(definition())).toEqual(["spec.group", "spec.names.plural"]);
    expect(fields(definition({}, true))).toEqual(["spec.scope", "spec.names.kind", "spec.group", "spec.names.plural"]);
  });

  it("is in a group with a dot, which is said once the group is a name", () => {
    expect(texts({ ...definition({ group: "x" }), metadata: { name: "widgets.x" } })).toEqual([
      'spec.group: Invalid value: "x": should be a domain with at least one dot',
    ]);
    const [bad, ...rest] = texts({ ...definition({ group: "X" }), metadata: { name: "widgets.X" } }).filter((text) =>
      text.startsWith("spec.group"),
    );
    expect([bad?.slice(0, 60), rest]).toEqual(['spec.group: Invalid value: "X": a lowercase RFC 1123 subdoma', []]);
  });

  it("cannot preserve unknown fields, least of all with defaults or a webhook", () => {
    const withDefault = { openAPIV3Schema: { type: "object", properties: { a: { type: "string", default: "b" } } } };
    const spec = {
      preserveUnknownFields: true,
      conversion: hook({ url: "https://x.io" }),
      versions: [{ name: "v1", served: true, storage: true, schema: withDefault }],
    };
    expect(texts(definition(spec))).toEqual([
      "spec.preserveUnknownFields: Invalid value: true: must be false in order to use defaults in the schema",
      'spec.conversion.strategy: Invalid value: "Webhook": must be None if spec.preserveUnknownFields is true',
      "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
    ]);
  });

  it("warns with what can be printed", () => {
    const warning = (deprecationWarning: string) =>
      texts(
        definition({
          versions: [{ name: "v1", served: true, storage: true, schema, deprecated: true, deprecationWarning }],
        }),
      );
    expect(warning("old · use v2")).toEqual([]);
    expect(warning("é\u00a0")).toEqual([
      expect.stringContaining("must only contain printable UTF-8 characters; non-printable character found at index 2"),
    ]);
  });

  it("has a review version that is known, whatever else is wrong with them", () => {
    const conversion = hook({ url: "https://x.io" })!;
    conversion.webhook!.conversionReviewVersions = ["x", "x"];
    expect(texts(definition({ conversion }))).toEqual([
      'spec.conversion.conversionReviewVersions[1]: Invalid value: "x": duplicate version',
      'spec.conversion.conversionReviewVersions: Invalid value: ["x","x"]: must include at least one of v1, v1beta1',
    ]);
  });

  it("keeps dear rules that it had, and gets no new ones", () => {
    const rule = { rule: "self.all(a, self.all(b, a == b))" };
    const spec = { type: "array", maxItems: 2000, items: { type: "string" }, "x-kubernetes-validations": [rule] };
    const withRule = (more: object = {}) => {
      const whole = { openAPIV3Schema: { type: "object", properties: { spec, ...more } } };
      return definition({ versions: [{ name: "v1", served: true, storage: true, schema: whole as never }] });
    };
    const isDear = (text: string) => text.includes("estimated rule cost exceeds budget");
    expect(texts(withRule()).filter(isDear)).toHaveLength(1);
    expect(texts(withRule(), withRule()).filter(isDear)).toHaveLength(0);
    expect(texts(withRule({ other: { type: "string" } }), withRule()).filter(isDear)).toHaveLength(1);
  });
});
