/** A request as the API server sees it, however it came: over HTTP, or from a part in the same process. */
import type { Duplex } from "node:stream";

export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Go's url.Query leaves out what holds a semicolon or half an escape. */
const malformed = /;|%(?![\da-f]{2})/i;

/** Query parameters; the first value of a name is the one that counts, as upstream has it. */
export class Query {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  static readonly empty = new Query(new Map());

  static parse(text: string): Query {
    if (text === "") return Query.empty;
    const values = new Map<string, string[]>();
    const sound = malformed.test(text) ? text.split("&").filter((pair) => !malformed.test(pair)) : [text];
    for (const [name, value] of new URLSearchParams(sound.join("&"))) {
      const list = values.get(name);
      if (list === undefined) values.set(name, [value]);
      else list.push(value);
    }
    return new Query(values);
  }

  static of(record: Readonly<Record<string, string | readonly string[]>> = {}): Query {
    return new Query(
      new Map(Object.entries(record).map(([name, value]) => [name, typeof value === "string" ? [value] : value])),
    );
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  get(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Upstream's Convert_Slice_string_To_bool: present means true, save "false" and "0" (any case). */
  flag(name: string): boolean | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : value !== "0" && value.toLowerCase() !== "false";
  }

  toString(): string {
    const parameters = new URLSearchParams();
    for (const [name, values] of this.#values) for (const value of values) parameters.append(name, value);
    return parameters.toString();
  }
}

/** The connection under a request that asked to become something else (exec, port-forward, proxied upgrades). */
export interface UpgradableConnection {
  socket: Duplex;
  /** Bytes that came after the request's head. */
  head: Buffer;
}

export interface ServerRequest {
  readonly method: string;
  /** As it came, percent-encoded, without query. */
  readonly path: string;
  readonly query: Query;
  /** The raw query text, for proxies. */
  readonly rawQuery: string;
  header(name: string): string | undefined;
  /** All headers, names in lower case, for proxies. */
  headers(): Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Names and values in turn, as they came: equal names are not joined. None from this process. */
  readonly rawHeaders?: readonly string[];
  /** The whole body; rejects with a 413 beyond the limit. Empty when there is none. */
  body(bodyBytesMax?: number): Promise<Buffer>;
  /** The body of a request from this process: an object, never changed. */
  readonly bodyObject?: unknown;
  /** The body as it arrives, for proxies; undefined in process. */
  bodyStream?(): AsyncIterable<Uint8Array>;
  /** Who asks, where the way in already knows it: parts in this process. Else authentication finds out. */
  readonly user?: User;
  readonly clientCertificate?: ClientCertificate | undefined;
  /** The connection showed a certificate that proves nothing. */
  readonly hasBadCertificate?: boolean;
  readonly upgrade?: UpgradableConnection | undefined;
  readonly remoteAddress?: string | undefined;
  /** Fires when the client is gone or its time is up. */
  readonly signal: AbortSignal;
}

/** A certificate that the connection proved, and that one of our CAs signed. */
export interface ClientCertificate {
  /** Of front proxies: it proves only that the client speaks for others. */
  readonly authority: "clients" | "front-proxies";
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly fingerprint: string;
  readonly uid?: string;
}
