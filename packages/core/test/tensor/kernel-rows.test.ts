import { describe, expect, it } from "vitest";
import { RandomStreams } from "../../src/base/random.js";
import type { Kernel } from "../../src/tensor/compiled/kernel.js";
import { arenaAfter, kernelMachines } from "./kernel-machines.js";
import { referenceRun } from "./kernel-reference.js";

const random = new RandomStreams(13).stream("rows");

function shuffled<T>(items: readonly T[]): T[] {
  const result: T[] = [];
  for (const item of items) result.splice(random.integer(result.length + 1), 0, item);
  return result;
}

describe.each(await kernelMachines())("reductions, copies and rows on $name", (machine) => {
  /**
   * Compares the whole arena with the reference; `tolerance` bounds the relative error of changed elements.
   */
  function expectRight(kernel: Kernel, before: Float32Array, tolerance: number): void {
    const want = Float64Array.from(before);
    referenceRun(kernel, want);
    const got = arenaAfter(machine, [kernel], before);
    const wrong = got.findIndex((value, i) => {
      if (Object.is(value, Math.fround(want[i]))) return false;
      if (Object.is(want[i], before[i])) return true;
      return !(Math.abs(value - want[i]) <= tolerance * Math.max(1, Math.abs(want[i])));
    });
    const shown = JSON.stringify({ ...kernel, wrong, got: got[wrong], want: want[wrong] });
    expect(wrong < 0 ? "right" : shown).toBe("right");
  }

  const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => random.float() - 0.5);

  it("reduce over any axes", () => {
    for (let trial = 0; trial < 400; trial++) {
      const axes = 1 + random.integer(6);
      const dims = Array.from({ length: axes }, () => 1 + random.integer(axes > 3 ? 5 : 20));
      if (trial % 4 === 0) dims[random.integer(axes)] = 60 + random.integer(80);
      const reduced = dims.map(() => random.float() < 0.5);
      const length = dims.reduce((product, size) => product * size, 1);
      const x = random.integer(4);
      const kernel: Kernel = {
        kind: "reduce",
        operation: random.float() < 0.5 ? "sum" : "max",
        dims,
        reduced,
        x,
        out: x + length + 2,
      };
      expectRight(kernel, numbers(2 * length + 10), 2e-5);
    }
  });

  it("sum squares", () => {
    for (const count of [1, 3, 16, 17, 100, 1023, 1025, 5000, 40000]) {
      const all = { dims: [count], reduced: [true], x: 1, out: count + 2 };
      expectRight({ kind: "reduce", operation: "sumOfSquares", ...all }, numbers(count + 5), 2e-5);
    }
  });

  it("compute long sums accurately", () => {
    const count = 2 ** 20;
    const before = new Float32Array(count + 8).fill(0.1);
    const all = arenaAfter(
      machine,
      [{ kind: "reduce", operation: "sum", dims: [count], reduced: [true], x: 0, out: count }],
      before,
    );
    const exact = Math.fround(0.1) * count;
    expect(Math.abs(all[count] - exact) / exact).toBeLessThan(1e-6);
    const columns = arenaAfter(
      machine,
      [{ kind: "reduce", operation: "sum", dims: [count / 8, 8], reduced: [true, false], x: 0, out: count }],
      before,
    );
    expect(Math.abs(columns[count + 3] - exact / 8) / (exact / 8)).toBeLessThan(1e-4);
  });

  it("propagate NaN through sums and maxima, and keep −∞", () => {
    for (const last of [3, 40]) {
      for (const reduced of [
        [false, true],
        [true, false],
      ]) {
        const before = new Float32Array(12 * last).fill(-Infinity);
        before[last + 1] = NaN;
        for (const operation of ["sum", "max"] as const) {
          expectRight(
            { kind: "reduce", operation, dims: [3, last], reduced, x: 0, out: 4 * last },
            before,
            0,
          );
        }
      }
    }
  });

  it("copy between any strides", () => {
    for (let trial = 0; trial < 400; trial++) {
      const axes = 1 + random.integer(6);
      const dims = Array.from({ length: axes }, () => 1 + random.integer(axes > 3 ? 4 : 12));
      // Rows of x and out in random orders of the axes, x with broadcast axes, out with gaps as in a
      // concatenation.
      const strides = (broadcast: number, gap: number): { strides: number[]; length: number } => {
        const result = dims.map(() => 0);
        let length = 1 + (random.float() < gap ? random.integer(3) : 0);
        for (const axis of trial % 3 === 0 ? [...dims.keys()].reverse() : shuffled([...dims.keys()])) {
          if (random.float() < broadcast) continue;
          result[axis] = length;
          length *= dims[axis];
          if (random.float() < gap) length += random.integer(3);
        }
        return { strides: result, length: length + 1 };
      };
      const from = strides(0.2, 0.2);
      const to = strides(0, 0.3);
      const x = random.integer(4);
      const out = x + from.length * 2 + 5;
      const kernel: Kernel = { kind: "copy", dims, x, xStrides: from.strides, out, outStrides: to.strides };
      expectRight(kernel, numbers(out + to.length * 2 + 5), 0);
    }
  });

  it("fills", () => {
    for (const count of [1, 3, 4, 17, 64]) {
      expectRight({ kind: "fill", count, value: 0.1, out: 2 }, numbers(count + 5), 0);
      expectRight({ kind: "fill", count, value: NaN, out: 2 }, numbers(count + 5), 0);
    }
  });

  it("gather and scatter, with NaN for an index that is not a column", () => {
    for (const columns of [1, 3, 18]) {
      const indices = [0, columns - 1, columns, -1, 0.5, NaN, Infinity, -0, 3e9, -3e9];
      const rows = indices.length;
      const before = numbers(rows * columns + 2 * rows + 5 + rows * columns);
      before.set(indices, rows * columns);
      const index = rows * columns;
      expectRight({ kind: "gather", rows, columns, x: 0, index, out: index + rows + 1 }, before, 0);
      expectRight({ kind: "scatter", rows, columns, x: 0, index, out: index + rows + 1 }, before, 0);
    }
  });

  it("compute logarithms of sums of exponentials without overflow", () => {
    for (const columns of [1, 2, 4, 6, 18, 33]) {
      for (const kind of ["logSumExp", "logSoftmax"] as const) {
        const rows = 41;
        const before = numbers(2 * rows * columns + 4);
        for (let r = 0; r < rows; r++) {
          const scale = [1, 10, 1000, 1e30][r % 4];
          for (let c = 0; c < columns; c++) before[r * columns + c] *= scale;
        }
        before.fill(-Infinity, 0, columns);
        before[columns] = -Infinity;
        before[2 * columns] = NaN;
        before[3 * columns] = Infinity;
        expectRight({ kind, rows, columns, x: 0, out: rows * columns + 2 }, before, 5e-7);
      }
    }
  });

  it("normalise rows, and their gradients", () => {
    for (const columns of [1, 2, 4, 7, 16, 33, 120, 256]) {
      for (const rows of [1, 41, 700]) {
        const length = rows * columns;
        const before = numbers(3 * length + 5);
        // A mean far from 0, and a row of equal numbers.
        for (let c = 0; c < columns; c++) before[c] += 100;
        if (rows > 1) before.fill(0.75, columns, 2 * columns);
        before[length - 1] = rows === 700 ? NaN : before[length - 1];
        const sizes = { rows, columns, epsilon: 0.01, x: 0 };
        expectRight({ kind: "normalise", ...sizes, out: 2 * length + 2 }, before, 1e-4);
        const gradient = { kind: "normaliseGradient", ...sizes, cotangent: length + 1 } as const;
        expectRight({ ...gradient, out: 2 * length + 3 }, before, 1e-3);
      }
    }
  });
});
