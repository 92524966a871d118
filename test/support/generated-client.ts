/** The operations that a generated client knows: what the published OpenAPI of Kubernetes says, seen from @kubernetes/client-node. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./process.ts";

export interface ClientOperation {
  api: string;
  name: string;
  description: string;
  path: string;
  method: string;
  query: string[];
  /** The client's name of the type of a good answer. */
  answer: string;
}

const folder = join(root, "node_modules/@kubernetes/client-node/dist/gen/apis");
/** Not of the server: paths of any custom object, and logs of the server's files, which are off by default. */
const foreign = /^(?:CustomObjects|Logs)Api/;

export function clientOperations(): ClientOperation[] {
  const files = readdirSync(folder).filter((file) => file.endsWith("Api.js") && !foreign.test(file));
  return files.flatMap((file) => operationsIn(file.slice(0, -3)));
}

function operationsIn(api: string): ClientOperation[] {
  const source = readFileSync(join(folder, `${api}.js`), "utf8");
  const descriptions = descriptionsIn(readFileSync(join(folder, `${api}.d.ts`), "utf8"));
  const answers = new Map<string, string>();
  for (const [, name, body] of source.matchAll(/\n {4}async (\w+)WithHttpInfo\(response\) \{([\s\S]*?)\n {4}\}/g))
    answers.set(name!, /"200"[\s\S]*?parse\([\s\S]*?\), "(\w+)"/.exec(body!)?.[1] ?? "string");
  return [...source.matchAll(/\n {4}async (\w+)\([^)]*_options\) \{([\s\S]*?)\n {4}\}/g)].map(([, name, body]) => ({
    api,
    name: name!,
    description: descriptions.get(name!) ?? "",
    path: /localVarPath = '([^']+)'/.exec(body!)![1]!,
    method: /HttpMethod\.(\w+)\)/.exec(body!)![1]!.toLowerCase(),
    query: [...body!.matchAll(/setQueryParam\("(\w+)"/g)].map(([, query]) => query!).sort(),
    answer: answers.get(name!) ?? "string",
  }));
}

function descriptionsIn(types: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, text, name] of types.matchAll(/\/\*\*\n {5}\* ([^\n]+)\n(?: {5}\*[^\n]*\n)* {5}\*\/\n {4}(\w+)\(/g))
    if (!found.has(name!)) found.set(name!, text!.replaceAll("\\'", "'"));
  return found;
}
