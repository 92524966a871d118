/** The node's own resolver settings, read again when the file changed. */
import { readFile, stat } from "node:fs/promises";
import { parseResolvConf, type DnsSettings } from "./pod-dns.ts";

export class HostResolver {
  readonly #path: string;
  #stamp = "";
  #settings: DnsSettings = { servers: [], searches: [], options: [] };

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<DnsSettings> {
    const stats = await stat(this.#path).catch(() => undefined);
    const stamp = `${stats?.mtimeMs ?? 0} ${stats?.size ?? 0}`;
    if (stamp !== this.#stamp) {
      this.#settings = parseResolvConf(await readFile(this.#path, "utf8").catch(() => ""));
      this.#stamp = stamp;
    }
    return this.#settings;
  }
}
