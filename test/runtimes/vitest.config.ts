import { defineConfig } from "vitest/config";

// The library in other Nodes, Bun, Deno and Chromium: `npm run test:runtimes`. Needs the npm registry.
export default defineConfig({
  test: {
    include: ["test/runtimes/*.runtime.ts"],
    testTimeout: 300_000,
    hookTimeout: 900_000,
    pool: "forks",
    maxWorkers: 1,
    reporters: ["verbose"],
  },
});
