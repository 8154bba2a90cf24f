import { defineConfig } from "vitest/config";

// Builds the documentation site: `npm run test:site`.
export default defineConfig({
  resolve: { conditions: ["softrl-source"] },
  ssr: { resolve: { conditions: ["softrl-source"], externalConditions: ["softrl-source"] } },
  test: {
    include: ["site/test/*.test.ts"],
    globalSetup: ["site/test/build-site.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // vitest's own limit for a poll is 1 s, which a busy machine exceeds.
    expect: { poll: { timeout: 30_000 } },
    reporters: ["verbose"],
  },
});
