import { encodeKernels, SoftrlError } from "softrl";
import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import { fanInUniform, uniform, zeros } from "../../src/nn/initialiser.js";
import { dense } from "../../src/nn/layer.js";
import { Parameters } from "../../src/nn/parameters.js";
import { createWasmExecutor } from "../../src/tensor/compiled/wasm-executor.js";
import { gradient } from "../../src/tensor/gradient.js";
import { add, concat, constant, exp, input, state, sum } from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import type { Tensor } from "../../src/tensor/tensor.js";

const wasm = await createWasmExecutor();

function refusal(attempt: () => unknown): SoftrlError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof SoftrlError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a program that does not fit in memory", () => {
  const side = 2 ** 22;
  const x = input("x", [side, side]);
  const traced = program({ outputs: { y: sum(exp(x)) } });

  it("is out of memory for the reference executor, with the bytes of the whole program", () => {
    for (const [precision, size] of [
      ["float64", 8],
      ["float32", 4],
    ] as const) {
      const error = refusal(() => createReferenceExecutor({ precision }).load({ only: traced }));
      // x, exp x, the sum, and the output.
      const bytes = size * (2 * side * side + 2);
      expect(error).toMatchObject({ code: "out-of-memory", details: { bytes } });
      expect(error.message).toMatch(
        /^createReferenceExecutor: not enough memory for \d+\.\d MiB, expected at/,
      );
    }
  });

  it("counts a state once for all programs, and once for each new value", () => {
    const s = state("s", [side, side]);
    const updates = [[s, add(s, 1)]] as const;
    const both = { one: program({ outputs: {}, updates }), two: program({ outputs: {}, updates }) };
    const error = refusal(() => createReferenceExecutor().load(both));
    const { steps } = both.one;
    const others = steps.filter(({ tensor }) => tensor.origin.kind !== "state");
    const numbers = others.reduce((length, { tensor }) => length + tensor.size, side * side);
    expect(error.details.bytes).toBe(8 * (side * side + 2 * numbers));
  });

  it("is out of memory for the kernels, whose offsets have 32 bits", () => {
    for (const error of [
      refusal(() => wasm.load({ only: traced })),
      refusal(() => encodeKernels([], 2 ** 31)),
    ]) {
      expect(error.code).toBe("out-of-memory");
      expect(error.details.bytes).toBeGreaterThanOrEqual(2 ** 33);
    }
    for (const length of [-1, 0.5, Number.NaN]) {
      expect(refusal(() => encodeKernels([], length)).code).toBe("bad-input");
    }
  });

  it("does not fit with its parameters either", () => {
    const random = new RandomStreams(1).stream("parameters");
    const error = refusal(() => new Parameters(dense(side)([side]).parameters));
    expect(error).toMatchObject({ code: "out-of-memory", details: { bytes: 8 * side * (side + 1) } });
    for (const initialiser of [zeros, fanInUniform, uniform(1)]) {
      expect(refusal(() => initialiser([side, side], random))).toMatchObject({
        code: "out-of-memory",
        details: { bytes: 8 * side * side },
      });
    }
  });
});

describe("a tensor with 600,000 inputs", () => {
  it("can be differentiated, collected and run", () => {
    const many = 600_000;
    const x = input("x", [1]);
    const y = concat(Array<Tensor>(many).fill(x));
    // Every input is looked at, and none leads to the other tensor.
    expect(gradient(sum(y), [input("other", [1])])[0].shape).toEqual([1]);
    const { only } = wasm.load({ only: program({ outputs: { y } }) }).programs;
    only.input("x")[0] = 3;
    only.run();
    expect(only.output("y").every((value) => value === 3)).toBe(true);
  });
});

describe("an error about an operand", () => {
  it("shows any value, and never fails itself", () => {
    const circle: unknown[] = [];
    circle.push(circle);
    const plain = <T>(value: unknown): T => value as T;
    expect(() => exp(plain(circle))).toThrow(/exp: an operand is not a tensor.*got a value without JSON/);
    expect(() => constant(plain([1n]))).toThrow(
      /the values are not a flat array of numbers.*got a value without JSON/,
    );
    const nested = Array.from({ length: 100_000 }, () => [0.123456789]);
    expect(refusal(() => constant(plain(nested))).message.length).toBeLessThan(600);
  });
});
