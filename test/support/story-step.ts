/**
 * One request of a story and what is expected of its answer. `{ns}` and names that an earlier step saved are put in
 * everywhere: in paths, bodies and texts.
 */
import { expect } from "vitest";
import { allDefinitions } from "#api/all.ts";
import { apiVersionOf, type KubernetesObject } from "#api/object.ts";
import type { ResourceDefinition } from "#api/resource.ts";
import type { User } from "#apiserver/request.ts";
import type { LocalRequest, LocalResponse, LocalTransport } from "#apiserver/transport.ts";

export type Names = Map<string, string>;
type Method = LocalRequest["method"];
type Shape = Record<string, unknown>;

const eventuallyMs = 10_000;
const pollMs = 15;

/** "configmaps/a?dryRun=All" or, from "/" on, a path as it is. */
export function pathOf(short: string): string {
  if (short.startsWith("/")) return short;
  const [plural = "", ...rest] = short.split(/(?=[/?])/);
  const definition = allDefinitions.find((one) => one.plural === plural);
  if (definition === undefined) throw new Error(`no kind has the plural ${plural}`);
  return `${collectionOf(definition)}${rest.join("")}`;
}

function collectionOf(definition: ResourceDefinition, apiVersion = apiVersionOf(definition)): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}${definition.scope === "Namespaced" ? "/namespaces/{ns}" : ""}/${definition.plural}`;
}

function definitionOf({ kind, apiVersion }: Pick<KubernetesObject, "kind" | "apiVersion">): ResourceDefinition {
  const group = apiVersion?.includes("/") ? apiVersion.split("/")[0] : "";
  const definition = allDefinitions.find((one) => one.kind === kind && one.group === group);
  if (definition === undefined) throw new Error(`no kind ${apiVersion} ${kind}`);
  return definition;
}

export const collectionPath = (object: KubernetesObject): string =>
  collectionOf(definitionOf(object), object.apiVersion);

export class Step {
  readonly #method: Method;
  readonly #path: string;
  readonly #body: unknown;
  readonly #contentType: string | undefined;
  #code: number;
  #text: string | undefined;
  #warnings: readonly string[] = [];
  #checks: ((body: Shape, names: Names) => void)[] = [];
  #saves: [name: string, path: string][] = [];
  #user: User | undefined;
  #accept: string | undefined;
  #isEventual = false;

  constructor(method: Method, path: string, body?: unknown, contentType?: string) {
    this.#method = method;
    this.#path = path;
    this.#body = body;
    this.#contentType = contentType;
    this.#code = method === "POST" ? 201 : 200;
  }

  /** The code, and the whole message of the Status (or of a plain text). */
  answers(code: number, text?: string): this {
    this.#code = code;
    this.#text = text;
    return this;
  }

  /** 422, with the text after `Kind.group "name" is invalid: `. */
  isInvalid(text: string): this {
    const object = this.#body as KubernetesObject;
    const { kind, group } = definitionOf(object);
    const prefix = `${kind}${group === "" ? "" : `.${group}`} "${object.metadata.name ?? ""}" is invalid: `;
    return this.answers(422, prefix + text);
  }

  /** The warnings of the answer, all of them. */
  warns(...texts: string[]): this {
    this.#warnings = texts;
    return this;
  }

  /** Fields that the answer has; lists have just these elements. */
  shows(fields: Shape): this {
    this.#checks.push((body, names) => expect(body).toMatchObject(fill(fields, names)));
    return this;
  }

  /** What stands at a path is this and no more. */
  has(path: string, value: unknown): this {
    this.#checks.push((body, names) => expect(read(body, path)).toEqual(fill(value, names)));
    return this;
  }

  lacks(...paths: string[]): this {
    for (const path of paths) this.#checks.push((body) => expect(read(body, path), path).toBeUndefined());
    return this;
  }

  /** The names of a list's items, in order. */
  lists(...names: string[]): this {
    this.#checks.push((body) =>
      expect((body["items"] as KubernetesObject[]).map(({ metadata }) => metadata.name)).toEqual(names),
    );
    return this;
  }

  /** One of the conditions of the status, by type. */
  hasCondition(type: string, fields: Shape): this {
    this.#checks.push((body, names) => {
      const { conditions = [] } = body["status"] as { conditions?: Shape[] };
      expect(conditions.find((one) => one["type"] === type)).toMatchObject(fill(fields, names));
    });
    return this;
  }

  meets(check: (body: Shape) => void): this {
    this.#checks.push(check);
    return this;
  }

  /** Keeps a value of the answer for later steps, which write {name}. */
  saves(name: string, path: string): this {
    this.#saves.push([name, path]);
    return this;
  }

  as(name: string, ...groups: string[]): this {
    this.#user = { name, groups: [...groups, "system:authenticated"] };
    return this;
  }

  accepting(type: string): this {
    this.#accept = type;
    return this;
  }

  /** Asks again until the answer is as expected. */
  eventually(): this {
    this.#isEventual = true;
    return this;
  }

  async run(transport: (user: User | undefined) => LocalTransport, names: Names): Promise<void> {
    const user = fill(this.#user, names);
    const ask = async () => this.#check(await transport(user).request(this.#request(names)), names);
    if (this.#isEventual) await expect.poll(ask, { timeout: eventuallyMs, interval: pollMs }).toBe(true);
    else await ask();
  }

  #request(names: Names): LocalRequest {
    const [path = "", query = ""] = fill(pathOf(this.#path), names).split("?");
    const values = new Map<string, string[]>();
    for (const [name, value] of new URLSearchParams(query)) values.set(name, [...(values.get(name) ?? []), value]);
    // Text, so that it is decoded as what comes over the wire is.
    const body = typeof this.#body === "string" ? this.#body : JSON.stringify(this.#body);
    return {
      method: this.#method,
      path,
      query: Object.fromEntries(values),
      ...(body === undefined ? {} : { body: fill(body, names) }),
      ...(this.#contentType === undefined ? {} : { contentType: this.#contentType }),
      ...(this.#accept === undefined ? {} : { accept: this.#accept }),
    };
  }

  #check(response: LocalResponse, names: Names): true {
    const body = response.body as Shape;
    const text = typeof response.body === "string" ? response.body : (body["message"] as string | undefined);
    const asked = `${this.#method} ${this.#path}`;
    expect({ asked, code: response.code, text: this.#text === undefined ? textOfFailure(body) : text }).toEqual({
      asked,
      code: this.#code,
      text: this.#text === undefined ? (this.#code < 400 ? undefined : textOfFailure(body)) : fill(this.#text, names),
    });
    expect(response.warnings ?? [], `warnings of ${asked}`).toEqual(fill(this.#warnings, names));
    for (const check of this.#checks) check(body, names);
    for (const [name, path] of this.#saves) names.set(name, String(read(body, path)));
    return true;
  }
}

function textOfFailure(body: unknown): unknown {
  const { kind, status, message } = (body ?? {}) as Record<string, unknown>;
  return kind === "Status" && status === "Failure" ? message : undefined;
}

/** Puts {name}s into every text of a value. */
export function fill<T>(value: T, names: Names): T {
  if (typeof value === "string")
    return value.replaceAll(/\{([a-z]+)\}/gi, (whole, name: string) => names.get(name) ?? whole) as T;
  if (value === null || typeof value !== "object") return value;
  if (typeof (value as { asymmetricMatch?: unknown }).asymmetricMatch === "function") return value;
  if (Array.isArray(value)) return value.map((one: unknown) => fill(one, names)) as T;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [fill(key, names), fill(one as unknown, names)]),
  ) as T;
}

/** "spec.ports.0.nodePort"; a name with dots stands in brackets: "metadata.labels.[a.io/b]". */
function read(value: unknown, path: string): unknown {
  const parts = path.match(/\[[^\]]*\]|[^.]+/g) ?? [];
  return parts.reduce<unknown>(
    (at, part) => (at as Record<string, unknown> | undefined | null)?.[part.replace(/^\[|\]$/g, "")],
    value,
  );
}
