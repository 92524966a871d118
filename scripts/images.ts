/** Makes localhost/busybox:1: the machine's static busybox with a link for each of its programs. No image tools needed. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ociArchive } from "#agent/images/oci-archive.ts";

const directory = process.argv[2] ?? "dist/images";
const binary = ["/bin/busybox", "/usr/bin/busybox"].find((place) => existsSync(place));
if (binary === undefined) {
  process.stderr.write("scripts/images: busybox is not installed (apt-get install busybox-static)\n");
  process.exit(1);
}
const programs = execFileSync(binary, ["--list"], { encoding: "utf8" }).trim().split("\n");
const archive = ociArchive({
  name: "localhost/busybox:1",
  architecture: process.arch,
  entries: [
    { name: "bin/" },
    { name: "bin/busybox", mode: 0o755, content: readFileSync(binary) },
    ...programs
      .filter((name) => name !== "busybox")
      .map((name) => ({ name: `bin/${name}`, mode: 0o777, linkTo: "busybox" })),
    { name: "etc/" },
    { name: "tmp/", mode: 0o1777 },
  ],
  config: { Cmd: ["sh"], Env: ["PATH=/bin"] },
});
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, "busybox.tar"), archive);
process.stdout.write(`${join(directory, "busybox.tar")}\n`);
