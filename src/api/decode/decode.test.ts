import { describe, expect, test } from "vitest";
import { builtInType } from "#api/schema/built-in.ts";
import { decodeBody, decodeValue, type BodyFormat, type FieldValidation } from "./decode.ts";

const expected = (type: string, group = "", api = `io.k8s.api.${group === "" ? "core" : group}`) => ({
  group,
  version: "v1",
  kind: type,
  struct: builtInType(`${api}.v1.${type}`),
});
const decode = (
  kind: ReturnType<typeof expected>,
  text: string,
  how: FieldValidation = "Warn",
  format: BodyFormat = "json",
) => decodeBody({ format, bytes: Buffer.from(text) }, kind, how);

const configMap = expected("ConfigMap");
const pod = expected("Pod");
const deployment = expected("Deployment", "apps");

const definition = expected(
  "CustomResourceDefinition",
  "apiextensions.k8s.io",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
);

describe("what comes out", () => {
  test("members stand in the struct's order, maps are sorted, kind and version are filled in", () => {
    const { object } = decode(configMap, '{"data":{"b":"2","a":"1"},"metadata":{"labels":null,"name":"x"}}');
    expect(JSON.stringify(object)).toBe(
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"},"data":{"a":"1","b":"2"}}',
    );
  });

  test("empty scalars and null members go, members that Go always writes come", () => {
    const body = '{"spec":{"hostNetwork":false,"nodeName":"","containers":[{"name":"c","env":null}]}}';
    const { object, holdsEmpties } = decode(pod, body);
    expect(holdsEmpties).toBe(false);
    expect(object).toEqual({
      kind: "Pod",
      apiVersion: "v1",
      metadata: {},
      spec: { containers: [{ name: "c", resources: {} }] },
      status: {},
    });
  });

  test("empty lists and maps stay, and are told of", () => {
    const { object, holdsEmpties } = decode(pod, '{"spec":{"nodeSelector":{},"containers":[{"name":"c","ports":[]}]}}');
    expect(holdsEmpties).toBe(true);
    expect(object["spec"]).toEqual({ nodeSelector: {}, containers: [{ name: "c", ports: [], resources: {} }] });
  });

  test("pointers keep their zero values", () => {
    const { object } = decode(deployment, '{"spec":{"replicas":0,"paused":false}}');
    expect(object["spec"]).toEqual({
      replicas: 0,
      selector: null,
      template: { metadata: {}, spec: { containers: null } },
      strategy: {},
    });
  });

  test("null values of a map become zero values", () => {
    expect(decode(configMap, '{"data":{"a":null}}').object["data"]).toEqual({ a: "" });
  });

  test("times are in UTC and whole seconds, bytes in canonical base64", () => {
    const text = '{"metadata":{"creationTimestamp":"2024-01-01T02:00:00.5+02:00"},"data":{"a":"eA\\n=="}}';
    const { object } = decode(expected("Secret"), text);
    expect(object.metadata.creationTimestamp).toBe("2024-01-01T00:00:00Z");
    expect(object["data"]).toEqual({ a: "eA==" });
  });

  test("bytes may be a list of numbers", () => {
    expect(decode(expected("Secret"), '{"data":{"a":[104,105],"b":[null],"c":[]}}').object["data"]).toEqual({
      a: "aGk=",
      b: "AA==",
      c: "",
    });
  });

  test.each([
    ['{"items":[null,{"type":"string"}]}', { items: [{}, { type: "string" }] }],
    ['{"items":"x"}', {}],
    ['{"properties":{"a":null}}', { properties: { a: {} } }],
    ['{"additionalProperties":false}', { additionalProperties: false }],
    ['{"dependencies":{"a":["b",null]}}', { dependencies: { a: ["b", ""] } }],
  ])("a schema %s holds what it may hold", (text, schema) => {
    const { object } = decode(definition, `{"spec":{"versions":[{"schema":{"openAPIV3Schema":${text}}}]}}`);
    expect(object["spec"]).toMatchObject({ versions: [{ schema: { openAPIV3Schema: schema } }] });
  });

  test("an empty managedFields is kept, since it means something", () => {
    expect(decode(configMap, '{"metadata":{"managedFields":[]}}').object.metadata.managedFields).toEqual([]);
  });
});

describe("what is refused", () => {
  const cannot = (kind: string, why: string) => `${kind} in version "v1" cannot be handled as a ${kind}: ${why}`;
  test.each([
    [
      configMap,
      '{"data":{"a":1}}',
      cannot("ConfigMap", "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
    ],
    [
      expected("Secret"),
      '{"data":{"a":[256]}}',
      cannot("Secret", "json: cannot unmarshal number 256 into Go struct field Secret.data of type uint8"),
    ],
    [
      definition,
      '{"spec":{"versions":[{"schema":{"openAPIV3Schema":{"additionalProperties":"x"}}}]}}',
      cannot("CustomResourceDefinition", "boolean or JSON schema expected"),
    ],
    [
      definition,
      '{"spec":{"versions":[{"schema":{"openAPIV3Schema":{"items":["x"]}}}]}}',
      cannot("CustomResourceDefinition", "json: cannot unmarshal string into Go value of type v1.JSONSchemaProps"),
    ],
    [
      configMap,
      '{"data":[]}',
      cannot("ConfigMap", "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string"),
    ],
    [
      configMap,
      '{"metadata":"x"}',
      cannot(
        "ConfigMap",
        "json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta",
      ),
    ],
    [
      deployment,
      '{"spec":{"replicas":2.0}}',
      cannot(
        "Deployment",
        "json: cannot unmarshal number 2.0 into Go struct field DeploymentSpec.spec.replicas of type int32",
      ),
    ],
    [
      deployment,
      '{"spec":{"replicas":3000000000}}',
      cannot(
        "Deployment",
        "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
      ),
    ],
    [
      pod,
      '{"spec":{"activeDeadlineSeconds":99999999999999999999}}',
      cannot(
        "Pod",
        "json: cannot unmarshal number 99999999999999999999 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64",
      ),
    ],
    [
      pod,
      '{"spec":{"containers":{}}}',
      cannot(
        "Pod",
        "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
      ),
    ],
    [
      pod,
      '{"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}}',
      cannot(
        "Pod",
        "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
      ),
    ],
    [
      pod,
      '{"spec":{"containers":[{"imagePullPolicy":1}]}}',
      cannot(
        "Pod",
        "json: cannot unmarshal number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy",
      ),
    ],
    [
      configMap,
      '{"metadata":{"creationTimestamp":"x"}}',
      cannot("ConfigMap", 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
    ],
    [
      configMap,
      '{"kind":"Secret"}',
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
    ],
    [
      configMap,
      '{"apiVersion":"apps/v1"}',
      cannot(
        "ConfigMap",
        'no kind "ConfigMap" is registered for version "apps/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
      ),
    ],
    [
      configMap,
      "",
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      configMap,
      "[]",
      'the object provided is unrecognized (must be of type ConfigMap): couldn\'t get version/kind; json parse error: json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)',
    ],
    [
      configMap,
      '{"apiVersion":"a/b/c","kind":"ConfigMap"}',
      'the object provided is unrecognized (must be of type ConfigMap): unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c","kind":" ...)',
    ],
  ])("body %#", (kind, text, message) => {
    expect(() => decode(kind, text)).toThrow(message);
  });

  test("a version of the same kind that is not the path's", () => {
    const scale = { ...expected("HorizontalPodAutoscaler", "autoscaling") };
    expect(() => decode(scale, '{"apiVersion":"autoscaling/v2"}')).toThrow(
      "the API version in the data (autoscaling/v2) does not match the expected API version (autoscaling/v1)",
    );
  });
});

describe("field validation", () => {
  const odd = '{"metadata":{"name":"a","name":"b","bogus":1},"data":{"k":"1","k":"2"},"other":{}}';
  const found = [
    'duplicate field "metadata.name"',
    'unknown field "metadata.bogus"',
    'duplicate field "data.k"',
    'unknown field "other"',
  ];

  test("Warn tells, in the order of the document", () => {
    const { object, warnings } = decode(configMap, odd);
    expect(warnings).toEqual(found);
    expect(object.metadata.name).toBe("b");
  });

  test("Strict refuses", () => {
    expect(() => decode(configMap, odd, "Strict")).toThrow(`strict decoding error: ${found.join(", ")}`);
  });

  test("Ignore is silent", () => expect(decode(configMap, odd, "Ignore").warnings).toEqual([]));

  test("paths name the items of lists", () => {
    const { warnings } = decode(pod, '{"spec":{"containers":[{"name":"c","env":[{"nme":"A"}]}]}}');
    expect(warnings).toEqual(['unknown field "spec.containers[0].env[0].nme"']);
  });

  test("names are case-sensitive", () => {
    expect(decode(configMap, '{"Data":{"a":"b"}}').warnings).toEqual(['unknown field "Data"']);
  });

  test("a key twice in YAML is told by its line", () => {
    const text = "metadata:\n  name: a\ndata:\n  k: v\n  k: w\n";
    expect(decode(configMap, text, "Warn", "yaml").warnings).toEqual(['line 5: key "k" already set in map']);
    expect(() => decode(configMap, text, "Strict", "yaml")).toThrow(
      'strict decoding error: yaml: unmarshal errors:\n  line 5: key "k" already set in map',
    );
  });
});

test("an object of the same process decodes like its text", () => {
  const value = { metadata: { name: "a" }, data: { b: "2", a: "1" }, bogus: 1 };
  expect(decodeValue(value, configMap, "Warn")).toEqual(decode(configMap, JSON.stringify(value)));
});
