/** Makes an OCI image archive with one layer, the form that containerd imports. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { tar, type TarEntry } from "./tar.ts";

export interface ImageContent {
  /** The full name, "localhost/pause:1". */
  name: string;
  /** As Node names it. */
  architecture: string;
  entries: readonly TarEntry[];
  config: { Cmd?: string[]; Entrypoint?: string[]; Env?: string[]; WorkingDir?: string };
}

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

export function ociArchive({ name, architecture, entries, config }: ImageContent): Buffer {
  const blobs: TarEntry[] = [];
  const add = (mediaType: string, content: Buffer): object => {
    blobs.push({ name: `blobs/sha256/${sha256(content)}`, content });
    return { mediaType, digest: `sha256:${sha256(content)}`, size: content.length };
  };
  const layer = tar(entries);
  const layerDescriptor = add("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(layer, { level: 1 }));
  const imageConfig = {
    architecture: architectures[architecture] ?? architecture,
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: [`sha256:${sha256(layer)}`] },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: add("application/vnd.oci.image.config.v1+json", json(imageConfig)),
    layers: [layerDescriptor],
  };
  const annotations = { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name };
  const index = {
    schemaVersion: 2,
    manifests: [{ ...add("application/vnd.oci.image.manifest.v1+json", json(manifest)), annotations }],
  };
  return tar([
    { name: "oci-layout", content: json({ imageLayoutVersion: "1.0.0" }) },
    { name: "index.json", content: json(index) },
    ...blobs,
  ]);
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");
