/** Who may import whom: the one table behind the lint rules and the check in test/tidy.test.ts. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  api: ["lib"],
  store: ["lib"],
  client: ["api", "lib"],
  apiserver: ["store", "api", "lib"],
  reconcilers: ["client", "api", "lib"],
  scheduler: ["client", "api", "lib"],
  agent: ["client", "api", "lib"],
  git: ["client", "api", "lib"],
  cli: ["git", "client", "api", "lib"],
};
