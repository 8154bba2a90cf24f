import { describe, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { expectReferenceNumbers, randomProgram } from "./random-programs.js";

const wasm = await createWasmExecutor();

describe("200 random programs", () => {
  it("match the reference under WebAssembly: outputs, gradients and updated states", () => {
    const streams = new RandomStreams(2017);
    for (let i = 0; i < 200; i++) {
      expectReferenceNumbers(`program ${i}`, randomProgram(streams.stream("program", i)), [["wasm", wasm]]);
    }
  });
});
