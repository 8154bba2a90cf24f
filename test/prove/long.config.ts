import { defineConfig } from "vitest/config";
import { common, sources } from "../../vitest.config.js";

// Tests of seconds each, most of them of the built command: `npm run prove` runs them, and then the proofs of minutes.
export default defineConfig({
  ...sources,
  test: {
    ...common,
    include: ["packages/*/test/**/*.long.test.ts", "test/**/*.long.test.ts", "bench/test/**/*.long.test.ts"],
    exclude: ["**/node_modules/**"],
  },
});
