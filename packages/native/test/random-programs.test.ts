import { createNativeExecutor } from "@softrl/native";
import { createReferenceExecutor, createWasmExecutor, type Executor, RandomStreams } from "softrl";
import { expect, it } from "vitest";
import { type RandomProgram, randomProgram } from "../../core/test/tensor/random-programs.js";
import { relativeDifference } from "../../core/test/tensor/run.js";
import { describeNative, variants } from "./native-machines.js";

const reference = createReferenceExecutor();
const float32Reference = createReferenceExecutor({ precision: "float32" });

/** Outputs and states after two runs, by name. */
function twoRuns(executor: Executor, { program, inputs, states }: RandomProgram): Map<string, Float64Array> {
  const session = executor.load({ only: program });
  const { only } = session.programs;
  for (const [name, values] of Object.entries(inputs))
    if (program.inputs.has(name)) only.input(name).set(values);
  for (const { tensor, values } of states) session.state(tensor).set(values);
  const seen = new Map<string, Float64Array>();
  for (const run of [1, 2]) {
    only.run();
    for (const name of program.outputs.keys())
      seen.set(`${name} after run ${run}`, Float64Array.from(only.output(name)));
    for (const { tensor } of states)
      seen.set(`state ${tensor.id} after run ${run}`, Float64Array.from(session.state(tensor)));
  }
  return seen;
}

describeNative("1,000 random programs", () => {
  it("give natively and under WebAssembly what the reference gives, forward and gradient", async () => {
    const wasm = await createWasmExecutor();
    const executors = [
      ["wasm", wasm] as const,
      ...variants.map(([name, options]) => [name, createNativeExecutor(options)] as const),
    ];
    const streams = new RandomStreams(2018);
    for (let i = 0; i < 1000; i++) {
      const traced = randomProgram(streams.stream("program", i));
      const expected = twoRuns(reference, traced);
      const rounded = twoRuns(float32Reference, traced);
      for (const [executor, machine] of executors) {
        for (const [name, values] of twoRuns(machine, traced)) {
          // What float32 costs this program is what it costs the reference: nobody can do much better.
          const exact = expected.get(name) ?? [];
          const bound = 1e-5 + 30 * relativeDifference(rounded.get(name) ?? [], exact);
          const difference = relativeDifference(values, exact);
          if (!(difference < bound && bound < 0.1)) {
            expect.fail(`program ${i}, ${name}, ${executor}: off by ${difference}, bound ${bound}`);
          }
        }
      }
    }
  });
});
