import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import type { Executor } from "../../src/tensor/executor.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { type RandomProgram, randomProgram } from "./random-programs.js";
import { relativeDifference } from "./run.js";

const reference = createReferenceExecutor();
const float32Reference = createReferenceExecutor({ precision: "float32" });
const wasm = await createWasmExecutor();

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

describe("200 random programs", () => {
  it("give under WebAssembly what the reference gives: outputs, gradients and updated states", () => {
    const streams = new RandomStreams(2017);
    for (let i = 0; i < 200; i++) {
      const traced = randomProgram(streams.stream("program", i));
      const expected = twoRuns(reference, traced);
      const rounded = twoRuns(float32Reference, traced);
      for (const [name, values] of twoRuns(wasm, traced)) {
        // What float32 costs this program is what it costs the reference: nobody can do much better.
        const exact = expected.get(name) ?? [];
        const bound = 1e-5 + 30 * relativeDifference(rounded.get(name) ?? [], exact);
        expect(bound, `program ${i}, ${name} is too ill-conditioned to test anything`).toBeLessThan(0.1);
        expect(relativeDifference(values, exact), `program ${i}, ${name}`).toBeLessThan(bound);
      }
    }
  });
});
