import { defineConfig } from "vitest/config";

/** Tests import packages by name, as a user does: the condition resolves a name to its sources. */
export const sources = {
  resolve: { conditions: ["softrl-source"] },
  ssr: { resolve: { conditions: ["softrl-source"], externalConditions: ["softrl-source"] } },
};
export const common = {
  setupFiles: ["test/equal-arrays.ts"],
  // Limits find a test that hangs; other work on the machine may make any test several times slower.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  pool: "threads" as const,
  maxWorkers: 2,
};
const tests = ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "bench/test/**/*.test.ts"];
const isolated = "**/*.isolated.test.ts";
// Not those that need Python packages (`npm run test:python`) or take long (`npm run prove`).
const others = ["**/node_modules/**", "**/*.python.test.ts", "**/*.long.test.ts"];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // Without isolation, a module is loaded once for all files of a worker: that halves the time.
      {
        ...sources,
        test: { ...common, name: "tests", include: tests, exclude: [...others, isolated], isolate: false },
      },
      // Files that replace modules, or need them as they are at first, have modules of their own.
      { ...sources, test: { ...common, name: "isolated", include: [isolated], exclude: others } },
    ],
  },
});
