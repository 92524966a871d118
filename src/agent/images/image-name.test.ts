import { expect, test } from "vitest";
import { parseImageName } from "./image-name.ts";
import { ociArchive } from "./oci-archive.ts";
import { pauseProgram } from "./pause-program.ts";
import { credentialsFor } from "./registry-credentials.ts";

test.each([
  ["busybox", "docker.io/library/busybox:latest"],
  ["a/b:1", "docker.io/a/b:1"],
  ["localhost/busybox:1", "localhost/busybox:1"],
  ["localhost:5000/x", "localhost:5000/x:latest"],
  ["quay.io/a/b/c@sha256:" + "0".repeat(64), "quay.io/a/b/c@sha256:" + "0".repeat(64)],
])("%s is %s", (text, full) => expect(parseImageName(text).full).toBe(full));

test.each([
  ["Not/A Valid:image::name", "invalid reference format: repository name (A Valid) must be lowercase"],
  ["UPPER/Case", "invalid reference format: repository name (Case) must be lowercase"],
  ["a b", "invalid reference format"],
  ["x::y", "invalid reference format"],
])("%s is refused", (text, message) => expect(() => parseImageName(text)).toThrow(message));

test("the most specific credentials come first, those of other registries never", () => {
  const config = { auths: { "https://quay.io": entry("a"), "quay.io/team": entry("b"), "other.io": entry("c") } };
  const data = { ".dockerconfigjson": Buffer.from(JSON.stringify(config)).toString("base64") };
  const secret = { metadata: {}, type: "kubernetes.io/dockerconfigjson", data };
  const names = credentialsFor(parseImageName("quay.io/team/app"), [secret]).map(({ username }) => username);
  expect(names).toEqual(["b", "a"]);
});

const entry = (name: string) => ({ auth: Buffer.from(`${name}:secret`).toString("base64") });

test("the same image gives the same bytes, for every architecture", () => {
  for (const architecture of ["x64", "arm64"]) {
    const content = {
      name: "localhost/p:1",
      architecture,
      entries: [{ name: "pause", content: pauseProgram(architecture) }],
      config: {},
    };
    expect(ociArchive(content).equals(ociArchive(content))).toBe(true);
    expect(pauseProgram(architecture).subarray(1, 4).toString()).toBe("ELF");
  }
});
