import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conform } from "#api/decode/conform.ts";
import { arbitraryObject } from "#test/support/arbitrary-object.ts";
import { builtInType } from "./built-in.ts";
import { dropEmpties, omitEmpties, withEmptiesOf } from "./empties.ts";

const role = builtInType("io.k8s.api.rbac.v1.Role");
const pod = builtInType("io.k8s.api.core.v1.Pod");
const deployment = builtInType("io.k8s.api.apps.v1.Deployment");
const decoded = (value: object, struct = pod) => conform(value, struct).object;

describe("empty lists and maps", () => {
  test("JSON leaves out those that may be absent and shows the others", () => {
    const object = decoded({ metadata: { labels: {} }, rules: [] }, role);
    omitEmpties(object, role);
    expect(object).toEqual({ metadata: {}, rules: [] });
  });

  test("the store keeps none: what is always written is null", () => {
    const object = decoded({ metadata: { labels: {} }, rules: [] }, role);
    dropEmpties(object, role);
    expect(object).toEqual({ metadata: {}, rules: null });
  });

  test("they go from items of lists and values of maps too, but never from what Go has a pointer to", () => {
    const volumes = [{ name: "a", emptyDir: {}, projected: { sources: [] } }];
    const object = decoded({ spec: { volumes, securityContext: {}, containers: [{ name: "c", env: [] }] } });
    dropEmpties(object, pod);
    expect(object["spec"]).toEqual({
      volumes: [{ name: "a", emptyDir: {}, projected: { sources: null } }],
      securityContext: {},
      containers: [{ name: "c", resources: {} }],
    });
  });

  test("an old object can be told in the new one's words", () => {
    const old = decoded({ spec: { containers: [{ name: "c" }], nodeName: "n" } });
    const object = decoded({ spec: { tolerations: [], containers: [{ name: "c", env: [] }] } });
    expect(withEmptiesOf(old, object, pod)["spec"]).toEqual({
      nodeName: "n",
      tolerations: [],
      containers: [{ name: "c", env: [], resources: {} }],
    });
    expect(old["spec"]).toEqual({ nodeName: "n", containers: [{ name: "c", resources: {} }] });
  });

  test("what has none stays as it is", () => {
    fc.assert(
      fc.property(arbitraryObject(deployment), (object) => {
        const copy = structuredClone(object);
        omitEmpties(copy, deployment);
        dropEmpties(copy, deployment);
        expect(copy).toEqual(object);
        expect(withEmptiesOf(object, copy, deployment)).toBe(object);
      }),
      { numRuns: 30 },
    );
  });
});
