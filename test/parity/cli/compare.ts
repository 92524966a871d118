/** Runs one list of arguments with real kubectl and with capstan, and makes the two outputs comparable. */
import { Readable } from "node:stream";
import { join } from "node:path";
import { commands } from "#cli/commands.ts";
import { runCommand } from "#cli/run.ts";
import { type Finished, run } from "#test/support/process.ts";

export interface Target {
  kubectl: string;
  kubeconfig: string;
  /** For kubectl's discovery cache. */
  folder: string;
}

export interface Step {
  args: readonly string[];
  input?: string;
  env?: Record<string, string>;
  namespace?: string;
}

/** "get pods -l 'app in (a,b)'" → words, as a shell cuts them; no expansion of any kind. */
export function words(line: string): string[] {
  const found: string[] = [];
  for (const match of line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g))
    found.push(
      match[0].replace(/'([^']*)'|"([^"]*)"/g, (_, single?: string, double?: string) => single ?? double ?? ""),
    );
  return found;
}

export async function runKubectl(
  { kubectl, kubeconfig, folder }: Target,
  { args, input, env, namespace }: Step,
): Promise<Finished> {
  const place = namespace === undefined ? [] : ["-n", namespace];
  return await run([kubectl, "--kubeconfig", kubeconfig, "--cache-dir", join(folder, "cache"), ...place, ...args], {
    ...(input === undefined || input === "" ? {} : { input }),
    ...(env === undefined ? {} : { env }),
  });
}

/** In this process: what a command prints does not depend on how it was packed. */
export async function runCapstan({ kubeconfig }: Target, { args, input, env, namespace }: Step): Promise<Finished> {
  const out = { stdout: "", stderr: "" };
  const place = namespace === undefined ? [] : ["-n", namespace];
  const code = await runCommand(["--kubeconfig", kubeconfig, ...place, ...args], commands, {
    stdout: (text) => void (out.stdout += text),
    stderr: (text) => void (out.stderr += text),
    stdin: Readable.from(input === undefined || input === "" ? [] : [Buffer.from(input)]),
    isTerminal: false,
    env: { ...process.env, ...env },
    signal: new AbortController().signal,
  });
  return { code, ...out };
}

const age = /(?<![\w.-])(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?<=\d[smhdy])(?![\w.-])/g;

/** One text of exit code, stdout and stderr in which everything that may differ between two runs reads the same. */
export function comparable({ code, stdout, stderr }: Finished, names: Readonly<Record<string, string>> = {}): string {
  return `${settle(stdout, names)}--- stderr ---\n${settle(stderr, names)}--- exit ${code} ---\n`;
}

function settle(text: string, names: Readonly<Record<string, string>>): string {
  let out = text;
  for (const [name, placeholder] of Object.entries(names)) out = out.replaceAll(name, placeholder);
  out = out
    .replaceAll("kubectl", "capstan")
    .replaceAll("Kubectl", "Capstan")
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UID")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, "TIME")
    .replace(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, "TIME")
    .replace(/(?:\/tmp\/)?(LIVE|MERGED)(?:-\d+)?\//g, "$1/")
    .replace(/^((?:---|\+\+\+) \S+)\t.*$/gm, "$1")
    .replace(/(resourceVersion"?: "?)\d+/g, "$1RV");
  return out
    .split("\n")
    .map((line) => {
      const settled = line.replace(age, "AGE");
      // A longer age moves the columns behind it.
      return settled === line ? line : settled.replace(/ {2,}/g, "  ");
    })
    .map((line) => (/\bAGE\b/.test(line) ? line.replace(/ {2,}/g, "  ") : line))
    .join("\n");
}

/** Names that the API server made up: pods of a ReplicaSet, cluster addresses. */
export function withoutChance(text: string): string {
  return text
    .replace(/-[bcdfghjklmnpqrstvwxz2456789]{5}(?![\w-])/g, "-RAND")
    .replace(/\b10\.43\.\d+\.\d+\b/g, "CLUSTER-IP")
    .replace(/\b(:|NodePort:.*?)3[0-2]\d{3}\b/g, "$1NODE-PORT")
    .replace(/ {2,}/g, "  ");
}
