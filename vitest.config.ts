import { defineConfig } from "vitest/config";

// Tests import packages by name, as a user does; the condition resolves a name to its sources.
export default defineConfig({
  resolve: { conditions: ["softrl-source"] },
  ssr: { resolve: { conditions: ["softrl-source"], externalConditions: ["softrl-source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "bench/test/**/*.test.ts"],
    setupFiles: ["test/equal-arrays.ts"],
    // Not those that need Python packages (`npm run test:python`) or take long (`npm run prove`).
    exclude: ["**/node_modules/**", "**/*.python.test.ts", "**/*.long.test.ts"],
    // Limits find a test that hangs; other work on the machine may make any test several times slower.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: "threads",
    maxWorkers: 2,
  },
});
