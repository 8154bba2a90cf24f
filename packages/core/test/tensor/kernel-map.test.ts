import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import type { MapKernel } from "../../src/tensor/compiled/kernel.js";
import { fusedSteps } from "../../src/tensor/compiled/kernel-encoding-steps.js";
import type { ElementwiseOperation } from "../../src/tensor/tensor.js";
import { arenaAfter, kernelMachines } from "./kernel-machines.js";
import { referenceRun } from "./kernel-reference.js";

const random = new RandomStreams(11).stream("map");
const special = [0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-45, -1e-45, 1.1754944e-38, 3.4028235e38];

const unary = ["negate", "absolute", "relu", "squareRoot"] as const;
const binary = [
  "add",
  "subtract",
  "multiply",
  "divide",
  "maximum",
  "minimum",
  "greater",
  "greaterEqual",
  "equal",
] as const;

function pick<T>(items: readonly T[]): T {
  const item = items[random.integer(items.length)];
  if (item === undefined) throw new Error("the list is empty");
  return item;
}

function numbers(count: number): Float32Array {
  return Float32Array.from({ length: count }, () =>
    random.float() < 0.15 ? pick(special) : (random.float() - 0.5) * 8,
  );
}

/** A random map over consecutive tensors, some of which are updated in place. */
function randomMap(count: number): { kernel: MapKernel; arenaLength: number } {
  let next = random.integer(5);
  const place = (length: number): number => {
    const offset = next;
    next += length + random.integer(3);
    return offset;
  };
  const inputs = Array.from({ length: random.integer(5) }, () => {
    const mode = random.float() < 0.3 ? ("scalar" as const) : ("each" as const);
    return { offset: place(mode === "each" ? count : 1), mode };
  });
  const constants = Array.from({ length: inputs.length === 0 ? 1 : random.integer(3) }, () => pick(special));
  const fixed = inputs.length + constants.length;
  const written = Array.from({ length: fixed }, (_, register) => register);
  const free = [...inputs.entries()].filter(([, { mode }]) => mode === "each").map(([register]) => register);
  const steps = Array.from({ length: random.integer(8) }, () => {
    const arity = pick([1, 2, 2, 2, 3]);
    const operation: ElementwiseOperation = arity === 1 ? pick(unary) : arity === 2 ? pick(binary) : "select";
    const operands = Array.from({ length: arity }, () => pick(written));
    const target = free.length > 0 && random.float() < 0.3 ? pick(free) : fixed + random.integer(24 - fixed);
    if (!written.includes(target)) written.push(target);
    return { operation, operands, target };
  });
  const sources = inputs.filter(({ mode }) => mode === "each").map(({ offset }) => offset);
  const outputs = Array.from({ length: 1 + random.integer(3) }, () => {
    const inPlace = sources.length > 0 && random.float() < 0.5;
    const offset = inPlace ? (sources.pop() ?? 0) : place(count);
    return { register: pick(written), offset };
  });
  return { kernel: { kind: "map", count, inputs, constants, steps, outputs }, arenaLength: next + 3 };
}

describe.each(await kernelMachines())("map kernels on $name", (machine) => {
  it("match the reference bit for bit on random programs, and change nothing else", () => {
    for (let trial = 0; trial < 3000; trial++) {
      const count =
        trial % 500 === 0 ? 270_001 : pick([1, 2, 3, 4, 7, 16, 31, 64, 255, 256, 257, 300, 512, 700]);
      const { kernel, arenaLength } = randomMap(count);
      const before = numbers(arenaLength);
      const want = Float64Array.from(before);
      referenceRun(kernel, want);
      const got = arenaAfter(machine, [kernel], before);
      const different = got.findIndex((value, i) => !Object.is(value, want[i]));
      expect(
        different < 0 ? "same" : JSON.stringify({ kernel, different, got: got[different] }),
        `trial ${trial}`,
      ).toBe("same");
    }
  });

  it("match the reference bit for bit when several steps are fused", () => {
    const [s, g, theta, constant] = [0, 1, 2, 3];
    // The operands of a step are s, g, θ, a constant, or an earlier step, counted backwards: −1, −2, …
    const chains: readonly (readonly [ElementwiseOperation, ...number[]])[][] = [
      [
        ["multiply", s, g],
        ["multiply", -1, theta],
      ],
      [
        ["multiply", s, g],
        ["add", theta, -1],
      ],
      [
        ["multiply", s, g],
        ["subtract", -1, theta],
      ],
      [
        ["multiply", s, s],
        ["subtract", constant, -1],
        ["multiply", g, -1],
      ],
      [
        ["multiply", constant, s],
        ["multiply", theta, g],
        ["add", -2, -1],
      ],
      [
        ["multiply", constant, s],
        ["multiply", g, g],
        ["multiply", -1, theta],
        ["add", -3, -1],
      ],
      [
        ["multiply", g, g],
        ["multiply", constant, -1],
        ["multiply", theta, s],
        ["add", -2, -1],
      ],
      [
        ["squareRoot", s],
        ["add", -1, constant],
        ["divide", g, -1],
      ],
      [
        ["add", s, constant],
        ["squareRoot", -1],
        ["divide", g, -1],
      ],
      [
        ["squareRoot", s],
        ["add", -1, constant],
        ["divide", g, -1],
        ["multiply", constant, -1],
        ["subtract", theta, -1],
      ],
      [
        ["add", s, constant],
        ["squareRoot", -1],
        ["divide", g, -1],
        ["multiply", -1, constant],
        ["subtract", theta, -1],
      ],
      [
        ["squareRoot", s],
        ["add", -1, constant],
        ["divide", -1, g],
      ],
      [
        ["greater", s, g],
        ["select", -1, theta, constant],
      ],
      [
        ["greater", s, g],
        ["select", theta, -1, constant],
      ],
      [
        ["add", s, constant],
        ["subtract", -1, theta],
      ],
      [
        ["multiply", constant, s],
        ["multiply", theta, g],
        ["add", -2, -1],
        ["add", -1, constant],
        ["subtract", -1, constant],
      ],
      [
        ["multiply", constant, s],
        ["multiply", g, g],
        ["multiply", -1, theta],
        ["add", -3, -1],
        ["add", constant, -1],
        ["subtract", -1, theta],
      ],
      [
        ["multiply", s, s],
        ["subtract", g, -1],
        ["maximum", -1, constant],
      ],
    ];
    for (const [trial, chain] of Array.from({ length: 20 }, () => chains)
      .flat()
      .entries()) {
      const count = pick([1, 5, 16, 257, 512, 700]);
      const kernel: MapKernel = {
        kind: "map",
        count,
        inputs: [s, g, theta].map((input) => ({ offset: input * count, mode: "each" })),
        constants: [pick([0.99, -0, 1e-5, Infinity])],
        steps: chain.map(([operation, ...operands], step) => ({
          operation,
          operands: operands.map((operand) => (operand < 0 ? 4 + step + operand : operand)),
          target: 4 + step,
        })),
        outputs: [{ register: 3 + chain.length, offset: pick([theta * count, 3 * count]) }],
      };
      // No fused step divides the result of an earlier step, or selects it.
      const notFused = ([operation, first]: (typeof chain)[number]) =>
        (operation === "divide" && first === -1) || (operation === "select" && first !== -1);
      expect(fusedSteps(kernel), JSON.stringify(chain)).toHaveLength(chain.some(notFused) ? 2 : 1);
      const before = numbers(4 * count);
      const want = Float64Array.from(before);
      referenceRun(kernel, want);
      const got = arenaAfter(machine, [kernel], before);
      const different = got.findIndex((value, i) => !Object.is(value, want[i]));
      expect(different < 0 ? "same" : JSON.stringify({ kernel, got: got[different] }), `trial ${trial}`).toBe(
        "same",
      );
    }
  });

  const unaryKernel = (operation: ElementwiseOperation, count: number): MapKernel => ({
    kind: "map",
    count,
    inputs: [{ offset: 0, mode: "each" }],
    constants: [],
    steps: [{ operation, operands: [0], target: 1 }],
    outputs: [{ register: 1, offset: count }],
  });
  const valuesOf = (operation: ElementwiseOperation, x: readonly number[] | Float32Array): Float32Array => {
    const before = new Float32Array(2 * x.length);
    before.set(x);
    return arenaAfter(machine, [unaryKernel(operation, x.length)], before).slice(x.length);
  };

  it.each([
    ["exp", Math.exp, -104, 89, 2],
    ["log", Math.log, 0, 10, 2],
    ["tanh", Math.tanh, -10, 10, 2.5],
  ] as const)("%s is accurate to a few units in the last place", (operation, exact, low, high, most) => {
    const count = 100_000;
    const x = Float32Array.from({ length: count }, (_, i) => {
      if (i % 2 === 0) return random.uniform(low, high);
      const magnitude = 2 ** random.uniform(-149, operation === "log" ? 128 : 6);
      return operation === "log" || random.float() < 0.5 ? magnitude : -magnitude;
    });
    const got = valuesOf(operation, x);
    let worst = 0;
    for (const [i, value] of got.entries()) {
      const want = exact(x[i] ?? 0);
      if (Math.abs(want) >= 3.4028235e38) continue;
      const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(want) || 1e-45)));
      worst = Math.max(worst, Math.abs(value - want) / 2 ** (exponent - 23));
    }
    expect(worst).toBeLessThan(most);
  });

  it("divide by one number as the processor does", () => {
    const count = 4096;
    const magnitude = () => 2 ** random.uniform(-149, 128);
    const dividends = Float32Array.from({ length: count }, () =>
      random.float() < 0.05 ? pick(special) : (random.float() < 0.5 ? 1 : -1) * magnitude(),
    );
    const moderate = Float32Array.from({ length: count }, () =>
      random.float() < 0.05 ? pick([0, -0]) : random.uniform(-4, 4),
    );
    const divisors = [
      ...special,
      3,
      0.1,
      -7,
      2 - 2 ** -23,
      1 + 2 ** -23,
      2 ** 60,
      2 ** -61,
      1e-40,
      magnitude(),
    ];
    for (const divisor of divisors.map(Math.fround)) {
      for (const x of [dividends, moderate]) {
        for (const place of ["constant", "scalar"]) {
          const before = new Float32Array(2 * count + 1);
          before.set(x);
          before[count] = divisor;
          const inputs = [
            { offset: 0, mode: "each" },
            ...(place === "scalar" ? [{ offset: count, mode: "scalar" } as const] : []),
          ] as const;
          const kernel: MapKernel = {
            kind: "map",
            count,
            inputs,
            constants: place === "constant" ? [divisor] : [],
            steps: [{ operation: "divide", operands: [0, 1], target: 2 }],
            outputs: [{ register: 2, offset: count + 1 }],
          };
          const got = arenaAfter(machine, [kernel], before).slice(count + 1);
          const wrong = got.findIndex((value, i) => !Object.is(value, Math.fround(x[i] / divisor)));
          expect(wrong < 0 ? "equal" : `${x[wrong]} / ${divisor} = ${got[wrong]}`).toBe("equal");
        }
      }
    }
  });

  it("handles NaN, infinities and zeros", () => {
    expect([...valuesOf("exp", [-Infinity, Infinity, NaN, 0, 1000, -1000])]).toEqual([
      0,
      Infinity,
      NaN,
      1,
      Infinity,
      0,
    ]);
    expect([...valuesOf("log", [0, -0, -1, Infinity, NaN, 1, -Infinity])]).toEqual([
      -Infinity,
      -Infinity,
      NaN,
      Infinity,
      NaN,
      0,
      NaN,
    ]);
    expect([...valuesOf("tanh", [-Infinity, Infinity, NaN, 0, -0, 100])]).toEqual([-1, 1, NaN, 0, -0, 1]);
    expect([...valuesOf("relu", [-Infinity, Infinity, NaN, -0])]).toEqual([0, Infinity, NaN, 0]);
    expect([...valuesOf("squareRoot", [-1, 4, NaN, Infinity, 0, -0])]).toEqual([
      NaN,
      2,
      NaN,
      Infinity,
      0,
      -0,
    ]);
  });
});
