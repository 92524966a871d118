/** Requests that are made to hurt: each gets a clean refusal soon, and changes nothing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createMemoryStore } from "#store/memory-store.ts";
import { openPki } from "./pki.ts";
import { type ApiServer, createApiServer } from "./server.ts";
import { nestingDepthMax } from "#api/decode/json-value.ts";
import { quantityDigitsMax } from "#api/quantity.ts";
import { toldCharactersMax, toldErrorsMax } from "#api/validation/field-errors.ts";
import { bodyBytesMax } from "./http/body.ts";
import { tokenCharactersMax } from "./resource/continue-token.ts";
import { selectorCharactersMax } from "./resource/selection.ts";
import type { LocalRequest, LocalTransport } from "./transport.ts";

const folder = mkdtempSync(join(tmpdir(), "capstan-bad-"));
const maps = "/api/v1/namespaces/default/configmaps";
const victim = `${maps}/victim`;
let server: ApiServer;
let admin: LocalTransport;

beforeAll(async () => {
  const pki = await openPki(folder, systemClock);
  const log = createLogger({ write() {} });
  server = await createApiServer({ store: createMemoryStore(), clock: systemClock, log, pki });
  admin = server.transport({ name: "admin", groups: ["system:masters", "system:authenticated"] }, "test");
  for (const name of ["other", "victim", "zzz"])
    await admin.request({ method: "POST", path: maps, body: { metadata: { name }, data: { a: "1" } } });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const read = async () => (await admin.request({ method: "GET", path: victim })).body;
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
for (const [before, own] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"].map((pair) => [...pair]))
  bomb.push(`${own}: &${own} [${Array(9).fill(`*${before}`).join(",")}]`);
const token = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
const v = "meta.k8s.io/v1";
const jsonPatch = "application/json-patch+json";
const mergePatch = "application/merge-patch+json";
const strategicPatch = "application/strategic-merge-patch+json";
const applyPatch = "application/apply-patch+yaml";
const patch = (contentType: string, body: unknown): LocalRequest => ({
  method: "PATCH",
  path: victim,
  query: { fieldManager: "bad" },
  contentType,
  body,
});
const list = (query: Record<string, string>): LocalRequest => ({ method: "GET", path: maps, query });
const create = (contentType: string, body: string): LocalRequest => ({ method: "POST", path: maps, contentType, body });

const claim = (cpu: string): LocalRequest => ({
  method: "POST",
  path: "/api/v1/namespaces/default/limitranges",
  contentType: "application/json",
  body: JSON.stringify({ metadata: { name: "n" }, spec: { limits: [{ type: "Container", max: { cpu } }] } }),
});
/** All of them controllers, of which there may be one: each error shows all owners. */
const owned = (count: number): LocalRequest => {
  const owner = { apiVersion: "v1", kind: "Pod", controller: true };
  const ownerReferences = Array.from({ length: count }, (_, at) => ({ ...owner, name: `p${at}`, uid: `${at}` }));
  return create("application/json", JSON.stringify({ metadata: { name: "n", ownerReferences } }));
};

describe("who sends", () => {
  it.each<[string, LocalRequest, number]>([
    ["aliases of aliases", create("application/yaml", bomb.join("\n")), 400],
    ["aliases of aliases to apply", patch(applyPatch, bomb.join("\n")), 400],
    ["lists in lists without end in YAML", create("application/yaml", `${"- ".repeat(100_000)}a`), 400],
    ["depth in a merge patch", patch(mergePatch, nested(300_000)), 400],
    ["depth in a strategic merge patch", patch(strategicPatch, nested(300_000)), 400],
    ["depth to apply", patch(applyPatch, nested(300_000)), 400],
    ["depth in a JSON patch", patch(jsonPatch, `${"[".repeat(300_000)}${"]".repeat(300_000)}`), 400],
    [
      "too many operations",
      patch(jsonPatch, JSON.stringify(Array(10_001).fill({ op: "test", path: "/kind", value: "ConfigMap" }))),
      413,
    ],
    [
      "copies of copies",
      patch(
        jsonPatch,
        JSON.stringify([
          { op: "add", path: "/x", value: ["a".repeat(1000)] },
          ...Array(40).fill({ op: "copy", from: "/x", path: "/x/-" }),
        ]),
      ),
      422,
    ],
    ["labels named like an object's own parts", patch(mergePatch, '{"metadata":{"labels":{"__proto__":"x"}}}'), 422],
    ["a token of another place", list({ continue: token({ v, rv: 1, start: "../../secrets/kube-system/x" }) }), 400],
    ["a token of the future", list({ continue: token({ v, rv: 1e9, start: "default/a\0" }) }), 504],
    ["a limit beyond numbers", list({ limit: "9223372036854775808" }), 400],
    ["a selector of fields without end", list({ fieldSelector: "a=b,".repeat(selectorCharactersMax / 4 + 1) }), 400],
    ["more than a token may hold", list({ continue: "A".repeat(tokenCharactersMax + 1) }), 400],
    ["a version below all", list({ resourceVersion: "-1" }), 400],
    ["a version beyond numbers", list({ resourceVersion: "18446744073709551616" }), 400],
    ["one level too many", create("application/json", `{"metadata":{"name":"n"},"x":${nested(nestingDepthMax)}}`), 400],
    ["a quantity with more digits than anybody counts", claim("9".repeat(quantityDigitsMax + 1)), 400],
    ["a quantity that is nearly one", claim(`${"0".repeat(bodyBytesMax / 2)}x`), 400],
    ["a media type that is nearly one", create(`application/json${"; ".repeat(30_000)}!`, "{}"), 415],
    [
      "YAML that is nearly a number",
      create("application/yaml", `metadata: {name: n, generation: ${"0".repeat(bodyBytesMax / 2)}x}`),
      400,
    ],
    ["more owners than a server compares", owned(20_000), 422],
    ["text that is no UTF-8", create("application/json", "\udc00"), 400],
    [
      "one key twice, if it must not be",
      { ...create("application/json", '{"metadata":{"name":"n","name":"m"}}'), query: { fieldValidation: "Strict" } },
      400,
    ],
    ["a selector of labels without sense", list({ labelSelector: `${"a".repeat(60_000)}!` }), 400],
    ["a number that no field holds", create("application/json", '{"metadata":{"name":"n","generation":1e400}}'), 400],
    ["a key with a zero byte", create("application/json", '{"metadata":{"name":"n"},"data":{"a\\u0000":"x"}}'), 422],
  ])("%s is refused", async (_, request, code) => {
    const before = await read();
    const answer = await admin.request(request);
    expect([answer.code, answer.body]).toEqual([code, expect.objectContaining({ kind: "Status", status: "Failure" })]);
    expect(await read()).toEqual(before);
  });

  it("more errors than one answer tells hears no more than that", async () => {
    const { body } = await admin.request(owned(toldErrorsMax * 2));
    const { message, details } = body as { message: string; details: { causes: unknown[] } };
    expect(details.causes.length).toBeLessThanOrEqual(toldErrorsMax);
    expect(message.length).toBeLessThan(2 * toldCharactersMax);
  });

  it("resources that are called as parts of every object are refused, not tripped over", async () => {
    const amounts = { cpu: "1", constructor: "1", hasOwnProperty: "2" };
    const containers = [{ name: "c", image: "i", resources: { requests: amounts, limits: { cpu: "1" } } }];
    for (const resources of [undefined, { requests: { cpu: "1" }, limits: { cpu: "1" } }]) {
      const body = { metadata: { name: "t" }, template: { spec: { containers, resources } } };
      const answer = await admin.request({ method: "POST", path: "/api/v1/namespaces/default/podtemplates", body });
      expect(answer.code).toBe(422);
    }
  });

  it("a token of another namespace sees only what it may see anyway", async () => {
    const page = await admin.request(list({ limit: "1" }));
    const next = (page.body as { metadata: { continue: string } }).metadata.continue;
    const path = "/api/v1/namespaces/kube-system/configmaps";
    const { code, body } = await admin.request({ method: "GET", path, query: { continue: next, limit: "5" } });
    expect(code).toBe(200);
    for (const item of (body as { items: { metadata: { namespace: string } }[] }).items)
      expect(item.metadata.namespace).toBe("kube-system");
  });
});

describe("paths", () => {
  it.each([
    "/api/v1/namespaces/default/nodes",
    "/api/v1/namespaces/default/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/clusterroles",
    "/api/v1/configmaps/victim",
    "/api/v1/secrets/victim",
  ])("%s is none: a resource has one place", async (path) => {
    expect((await admin.request({ method: "GET", path })).code).toBe(404);
  });
});
