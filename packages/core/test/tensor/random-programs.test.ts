import { describe, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { expectReferenceNumbers, randomProgram } from "./random-programs.js";
import { wasmExecutors } from "./wasm-builds.js";

const executors = wasmExecutors.map((executor) => [executor.name, executor] as const);

describe("200 random programs", () => {
  it("match the reference under WebAssembly: outputs, gradients and updated states", () => {
    const streams = new RandomStreams(2017);
    for (let i = 0; i < 200; i++) {
      expectReferenceNumbers(`program ${i}`, randomProgram(streams.stream("program", i)), executors);
    }
  });
});
