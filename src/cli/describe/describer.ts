/** What describes one kind: writes an object, and what belongs to it, for people. */
import type { KubernetesObject } from "#api/object.ts";
import type { DiscoveredResource } from "#client/discovery.ts";
import type { Session } from "#cli/session.ts";
import type { Writer } from "./writer.ts";

export interface DescribeContext {
  session: Session;
  writer: Writer;
  resource: DiscoveredResource;
  showEvents: boolean;
  now: number;
}

export type Describer = (object: KubernetesObject, context: DescribeContext) => Promise<void> | void;

/** A describer of one kind's type; the table of kinds.ts sees to it that it gets no other. */
export const describer = <T extends KubernetesObject>(
  describe: (object: T, context: DescribeContext) => Promise<void> | void,
): Describer => describe as Describer;
