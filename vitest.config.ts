import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      // Time limits are for what hangs, not for what a busy machine makes slow.
      { test: { name: "unit", include: ["src/**/*.test.ts", "test/tidy.test.ts"], testTimeout: 60_000 } },
      { test: { name: "parity", include: ["test/parity/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
