/** What /version says: the Kubernetes that this server behaves like. */
import { kubernetesVersion } from "#api/version.ts";

export const serverVersion: Readonly<Record<string, string>> = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: kubernetesVersion,
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "v8",
  platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
};
