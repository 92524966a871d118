import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assignSlots } from "./service-layout.ts";
import type { Frontend, ServicePlan } from "./service-plan.ts";
import { ServiceTable } from "./service-table.ts";

const frontend = (key: string, targets: string[], more: Partial<Frontend> = {}): Frontend => ({
  family: "ip",
  kind: "cluster",
  key,
  targets,
  ...(targets.length === 0 ? { otherwise: "reject" } : {}),
  ...more,
});
const plan = (name: string, frontends: Frontend[], age = name): ServicePlan => ({
  name,
  age,
  frontends,
  clusterIps: [],
  localIps: [],
});
const key = "10.43.0.1 . tcp . 80";
const mapOf = (table: ServiceTable, set: string): object =>
  Object.fromEntries(table.contents().elements.get(set) ?? []);

describe("slots", () => {
  const lists = fc.uniqueArray(fc.constantFrom<string[]>("a", "b", "c", "d", "e", "f"));

  test("hold exactly the wanted targets, and those that stay below the new length keep their number", () => {
    fc.assert(
      fc.property(lists, lists, (previous, wanted) => {
        const slots = assignSlots(previous, wanted);
        expect(slots.toSorted()).toEqual(wanted.toSorted());
        for (const [index, target] of slots.entries())
          if (previous.includes(target) && previous.indexOf(target) < slots.length)
            expect(index).toBe(previous.indexOf(target));
      }),
    );
  });

  test("a change of one target moves at most one other", () => {
    expect(assignSlots(["a", "b", "c", "d"], ["a", "c", "d"])).toEqual(["a", "d", "c"]);
    expect(assignSlots(["a", "b"], ["a", "b", "c"])).toEqual(["a", "b", "c"]);
    expect(assignSlots(["a", "b"], ["b", "c"])).toEqual(["c", "b"]);
  });
});

describe("the table of Services", () => {
  test("one Service's change is a change of its own elements only", () => {
    const table = new ServiceTable("ip");
    table.set("d/a", plan("d/a", [frontend(key, ["10.0.0.1 . 1", "10.0.0.2 . 1"])]));
    table.set("d/b", plan("d/b", [frontend("10.43.0.2 . tcp . 80", ["10.0.0.9 . 1"])]));
    table.takeChanges();
    table.set("d/a", plan("d/a", [frontend(key, ["10.0.0.2 . 1", "10.0.0.3 . 1"])]));
    const changes = table.takeChanges();
    expect([...changes.addChains]).toEqual([]);
    expect([...changes.deleteElements]).toEqual([["endpoints-tcp", new Map([[`${key} . 0`, "10.0.0.1 . 1"]])]]);
    expect([...changes.addElements]).toEqual([["endpoints-tcp", new Map([[`${key} . 0`, "10.0.0.3 . 1"]])]]);
  });

  test("the same plan again changes nothing", () => {
    const table = new ServiceTable("ip");
    const same = plan("d/a", [frontend(key, ["10.0.0.1 . 1"])]);
    table.set("d/a", same);
    table.takeChanges();
    table.set("d/a", same);
    const { addChains, addElements, deleteElements } = table.takeChanges();
    expect([addChains.size, addElements.size, deleteElements.size]).toEqual([0, 0, 0]);
  });

  test("Services share a chain for each number of endpoints", () => {
    const table = new ServiceTable("ip");
    for (let index = 1; index < 50; index++) {
      const one = frontend(`10.43.0.${index} . tcp . 80`, [`10.0.0.${index} . 1`, `10.0.1.${index} . 1`]);
      table.set(`d/${index}`, plan(`d/${index}`, [one]));
    }
    expect([...table.contents().chains.keys()]).toEqual(["to-2", "cluster-to-2"]);
  });

  test("of two claims on a frontend a cluster address wins, then the older Service; the other comes up when it goes", () => {
    const table = new ServiceTable("ip");
    const external = (target: string): Frontend => frontend(key, [target], { kind: "external" });
    table.set("d/late", plan("d/late", [external("10.0.0.3 . 1")], "2026"));
    table.set("d/early", plan("d/early", [external("10.0.0.2 . 1")], "2025"));
    expect(table.targetsOf(key)).toEqual(["10.0.0.2 . 1"]);
    table.set("d/own", plan("d/own", [frontend(key, ["10.0.0.1 . 1"])], "2027"));
    expect(table.targetsOf(key)).toEqual(["10.0.0.1 . 1"]);
    expect(mapOf(table, "services")).toEqual({ [key]: "goto cluster-to-1" });
    table.set("d/own", undefined);
    table.set("d/early", undefined);
    expect(table.targetsOf(key)).toEqual(["10.0.0.3 . 1"]);
    table.set("d/late", undefined);
    expect(table.targetsOf(key)).toBeUndefined();
    expect(mapOf(table, "endpoints-tcp")).toEqual({});
  });

  test("shared elements stay for as long as somebody wants them", () => {
    const table = new ServiceTable("ip");
    const both = { ...plan("d/a", []), localIps: ["10.0.0.1"], clusterIps: ["10.43.0.1", "fd00::1"] };
    table.set("d/a", both);
    table.set("d/b", { ...both, clusterIps: [] });
    table.set("d/a", undefined);
    expect(mapOf(table, "hairpin")).toEqual({ "10.0.0.1 . 10.0.0.1": "" });
    expect(mapOf(table, "cluster-ips")).toEqual({});
    table.set("d/b", undefined);
    expect(mapOf(table, "hairpin")).toEqual({});
  });

  test("what was taken as changes, put together, is the contents", () => {
    const targets = fc.uniqueArray(fc.constantFrom("10.0.0.1 . 1", "10.0.0.2 . 1", "10.0.0.3 . 1"));
    const step = fc.record({
      owner: fc.constantFrom("d/a", "d/b"),
      targets: fc.option(targets),
      stickySeconds: fc.constantFrom(undefined, 10),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const table = new ServiceTable("ip");
        const kernel = new Map<string, Map<string, string>>();
        for (const { owner, targets: wanted, stickySeconds } of steps) {
          const more = stickySeconds === undefined ? {} : { stickySeconds };
          table.set(owner, wanted === null ? undefined : plan(owner, [frontend(key, wanted, more)]));
          const { deleteElements, addElements } = table.takeChanges();
          for (const [set, keys] of deleteElements)
            for (const one of keys.keys()) expect(kernel.get(set)?.delete(one)).toBe(true);
          for (const [set, keys] of addElements) {
            const known = kernel.get(set) ?? new Map<string, string>();
            kernel.set(set, known);
            for (const [one, value] of keys) {
              expect(known.has(one)).toBe(false);
              known.set(one, value);
            }
          }
        }
        const filled = (sets: ReadonlyMap<string, ReadonlyMap<string, string>>) =>
          Object.fromEntries([...sets].filter(([, keys]) => keys.size > 0).map(([set, keys]) => [set, new Map(keys)]));
        expect(filled(kernel)).toEqual(filled(table.contents().elements));
      }),
    );
  });

  test("affinity numbers depend on targets alone, so a restart finds clients where they were", () => {
    const slotsOf = (targets: string[]): object => {
      const table = new ServiceTable("ip");
      table.set("d/a", plan("d/a", [frontend(key, targets, { stickySeconds: 60 })]));
      return mapOf(table, "held");
    };
    expect(slotsOf(["10.0.0.1 . 1", "10.0.0.2 . 1"])).toEqual(slotsOf(["10.0.0.2 . 1", "10.0.0.1 . 1"]));
  });
});
