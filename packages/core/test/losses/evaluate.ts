import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import type { Tensor } from "../../src/tensor/tensor.js";

/** The numbers of each output in float64, given the numbers of each input; inputs that no output needs are left. */
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
