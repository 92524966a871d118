import { describe, expect, test } from "vitest";
import { silentLogger } from "#lib/log.ts";
import { MemoryApi } from "#test/support/memory-api.ts";
import { Client } from "./client.ts";
import { runWithLeaderElection } from "./leader-election.ts";

interface Candidate {
  stop: AbortController;
  done: Promise<void>;
}

/** Candidates that note when they begin and end to lead. */
function race(api: MemoryApi) {
  const story: string[] = [];
  let heard = (): void => {};
  const told = (text: string): void => {
    story.push(text);
    heard();
  };
  const start = (identity: string): Candidate => {
    const stop = new AbortController();
    const done = runWithLeaderElection({
      client: new Client(api),
      log: silentLogger,
      namespace: "kube-system",
      name: "lease",
      identity,
      signal: stop.signal,
      leaseDurationMs: 1_000,
      renewDeadlineMs: 20,
      retryPeriodMs: 2,
      random: { next: () => 0 },
      lead: (signal) =>
        new Promise((resolve) => {
          told(`${identity} leads`);
          const end = (): void => {
            told(`${identity} ends`);
            resolve();
          };
          if (signal.aborted) end();
          else signal.addEventListener("abort", end, { once: true });
        }),
    });
    return { stop, done };
  };
  const until = async (text: string): Promise<void> => {
    while (!story.includes(text)) await new Promise<void>((resolve) => (heard = resolve));
  };
  return { story, start, until };
}

describe("leader election", () => {
  test("one leads at a time, and the next begins when it gives the lease back", async () => {
    const { story, start, until } = race(new MemoryApi());
    const first = start("first");
    await until("first leads");
    const second = start("second");
    first.stop.abort();
    await first.done;
    await until("second leads");
    second.stop.abort();
    await second.done;
    expect(story).toEqual(["first leads", "first ends", "second leads", "second ends"]);
  });

  test("who cannot renew stops leading", async () => {
    const api = new MemoryApi();
    const { story, start, until } = race(api);
    const only = start("only");
    await until("only leads");
    api.refuse(({ method }) => method === "PUT", 500, "InternalError");
    await until("only ends");
    only.stop.abort();
    await only.done;
    expect(story.slice(0, 2)).toEqual(["only leads", "only ends"]);
  });
});
