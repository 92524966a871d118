/**
 * Keeps an API service for every group and version that this server serves itself. Ones that a user has taken over (whose
 * label is gone) stay as they are. Upstream: kube-aggregator/pkg/controllers/autoregister, crdregistration.
 */
import type { Logger } from "#lib/log.ts";
import type { Status } from "#api/status-error.ts";
import type { ResourceCache } from "#apiserver/cache/resource-cache.ts";
import { isEqual } from "#apiserver/resource/metadata.ts";
import type { LocalTransport } from "#apiserver/transport.ts";
import { type ApiService, managedLabel } from "./priorities.ts";

const path = "/apis/apiregistration.k8s.io/v1/apiservices";
const retryMs = 1000;

export interface RegistrationParts {
  services: ResourceCache;
  transport: Pick<LocalTransport, "request">;
  log: Logger;
  /** What must be there now, by name. */
  wanted(): ReadonlyMap<string, ApiService>;
}

export type RegistrationChange =
  | { type: "create"; service: ApiService }
  | { type: "update"; service: ApiService }
  | { type: "delete"; name: string };

/** What has to happen so that what is wished is there. */
export function registrationChanges(
  wished: ReadonlyMap<string, ApiService>,
  live: readonly ApiService[],
): RegistrationChange[] {
  const changes: RegistrationChange[] = [];
  const present = new Set<string>();
  for (const service of live) {
    const name = service.metadata.name ?? "";
    present.add(name);
    const managed = service.metadata.labels?.[managedLabel];
    const wanted = wished.get(name);
    if (managed !== "true" && managed !== "onstart") continue;
    if (wanted === undefined) changes.push({ type: "delete", name });
    else if (!isEqual(wanted.spec, service.spec))
      changes.push({ type: "update", service: { ...service, spec: wanted.spec! } });
  }
  for (const [name, service] of wished) if (!present.has(name)) changes.push({ type: "create", service });
  return changes;
}

export class Registration {
  readonly #parts: RegistrationParts;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
  }

  /** Resolves when what was wished at the time is there. */
  settle(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#settleOnce()
      .catch((error: unknown) => {
        this.#parts.log.warn("API services could not be registered", { error: error as Error });
        if (this.#isStopped) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.settle(), retryMs);
        this.#timer.unref();
      })
      .finally(() => {
        this.#running = undefined;
        if (!this.#again || this.#isStopped) return;
        this.#again = false;
        void this.settle();
      });
    return this.#running;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #settleOnce(): Promise<void> {
    const live = [...this.#parts.services.entries.range("")].map(({ object }) => object as ApiService);
    await Promise.all(registrationChanges(this.#parts.wanted(), live).map((change) => this.#carryOut(change)));
  }

  async #carryOut(change: RegistrationChange): Promise<void> {
    const { transport } = this.#parts;
    const answer =
      change.type === "create"
        ? await transport.request({ method: "POST", path, body: change.service })
        : change.type === "delete"
          ? await transport.request({ method: "DELETE", path: `${path}/${change.name}` })
          : await transport.request({
              method: "PUT",
              path: `${path}/${change.service.metadata.name ?? ""}`,
              body: change.service,
            });
    // Someone else was faster: a newer state is on its way here.
    if (answer.code >= 300 && answer.code !== 409 && answer.code !== 404)
      throw new Error((answer.body as Status).message);
  }
}
