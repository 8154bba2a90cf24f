import { defineConfig } from "vitest/config";

// Complete runs of the built command, which take minutes each: `npm run prove`.
export default defineConfig({
  test: {
    include: ["test/prove/*.prove.ts"],
    testTimeout: 1_200_000,
    pool: "threads",
    maxWorkers: 1,
    reporters: ["verbose"],
  },
});
