import { describe, expect, it } from "vitest";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { claimSpecErrors } from "./claim-template.ts";

const base = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const cases: readonly [spec: object, faults: string[]][] = [
  [{}, []],
  [
    { accessModes: ["ReadWriteOncePod", "Odd"] },
    [
      's.accessModes: Unsupported value: "Odd": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    ],
  ],
  [
    { accessModes: ["ReadWriteOncePod", "ReadOnlyMany"] },
    ["s.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
  ],
  [
    { resources: { requests: { storage: "-0.5Gi" } } },
    ['s.resources[storage]: Invalid value: "-512Mi": must be greater than zero'],
  ],
  [
    { dataSourceRef: { kind: "PersistentVolumeClaim", name: "c", namespace: "a.b" } },
    ['s.dataSourceRef.namespace: Invalid value: "a.b": must not contain dots'],
  ],
];

describe("specs of volume claims", () => {
  it.each(cases)("%j beside the usual has these faults", (more, expected) => {
    expect(claimSpecErrors({ ...base, ...more }, "s").map(fieldErrorText)).toEqual(expected);
  });
});
