import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import type { Tensor } from "../../src/tensor/tensor.js";

/** Computes each output in float64 from the values of the inputs; ignores inputs that no output needs. */
export function evaluate<Names extends string>(
  outputs: Readonly<Record<Names, Tensor>>,
  inputs: Readonly<Record<string, ArrayLike<number>>> = {},
): Record<Names, number[]> {
  const traced = program({ outputs });
  const loaded = createReferenceExecutor({ precision: "float64" }).load({ main: traced }).programs.main;
  for (const [name, numbers] of Object.entries(inputs)) {
    if (traced.inputs.has(name)) loaded.input(name).set(numbers);
  }
  loaded.run();
  const names = Object.keys(outputs) as Names[];
  return Object.fromEntries(names.map((name) => [name, [...loaded.output(name)]])) as Record<Names, number[]>;
}
