import { describe, expect, it } from "vitest";
import type { V1Volume } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { fieldErrorText } from "#api/validation/field-errors.ts";
import { volumesErrors } from "./volumes.ts";

function faults(volume: object, podName?: string): string[] {
  const errors: FieldError[] = [];
  const meta = podName === undefined ? undefined : { name: podName };
  volumesErrors([{ name: "v", ...volume } as V1Volume], meta, "vs", errors);
  return errors.map(fieldErrorText);
}

const claimTemplate = { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } };

const cases: readonly [claim: string, volume: object, faults: string[]][] = [
  [
    "a GCE disk's faults have a path of their own",
    { gcePersistentDisk: {} },
    ["vs[0].persistentDisk.pdName: Required value"],
  ],
  [
    "one source too many is named as upstream names it",
    { emptyDir: {}, gcePersistentDisk: { pdName: "d" }, downwardAPI: {}, cephfs: { monitors: ["m"] } },
    ["gcePersistentDisk", "cephFS", "downwarAPI"].map(
      (name) => `vs[0].${name}: Forbidden: may not specify more than 1 volume type`,
    ),
  ],
  [
    "a git directory may start with dots, but not climb",
    { gitRepo: { repository: "r", directory: "/a/../b" } },
    [
      'vs[0].gitRepo.directory: Invalid value: "/a/../b": must be a relative path',
      "vs[0].gitRepo.directory: Invalid value: \"/a/../b\": must not contain '..'",
    ],
  ],
  ["a git directory named ..x is fine", { gitRepo: { repository: "r", directory: "..x" } }, []],
  ["ScaleIO needs no secret", { scaleIO: { gateway: "g", system: "s", volumeName: "v" } }, []],
  [
    "a CSI secret with a bad name is reported beside its reference",
    { csi: { driver: "d", nodePublishSecretRef: { name: "A" } } },
    [expect.stringContaining('vs[0].csi.name: Invalid value: "A": a lowercase RFC 1123 subdomain')],
  ],
  [
    "files of a downward volume are reported at the volume",
    { downwardAPI: { items: [{ path: ".." }] } },
    [
      "vs[0].downwardAPI.path: Invalid value: \"..\": must not contain '..'",
      "vs[0].downwardAPI.path: Invalid value: \"..\": must not start with '..'",
      "vs[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
    ],
  ],
  [
    "a token's path is reported at the volume, and conflicts with nothing",
    {
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: 599 } },
          { secret: { name: "s", items: [{ key: "k", path: "t" }] } },
          { serviceAccountToken: { expirationSeconds: 600, path: "t" } },
        ],
      },
    },
    [
      "vs[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
      "vs[0].projected.path: Required value",
    ],
  ],
  [
    "files that two sources write conflict",
    {
      projected: {
        sources: [
          { configMap: { name: "c", items: [{ key: "k", path: "t" }] } },
          { secret: { name: "s", items: [{ key: "k", path: "t" }] } },
        ],
      },
    },
    ['vs[0].projected: Invalid value: "s": conflicting duplicate paths'],
  ],
  [
    "a subscript ends at the first bracket and quote",
    {
      downwardAPI: {
        items: [
          { path: "a", fieldRef: { apiVersion: "v1", fieldPath: "metadata.labels['a.b/c']" } },
          { path: "b", fieldRef: { apiVersion: "v1", fieldPath: "spec.host" } },
          { path: "c", fieldRef: { apiVersion: "v1", fieldPath: "metadata.labels[']" } },
        ],
      },
    },
    [
      'vs[0].downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"',
      "vs[0].downwardAPI.fieldRef.fieldPath: Invalid value: \"metadata.labels[']\": error converting fieldPath: field label not supported: metadata.labels[']",
    ],
  ],
];

describe("volumes", () => {
  it.each(cases)("%s", (_, volume, expected) => {
    expect(faults(volume)).toEqual(expected);
  });

  it("the claim of an ephemeral volume is named after pod and volume", () => {
    const longName = "p".repeat(252);
    expect(faults({ ephemeral: { volumeClaimTemplate: claimTemplate } }, "p")).toEqual([]);
    expect(faults({ ephemeral: { volumeClaimTemplate: claimTemplate } }, longName)).toEqual([
      `vs[0].name: Invalid value: "v": PVC name "${longName}-v": must be no more than 253 characters`,
    ]);
  });

  it("only a template leaves an image open", () => {
    expect(faults({ image: {} })).toEqual([]);
    expect(faults({ image: {} }, "p")).toEqual(["vs[0].image.reference: Required value"]);
  });

  it("name and portal of iSCSI are counted in bytes, right after the source's own faults", () => {
    const iscsi = { targetPortal: "é".repeat(32), iqn: "eui.0123456789abcdef", initiatorName: "eui.0123456789abcdef" };
    expect(faults({ iscsi, image: { reference: "r" } })).toEqual([
      expect.stringContaining("vs[0].name: Invalid value"),
      "vs[0].image: Forbidden: may not specify more than 1 volume type",
    ]);
  });
});
