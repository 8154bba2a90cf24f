import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createNativeExecutor, createNativeMachine, inspectNative } from "@softrl/native";
import { createWasmExecutor, maxThreads } from "softrl";
import { afterEach, describe, expect, it, vi } from "vitest";
import { largePrograms, threeRuns } from "../../core/test/tensor/large-programs.js";
import { relativeDifference } from "../../core/test/tensor/run.js";
import { describeNative, variants } from "./native-machines.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

describeNative("threads", () => {
  describe.each(largePrograms)("%s", (_, trace) => {
    const traced = trace();

    it.each(variants)(
      "gives identical results with 1, 2 and 3 threads, close to those of WebAssembly (%s)",
      async (_, options) => {
        const one = threeRuns(createNativeExecutor({ ...options, threads: 1 }), traced);
        for (const threads of [2, 3]) {
          const several = threeRuns(createNativeExecutor({ ...options, threads }), traced);
          for (const [name, values] of Object.entries(one)) {
            const same = Buffer.compare(Buffer.from(values.buffer), Buffer.from(several[name].buffer)) === 0;
            expect(same, `${name} with ${threads} threads`).toBe(true);
          }
        }
        const wasm = threeRuns(await createWasmExecutor(), traced);
        for (const [name, values] of Object.entries(one)) {
          expect(relativeDifference(values, wasm[name]), name).toBeLessThan(1e-3);
        }
      },
    );
  });

  it("are set by SOFTRL_THREADS, one by default", () => {
    vi.stubEnv("SOFTRL_THREADS", "");
    expect(inspectNative()).toMatchObject({ available: true, threads: 1 });
    vi.stubEnv("SOFTRL_THREADS", "2");
    expect(inspectNative()).toMatchObject({ available: true, threads: 2 });
    expect(inspectNative({ threads: 3 })).toMatchObject({ available: true, threads: 3 });
    for (const wrong of ["0", String(maxThreads + 1), "1.5", "two"]) {
      vi.stubEnv("SOFTRL_THREADS", wrong);
      expect(() => createNativeMachine()).toThrow("SOFTRL_THREADS: the number of threads is out of range");
    }
  });
});

describe("the maximum number of threads", () => {
  const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");

  it("is defined once in C++, and is the same in core and in the README", () => {
    const sources = ["../../../kernels/", "../addon/"].flatMap((folder) =>
      readdirSync(new URL(folder, import.meta.url)).map((name) => read(`${folder}${name}`)),
    );
    const defined = sources.flatMap((text) =>
      Array.from(text.matchAll(/maxThreads = (\d+);/g), ([, n]) => n),
    );
    expect(defined).toEqual([String(maxThreads)]);
    expect(read("../README.md")).toContain(`threads, from 1 to ${maxThreads};`);
  });
});
