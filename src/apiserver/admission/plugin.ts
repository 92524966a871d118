/**
 * Admission: after authorization and before anything is written, plugins may change an object (mutate), then refuse it
 * (validate). One plugin a file; chain.ts lists them in upstream's order. A plugin never writes to the store.
 */
import type { KubernetesObject } from "#api/object.ts";
import type { ServedResource } from "#apiserver/catalogue.ts";
import type { Services } from "#apiserver/operation.ts";
import type { User } from "#apiserver/request.ts";
import type { Write } from "#store/store.ts";
import { withReinvocation } from "./reinvocation.ts";

export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  /** As authorizers know it: a patch updates. */
  readonly verb?: string;
  readonly resource: ServedResource;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** What is to be written, in its stored version; plugins change it in place. Absent on DELETE and CONNECT. */
  readonly object?: KubernetesObject;
  /** What is there now: read-only. */
  readonly old?: KubernetesObject;
  /** What came in the body of a subresource that takes another kind (an Eviction, a Binding, a TokenRequest). */
  readonly options?: KubernetesObject;
  /** How the object looks at an endpoint that shows it as another kind (scale). */
  readonly form?: {
    of(object: KubernetesObject): KubernetesObject;
    /** The object after its form was changed. */
    into(form: KubernetesObject, object: KubernetesObject): KubernetesObject;
  };
  /** CreateOptions, UpdateOptions or DeleteOptions, as they were sent. */
  readonly operationOptions?: object;
  readonly user: User;
  readonly dryRun: boolean;
  readonly now: number;
  readonly warnings: string[];
  readonly services: Services;
  /** What validation wants written in the same transaction as the object. Empty again before validation runs again. */
  readonly writes: Write[];
  /** What is to be called once the object is written, or will not be. */
  readonly settle: (() => void)[];
}

export interface AdmissionPlugin {
  readonly name: string;
  /** Changes `request.object`; throws StatusError to refuse. */
  mutate?(request: AdmissionRequest): void | Promise<void>;
  /** Throws StatusError to refuse. */
  validate?(request: AdmissionRequest): void | Promise<void>;
}

export interface Admission {
  mutate(request: AdmissionRequest): Promise<void>;
  validate(request: AdmissionRequest): Promise<void>;
}

export function admissionChain(plugins: readonly AdmissionPlugin[]): Admission {
  const mutating = plugins.filter(({ mutate }) => mutate !== undefined);
  const validating = plugins.filter(({ validate }) => validate !== undefined);
  return {
    mutate: (request) =>
      withReinvocation(request, async () => {
        for (const plugin of mutating) {
          const pending = plugin.mutate!(request);
          if (pending !== undefined) await pending;
        }
      }),
    async validate(request) {
      for (const plugin of validating) {
        const pending = plugin.validate!(request);
        if (pending !== undefined) await pending;
      }
    },
  };
}

/** Nobody is asked. */
export const noAdmission: Admission = admissionChain([]);

/** Validates, then writes; what validation holds meanwhile is let go in any case. */
export async function validated<T>(
  admission: Admission,
  request: AdmissionRequest,
  write: (more: readonly Write[]) => Promise<T>,
): Promise<T> {
  request.writes.length = 0;
  try {
    await admission.validate(request);
    return await write(request.writes);
  } finally {
    for (const settle of request.settle.splice(0)) settle();
  }
}

/** "pods" in group "", and so on: whether a request is about this resource (and this subresource). */
export function isFor(request: AdmissionRequest, group: string, plural: string, subresource = ""): boolean {
  const { resource } = request;
  return resource.definition.group === group && resource.plural === plural && request.subresource === subresource;
}
