import { defineConfig } from "vitest/config";

// The packages as they would be published, in projects of their own: `npm run test:packages`. Needs the registry.
export default defineConfig({
  test: {
    include: ["test/consumers/*.consumer.ts"],
    testTimeout: 600_000,
    hookTimeout: 1_800_000,
    pool: "forks",
    maxWorkers: 1,
    reporters: ["verbose"],
  },
});
