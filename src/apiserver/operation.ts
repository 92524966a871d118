/** One request on its way through the server: who, what, when, and what is to be told besides the answer. */
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { Random } from "#lib/random.ts";
import type { RequestContext } from "#api/resource.ts";
import type { Store } from "#store/store.ts";
import type { Admission } from "./admission/plugin.ts";
import type { Authorizer } from "./authz/authorizer.ts";
import type { ClusterCache } from "./cache/cluster-cache.ts";
import type { Catalogue, ServedResource } from "./catalogue.ts";
import type { Form } from "./http/negotiate.ts";
import type { RequestInfo } from "./request-info.ts";
import type { ServerRequest, User } from "./request.ts";
import type { ResourceHooks } from "./resource/hooks.ts";

/** What every operation may use. */
export interface Services {
  readonly store: Store;
  readonly cache: ClusterCache;
  readonly catalogue: Catalogue;
  readonly admission: Admission;
  readonly authorizer: Authorizer;
  readonly hooks: ResourceHooks;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export interface Operation {
  readonly services: Services;
  readonly request: ServerRequest;
  readonly info: RequestInfo;
  readonly user: User;
  readonly resource: ServedResource;
  readonly form: Form;
  /** Milliseconds since the epoch, read once. */
  readonly now: number;
  readonly dryRun: boolean;
  readonly context: RequestContext;
  /** Texts for Warning headers, in order. */
  readonly warnings: string[];
  /** What the body turned out to hold: lists and maps that are there and empty (resource/empties.ts). */
  readonly sent: { holdsEmpties: boolean };
}
