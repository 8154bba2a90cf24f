import { createNativeExecutor } from "@softrl/native";
import { createWasmExecutor, RandomStreams } from "softrl";
import { it } from "vitest";
import { expectReferenceNumbers, randomProgram } from "../../core/test/tensor/random-programs.js";
import { describeNative, variants } from "./native-machines.js";

describeNative("1,000 random programs", () => {
  it("match the reference natively and under WebAssembly, forward and gradient", async () => {
    const executors = [
      ["wasm", await createWasmExecutor()] as const,
      ...variants.map(([name, options]) => [name, createNativeExecutor(options)] as const),
    ];
    const streams = new RandomStreams(2018);
    for (let i = 0; i < 1000; i++) {
      expectReferenceNumbers(`program ${i}`, randomProgram(streams.stream("program", i)), executors);
    }
  });
});
