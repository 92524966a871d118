import { expect, test } from "vitest";
import { parseMountInfo } from "./mounts.ts";

test("reads mount points with spaces, tags and none", () => {
  const text =
    "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw\n37 35 0:5 / /plain rw - tmpfs tmpfs rw\n38 35 0:6 / /s rw shared:3 - tmpfs x rw\n";
  expect(parseMountInfo(text)).toEqual([
    { mountPoint: "/mnt 2", fileSystem: "ext3", propagation: "master:1" },
    { mountPoint: "/plain", fileSystem: "tmpfs", propagation: "" },
    { mountPoint: "/s", fileSystem: "tmpfs", propagation: "shared:3" },
  ]);
});
