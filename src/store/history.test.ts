import { expect, it } from "vitest";
import { History, historyBytesMax, historyEventsMax } from "./history.ts";
import type { StoreEvent } from "./store.ts";

const event = (revision: number, bytes = 0): StoreEvent => ({
  type: "put",
  key: "/k",
  revision,
  value: new Uint8Array(bytes),
  previous: undefined,
  createRevision: revision,
});
const add = (history: History, revision: number, events = [event(revision)]) => history.add({ revision, events });
const revisions = (history: History, after: number) => history.after(after)?.map(({ revision }) => revision);

it("history: gives what follows a revision, and nothing if that is no longer whole", () => {
  const history = new History();
  expect(history.after(1)).toBeUndefined();
  for (let revision = 5; revision <= 8; revision++) add(history, revision);
  expect(revisions(history, 4)).toEqual([5, 6, 7, 8]);
  expect(revisions(history, 7)).toEqual([8]);
  expect(revisions(history, 8)).toEqual([]);
  expect(history.after(3)).toBeUndefined();
});

it("history: forgets the oldest beyond its limits of events and of bytes, never the newest", () => {
  const history = new History();
  for (let revision = 1; revision <= historyEventsMax + 10; revision++) add(history, revision);
  expect(history.after(9)).toBeUndefined();
  expect(history.after(10)).toHaveLength(historyEventsMax);
  const large = new History();
  for (let revision = 1; revision <= 5; revision++) add(large, revision, [event(revision, historyBytesMax / 2)]);
  expect(revisions(large, 3)).toEqual([4, 5]);
  expect(large.after(2)).toBeUndefined();
  add(large, 6, [event(6, historyBytesMax + 1)]);
  expect(revisions(large, 5)).toEqual([6]);
});
