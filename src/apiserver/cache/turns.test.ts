import { describe, expect, it } from "vitest";
import { Turns } from "./turns.ts";

describe("Turns", () => {
  it("lets one at a time in, in order, and each key by itself", async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const work = async (key: string, name: string) => {
      const leave = await turns.enter(key);
      seen.push(`${name} in`);
      await Promise.resolve();
      await Promise.resolve();
      seen.push(`${name} out`);
      leave();
    };
    await Promise.all([work("a", "1"), work("a", "2"), work("a", "3")]);
    expect(seen).toEqual(["1 in", "1 out", "2 in", "2 out", "3 in", "3 out"]);
    const leaveFirst = await turns.enter("a");
    const leaveOther = await turns.enter("b");
    expect(turns.size).toBe(2);
    leaveFirst();
    leaveOther();
    expect(turns.size).toBe(0);
  });
});
