import { defineConfig } from "vitest/config";

// Complete runs of the built command, which take minutes each: `npm run prove`.
export default defineConfig({
  test: {
    include: ["test/prove/*.prove.ts"],
    testTimeout: 3_600_000,
    pool: "threads",
    maxWorkers: 1,
    reporters: ["verbose"],
  },
});
