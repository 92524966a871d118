import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clusterOf } from "./cluster-of.ts";
import type { ClusterEventName } from "./cluster-event.ts";
import { hollowPod, type HollowPod } from "./hollow.ts";
import { podInfoOf } from "./pod-info.ts";
import { definePlugin } from "./plugin.ts";
import { restCutShortMax, SchedulingQueue, waitingMsMax } from "./queue.ts";

const gate = definePlugin({
  name: "Gate",
  retryWhen: ["own-change"],
  holds: ({ labels }) => ("gated" in labels ? "gated" : undefined),
});
const fit = definePlugin({ name: "Fit", retryWhen: ["pod-removed"] });
const zone = definePlugin({
  name: "Zone",
  retryWhen: ["node-added"],
  helps: ({ object }) => object?.metadata.name !== "useless",
});

function queueWith(now = { at: 1_000_000 }) {
  const queue = new SchedulingQueue({ now: () => now.at }, [gate, fit, zone], clusterOf([]));
  const put = (name: string, options: HollowPod = {}, isChanged = false) =>
    queue.put(podInfoOf(hollowPod(name, options)), isChanged);
  const popped = () => {
    const names: string[] = [];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) names.push(next.info.name);
    return names;
  };
  const happen = (name: ClusterEventName, objectName = "") =>
    queue.happened({ name, object: { metadata: { name: objectName } } });
  return { queue, put, popped, happen, now };
}

describe("scheduling queue", () => {
  it("gives higher priorities first, then the older", () => {
    const { put, popped } = queueWith();
    put("a");
    put("b", { priority: 5 });
    put("c");
    put("d", { priority: 5 });
    expect(popped()).toEqual(["b", "d", "a", "c"]);
  });

  it("a refused pod waits for an event that a refusing plugin asked for", () => {
    const { queue, put, popped, happen } = queueWith();
    put("a");
    const taken = queue.pop();
    expect(popped()).toEqual([]);
    if (taken !== undefined) queue.refuse(taken, new Set(["Fit"]));
    for (const event of ["node-added", "pod-added", "own-change"] as const) {
      happen(event);
      expect(popped()).toEqual([]);
    }
    happen("pod-removed");
    expect(popped()).toEqual(["a"]);
  });

  it("a plugin may say that an event is of no use", () => {
    const { queue, put, popped, happen } = queueWith();
    put("a");
    const taken = queue.pop();
    if (taken !== undefined) queue.refuse(taken, new Set(["Zone"]));
    happen("node-added", "useless");
    expect(popped()).toEqual([]);
    happen("node-added", "useful");
    expect(popped()).toEqual(["a"]);
  });

  it("a pod that rests is not kept waiting when there is nothing else to do, but comes last", () => {
    const { queue, put, happen } = queueWith();
    put("a", { priority: 9 });
    const taken = queue.pop();
    if (taken !== undefined) queue.refuse(taken, new Set(["Fit"]));
    put("b");
    happen("pod-removed");
    expect(queue.pop()?.info.name).toBe("b");
    expect(queue.pop()?.info.name).toBe("a");
  });

  it("when many pods rest, each rests for its whole time", () => {
    const { queue, put, popped, happen, now } = queueWith();
    for (let at = 0; at <= restCutShortMax; at++) put(`p${at}`);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) queue.refuse(next, new Set(["Fit"]));
    happen("pod-removed");
    expect(popped()).toEqual([]);
    expect(queue.nextAt).toBe(now.at + 1000);
    now.at += 1000;
    expect(popped()).toHaveLength(restCutShortMax + 1);
  });

  it("a pod that failed rests for a time that doubles up to a limit", () => {
    const { queue, put, now } = queueWith();
    put("a");
    const waits: number[] = [];
    for (let round = 0; round < 6; round++) {
      const taken = queue.pop();
      if (taken !== undefined) queue.fail(taken);
      expect(queue.pop()).toBeUndefined();
      waits.push((queue.nextAt ?? 0) - now.at);
      now.at = queue.nextAt ?? 0;
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it("a held pod is not tried until a change of its own lets go of it", () => {
    const { put, popped, happen } = queueWith();
    put("a", { labels: { gated: "" } });
    happen("pod-removed");
    happen("own-change");
    expect(popped()).toEqual([]);
    put("a", { labels: { gated: "" }, priority: 1 }, true);
    expect(popped()).toEqual([]);
    put("a", {}, true);
    expect(popped()).toEqual(["a"]);
  });

  it("whoever waited for long is tried again", () => {
    const { queue, put, popped, now } = queueWith();
    put("a");
    const taken = queue.pop();
    if (taken !== undefined) queue.refuse(taken, new Set(["Fit"]));
    queue.timePassed();
    expect(popped()).toEqual([]);
    now.at += waitingMsMax + 1;
    queue.timePassed();
    expect(popped()).toEqual(["a"]);
  });

  it("no pod is lost or given twice, whatever happens", () => {
    const steps = fc.array(
      fc.tuple(fc.constantFrom("put", "remove", "pop", "refuse", "fail", "happen", "wait"), fc.nat(5)),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (list) => {
        const { queue, put, happen, now } = queueWith();
        const known = new Set<string>();
        const taken = new Map<string, NonNullable<ReturnType<typeof queue.pop>>>();
        for (const [step, at] of list) {
          const name = `p${at}`;
          if (step === "put") {
            put(name, { priority: at % 3 }, at % 2 === 0);
            known.add(name);
          } else if (step === "remove") {
            queue.remove(`uid-${name}`);
            known.delete(name);
            taken.delete(name);
          } else if (step === "pop") {
            const next = queue.pop();
            if (next === undefined) continue;
            expect(taken.has(next.info.name)).toBe(false);
            expect(known.has(next.info.name)).toBe(true);
            taken.set(next.info.name, next);
          } else if (step === "happen") happen("pod-removed");
          else if (step === "wait") now.at += 20_000;
          else {
            const one = taken.get(name);
            if (one === undefined) continue;
            taken.delete(name);
            if (step === "refuse") queue.refuse(one, new Set(["Fit"]));
            else queue.fail(one);
          }
        }
        for (const one of taken.values()) queue.refuse(one, new Set(["Fit"]));
        happen("pod-removed");
        now.at += 20_000;
        const left = new Set<string>();
        for (let next = queue.pop(); next !== undefined; next = queue.pop()) left.add(next.info.name);
        expect(left).toEqual(known);
      }),
      { numRuns: 300 },
    );
  });
});
