import { createReferenceExecutor, createWasmExecutor } from "softrl";
import { describe } from "vitest";
import { sharedAccessContract } from "./shared-access-contract.js";

describe("access to shared memory", async () => {
  for (const executor of [createReferenceExecutor(), await createWasmExecutor()])
    sharedAccessContract(executor);
});
