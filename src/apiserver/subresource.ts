/** Subresources and collections that are no stored objects: one file each in subresources/, registered by address. */
import type { Answer } from "./answer.ts";
import type { ServedResource } from "./catalogue.ts";
import type { Form } from "./http/negotiate.ts";
import type { Services } from "./operation.ts";
import type { RequestInfo } from "./request-info.ts";
import type { ServerRequest, User } from "./request.ts";

/** A request to something that is no stored object; `resource` is the object's resource, where there is one. */
export interface SpecialRequest {
  readonly services: Services;
  readonly request: ServerRequest;
  readonly info: RequestInfo;
  readonly user: User;
  readonly resource: ServedResource | undefined;
  readonly form: Form;
  readonly now: number;
  readonly warnings: string[];
}

export interface SpecialHandler {
  /** HTTP methods that it serves; others get a 405. */
  readonly methods: readonly string[];
  /** What a request that connects to something asks for: PodExecOptions and the like, as admission sees them. */
  connectOptions?(special: SpecialRequest): object;
  handle(special: SpecialRequest): Promise<Answer>;
}

/** How discovery shows a collection that is no stored resource. */
export interface VirtualResource extends SpecialHandler {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
}

/** Handlers by "group/plural/subresource" of the stored version. */
export type SubresourceHandlers = ReadonlyMap<string, SpecialHandler>;
