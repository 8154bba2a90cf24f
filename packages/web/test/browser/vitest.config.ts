import { defineConfig } from "vitest/config";

// The page in a real Chromium: `npm run test:web`.
export default defineConfig({
  test: {
    include: ["packages/web/test/browser/*.browser.ts"],
    globalSetup: ["packages/web/test/browser/build-page.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 1,
    reporters: ["verbose"],
  },
});
