import { defineConfig } from "vitest/config";

// Tests import packages by name, as a user does; the condition resolves a name to its sources.
export default defineConfig({
  resolve: { conditions: ["softrl-source"] },
  ssr: { resolve: { conditions: ["softrl-source"], externalConditions: ["softrl-source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "bench/test/**/*.test.ts"],
    // These need Python packages: `npm run test:python`.
    exclude: ["**/node_modules/**", "**/*.python.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "threads",
    maxWorkers: 2,
  },
});
