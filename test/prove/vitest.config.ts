import { defineConfig } from "vitest/config";

// Whole runs of the built command, minutes each: `npm run prove`.
export default defineConfig({
  test: {
    include: ["test/prove/*.prove.ts"],
    testTimeout: 3_600_000,
    pool: "threads",
    maxWorkers: 1,
    reporters: ["verbose"],
  },
});
