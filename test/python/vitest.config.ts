import { defineConfig } from "vitest/config";
import { sources } from "../../vitest.config.js";

// The tests that need Python with Gymnasium, or with safetensors, PyTorch and TensorBoard: `npm run test:python`.
export default defineConfig({
  ...sources,
  test: {
    include: ["packages/gymnasium/test/**/*.python.test.ts", "test/python/*.python.test.ts"],
    globalSetup: ["packages/gymnasium/test/python-setup.ts", "test/python/torch-setup.ts"],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: "threads",
    maxWorkers: 2,
  },
});
