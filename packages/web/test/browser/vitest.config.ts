import { defineConfig } from "vitest/config";

// The page in a real Chromium: `npm run test:web`.
export default defineConfig({
  test: {
    include: ["packages/web/test/browser/*.browser.ts"],
    globalSetup: ["packages/web/test/browser/build-page.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // vitest's own limit for a poll is 1 s, which a busy machine exceeds.
    expect: { poll: { timeout: 30_000 } },
    pool: "forks",
    maxWorkers: 1,
    reporters: ["verbose"],
  },
});
