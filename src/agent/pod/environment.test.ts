import { describe, expect, test } from "vitest";
import type { Pod } from "#api/core/pod.ts";
import type { V1Container } from "#api/generated/types.ts";
import { parseEnvFile } from "./env-file.ts";
import { environmentOf, type EnvironmentSources } from "./environment.ts";
import { expand, expandStrictly } from "./expansion.ts";
import { serviceEnvironment } from "./service-environment.ts";

const resources = { limits: { cpu: "1500m", memory: "67108865" } };
const pod: Pod = {
  metadata: { name: "p", namespace: "n", uid: "u", labels: { "a.b/c": "lab" } },
  spec: { containers: [{ name: "c", resources }] },
};

function variables(container: Partial<V1Container>, more: Partial<EnvironmentSources> = {}): Record<string, string> {
  const sources: EnvironmentSources = {
    pod,
    addresses: { podIps: ["10.0.0.1"], hostIps: ["192.0.2.1"] },
    allocatable: { cpu: "4" },
    services: new Map([["S_PORT", "1"]]),
    configMap: () => undefined,
    secret: () => undefined,
    file: () => undefined,
    ...more,
  };
  return Object.fromEntries(environmentOf({ name: "c", ...container }, sources).variables);
}

describe("expansion", () => {
  test.each([
    ["$(A)", "one"],
    ["$$(A)", "$(A)"],
    ["$(NOPE)", "$(NOPE)"],
    ["$A $$$$", "$A $$"],
    ["`$(A)$(A)`", "`oneone`"],
  ])("%s", (text, expected) => expect(expand(text, (name) => ({ A: "one" })[name])).toBe(expected));

  test("an unknown name is an error where a path is made", () => {
    expect(() => expandStrictly("$(NOPE)", () => undefined)).toThrow("missing value for NOPE");
  });
});

describe("variables", () => {
  test("see those before them and services; the last of a name wins", () => {
    const env = [
      { name: "A", value: "1" },
      { name: "B", value: "$(A) $(S_PORT)" },
      { name: "A", value: "2" },
    ];
    expect(variables({ env })).toEqual({ A: "2", B: "1 1", S_PORT: "1" });
  });

  test("of fields and resources, rounded up to the divisor", () => {
    const field = (fieldPath: string) => ({ name: "F", valueFrom: { fieldRef: { fieldPath } } });
    expect(variables({ env: [field("metadata.labels['a.b/c']")] })["F"]).toBe("lab");
    expect(variables({ env: [field("status.podIP")] })["F"]).toBe("10.0.0.1");
    const resource = (name: string, divisor?: string) => ({
      name: "R",
      valueFrom: { resourceFieldRef: { resource: name, ...(divisor === undefined ? {} : { divisor }) } },
    });
    expect(variables({ env: [resource("limits.cpu")] })["R"]).toBe("2");
    expect(variables({ env: [resource("limits.cpu", "1m")] })["R"]).toBe("1500");
    expect(variables({ env: [resource("limits.memory", "1Mi")] })["R"]).toBe("65");
    expect(variables({ env: [resource("requests.memory")] })["R"]).toBe("0");
  });

  test("of a map that lacks are an error unless optional; odd names are fine, those with = are not", () => {
    const from = (optional?: boolean) => ({
      envFrom: [{ configMapRef: { name: "m", ...(optional ? { optional } : {}) } }],
    });
    expect(() => variables(from())).toThrow('configmap "m" not found');
    expect(variables(from(true))).toEqual({ S_PORT: "1" });
    const configMap = () => ({ metadata: {}, data: { "a.b": "1", "x=y": "2" } });
    expect(variables(from(), { configMap })).toEqual({ "a.b": "1", S_PORT: "1" });
  });
});

test("services tell host, ports by number and by name; headless ones tell nothing", () => {
  const service = {
    metadata: { name: "my-svc" },
    spec: { clusterIP: "10.43.0.1", ports: [{ name: "my-web", port: 80 }] },
  };
  const told = serviceEnvironment([
    service,
    { metadata: { name: "h" }, spec: { clusterIP: "None", ports: [{ port: 1 }] } },
  ]);
  expect(Object.fromEntries(told)).toEqual({
    MY_SVC_SERVICE_HOST: "10.43.0.1",
    MY_SVC_SERVICE_PORT: "80",
    MY_SVC_SERVICE_PORT_MY_WEB: "80",
    MY_SVC_PORT: "tcp://10.43.0.1:80",
    MY_SVC_PORT_80_TCP: "tcp://10.43.0.1:80",
    MY_SVC_PORT_80_TCP_PROTO: "tcp",
    MY_SVC_PORT_80_TCP_PORT: "80",
    MY_SVC_PORT_80_TCP_ADDR: "10.43.0.1",
  });
});

test("an environment file has comments, quotes and nothing else", () => {
  const text = "# a comment\nKEY='in file'\n\nOTHER='two # words' # more\nBARE=x\n";
  expect(Object.fromEntries(parseEnvFile(text))).toEqual({ KEY: "in file", OTHER: "two # words", BARE: "x" });
  expect(() => parseEnvFile("KEY=$(rm)\nno equals\n")).toThrow("invalid environment file");
});
