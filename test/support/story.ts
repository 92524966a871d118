/** Tables of what a Kubernetes user asks and what a Kubernetes API server answers, in its own words. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubernetesObject } from "#api/object.ts";
import type { LocalWatchEvent } from "#apiserver/transport.ts";
import { administrator, type Part, startStoryServer, type StoryServer } from "./story-server.ts";
import { collectionPath, fill, type Names, pathOf, Step } from "./story-step.ts";

export interface Runnable {
  /** Runs after all others, whatever became of them. */
  isCleanup?: boolean;
  run(transport: Parameters<Step["run"]>[0], names: Names): Promise<void>;
}
/** A claim, and the steps that show it, in a namespace of their own. */
export type Story = readonly [claim: string, ...steps: Runnable[]];

/** An object as a user writes it: any fields. */
export type Written = KubernetesObject & Record<string, unknown>;

export const create = (object: Written, query = ""): Step =>
  new Step("POST", `${collectionPath(object)}${query}`, object);
export const update = (object: Written, query = ""): Step =>
  new Step("PUT", `${collectionPath(object)}/${object.metadata.name}${query}`, object);
export const apply = (object: Written, manager: string, query = ""): Step =>
  new Step(
    "PATCH",
    `${collectionPath(object)}/${object.metadata.name}?fieldManager=${manager}${query}`,
    object,
    "application/apply-patch+yaml",
  );
export const get = (path: string): Step => new Step("GET", path);
export const post = (path: string, body: unknown, contentType?: string): Step =>
  new Step("POST", path, body, contentType);
export const put = (path: string, body: unknown): Step => new Step("PUT", path, body);
export const remove = (path: string, options?: unknown): Step => new Step("DELETE", path, options);
export const jsonPatch = (path: string, patch: unknown): Step =>
  new Step("PATCH", path, patch, "application/json-patch+json");
export const mergePatch = (path: string, patch: unknown): Step =>
  new Step("PATCH", path, patch, "application/merge-patch+json");
export const strategicPatch = (path: string, patch: unknown): Step =>
  new Step("PATCH", path, patch, "application/strategic-merge-patch+json");

export const afterwards = (step: Step): Runnable => ({
  isCleanup: true,
  run: (transport, names) => step.run(transport, names),
});

/** A watch whose first events are these: "ADDED a". It ends when it has seen them. */
export function watch(path: string, ...events: string[]): Runnable {
  return {
    async run(transport, names) {
      const [to = "", query = ""] = fill(pathOf(path), names).split("?");
      const stop = AbortSignal.timeout(watchMs);
      const seen: string[] = [];
      const asked = Object.fromEntries(new URLSearchParams(query));
      const signal = AbortSignal.any([stop]);
      for await (const batch of transport(undefined).watch({ method: "GET", path: to, query: asked, signal })) {
        seen.push(...batch.map(eventText));
        if (seen.length >= events.length) break;
      }
      expect(seen).toEqual(events);
    },
  };
}
const watchMs = 5000;

function eventText({ type, object }: LocalWatchEvent): string {
  const { metadata, message } = object as { metadata: { name?: string }; message?: string };
  return [type, metadata.name ?? message ?? ""].join(" ").trimEnd();
}

/** One server for the stories of a file. */
export function storyServer(...parts: Part[]): (theme: string, table: readonly Story[]) => void {
  let server: StoryServer;
  beforeAll(async () => {
    server = await startStoryServer(parts);
  });
  afterAll(() => server.close());
  return (theme, table) =>
    describe(theme, () => {
      it.each(table)("%s", async (_claim, ...steps) => {
        const names: Names = new Map([["ns", await server.newNamespace()]]);
        const run = async (isCleanup: boolean) => {
          for (const step of steps as Runnable[])
            if ((step.isCleanup === true) === isCleanup)
              await step.run((user) => server.as(user ?? administrator), names);
        };
        try {
          await run(false);
        } finally {
          await run(true);
        }
      });
    });
}
