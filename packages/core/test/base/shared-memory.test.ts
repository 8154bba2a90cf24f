import { SharedParameters, SoftrlError } from "softrl";
import { afterEach, expect, test, vi } from "vitest";
import { PooledMoments } from "../../src/data/pooled-moments.js";
import { createReferenceExecutor } from "../../src/index.js";

afterEach(() => void vi.unstubAllGlobals());

test("where a runtime has no shared memory, the error has the remedy", () => {
  const theta = new Float32Array(4);
  const attach = () => {
    const shared = new SharedParameters({ learners: 2 });
    shared.attach({ theta, states: [], parameters: [] }, createReferenceExecutor());
    return shared.memory.parameters.byteLength;
  };
  expect(attach()).toBe(64 + 64);
  vi.stubGlobal("SharedArrayBuffer", undefined);
  for (const use of [attach, () => PooledMoments.memory(3, 2)]) {
    expect(use).toThrow(SoftrlError);
    expect(use).toThrow(/no shared memory, .*cross-origin isolated pages; .*Cross-Origin-Opener-Policy/);
  }
});
