import {
  garnet,
  logPrior,
  plainSweeps,
  type Random,
  RandomStreams,
  type SparseMdp,
  type SparseSoftMdp,
  type SweepOrder,
  softValueIteration,
  stateValues,
  sweepsFrom,
} from "softrl";
import { describe, expect, it, vi } from "vitest";
import { compiledSweeps } from "../../src/mdp/compiled-sweep.js";

/** The largest difference between the two over some sweeps, relative to the size of V. */
function difference(problem: SparseSoftMdp, order: SweepOrder, random: Random, sweeps = 5): number {
  const { states, terminal } = problem.mdp;
  const start = stateValues(
    Float64Array.from({ length: states }, (_, s) => (terminal[s] ? 0 : random.uniform(-3, 3))),
  );
  const compiled = compiledSweeps(problem, start, order);
  if (compiled === null) throw new Error("WebAssembly is not available");
  const plain = plainSweeps(problem, start, order);
  let worst = 0;
  for (let i = 0; i < sweeps; i++) {
    const changes = [compiled.sweep(), plain.sweep()];
    const size = plain.v.reduce((high, x) => Math.max(high, Math.abs(x)), 1);
    worst = Math.max(worst, Math.abs(changes[0] - changes[1]) / size);
    for (let s = 0; s < states; s++) {
      worst = Math.max(worst, Math.abs(compiled.v[s] - plain.v[s]) / size);
    }
  }
  return worst;
}

/** Rows of unequal length: in every third row the first two successors are merged. */
function ragged(mdp: SparseMdp): SparseMdp {
  const rowStarts = new Int32Array(mdp.rowStarts.length);
  const successors: number[] = [];
  const probabilities: number[] = [];
  for (let row = 0; row < rowStarts.length - 1; row++) {
    for (let k = mdp.rowStarts[row]; k < mdp.rowStarts[row + 1]; k++) {
      const joins = row % 3 === 0 && k === mdp.rowStarts[row] + 1;
      if (joins) probabilities[probabilities.length - 1] += mdp.probabilities[k];
      else {
        successors.push(mdp.successors[k]);
        probabilities.push(mdp.probabilities[k]);
      }
    }
    rowStarts[row + 1] = successors.length;
  }
  return {
    ...mdp,
    rowStarts,
    successors: Int32Array.from(successors),
    probabilities: Float64Array.from(probabilities),
  };
}

function drawn(random: Random, states: number, actions: number, tau: number): SparseSoftMdp {
  const branching = 1 + random.integer(Math.min(states, 6));
  const mdp = ragged(garnet({ states, actions, branching, terminal: random.integer(2) / 5 }, random));
  const kind = random.integer(3);
  // The same row for all states, a different row for each state, or some actions forbidden.
  const prior = Float64Array.from({ length: states * actions }, (_, row) => {
    if (kind === 0) return -0.5 - (row % actions);
    if (kind === 2 && row % actions > 0 && random.integer(3) === 0) return Number.NEGATIVE_INFINITY;
    return random.uniform(-4, 2);
  });
  return { mdp, logPrior: logPrior(prior), tau, gamma: random.uniform(0.5, 1) };
}

describe("sweeps in WebAssembly", () => {
  it.each(["jacobi", "gauss-seidel"] as const)("match the reference to 1e-13, %s", (order) => {
    const random = new RandomStreams(1).stream("sweeps");
    for (const tau of [0, 1e-300, 1e-9, 1e-3, 0.1, 1, 30]) {
      for (const states of [1, 2, 63, 64, 65, 200]) {
        const problem = drawn(random, states, 1 + random.integer(5), tau);
        expect(difference(problem, order, random)).toBeLessThan(1e-13);
      }
    }
  });

  it("match the reference above 2^17 states, where transitions are sorted by range of successors", () => {
    const random = new RandomStreams(2).stream("sweeps");
    for (const actions of [1, 3]) {
      expect(difference(drawn(random, 2 ** 17 + 70, actions, 0.1), "jacobi", random, 2)).toBeLessThan(1e-13);
    }
  });

  it("are used by value iteration for larger processes, with the same bound", () => {
    const random = new RandomStreams(3).stream("sweeps");
    const problem = { ...drawn(random, 3000, 4, 0.1), gamma: 0.9 };
    for (const order of ["jacobi", "gauss-seidel"] as const) {
      const { v, bound, iterations } = softValueIteration(problem, { tolerance: 1e-9, order });
      const plain = plainSweeps(problem, stateValues(new Float64Array(3000)), order);
      for (let i = 0; i < iterations; i++) plain.sweep();
      expect(Math.max(...v.map((x, s) => Math.abs(x - plain.v[s])))).toBeLessThan(1e-12);
      expect(bound).toBeLessThan(1e-8);
      // V is a separate array, not a view of the memory of the sweeps.
      expect(v.buffer.byteLength).toBe(8 * 3000);
    }
  });

  it("fall back to TypeScript if no more WebAssembly memory can be allocated", () => {
    const problem = drawn(new RandomStreams(5).stream("sweeps"), 1000, 4, 0.1);
    const start = stateValues(new Float64Array(1000));
    class Full {
      constructor() {
        throw new RangeError("Cannot allocate Wasm memory for new instance");
      }
    }
    const { Module } = WebAssembly;
    vi.stubGlobal("WebAssembly", { Module, Instance: Full });
    try {
      expect(compiledSweeps(problem, start, "jacobi")).toBeNull();
      expect(sweepsFrom(problem, start, "jacobi").bytes).toBe(16 * 1000);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(compiledSweeps(problem, start, "jacobi")).not.toBeNull();
  });

  it("report their memory: 12 bytes per transition, 12 per row, 17 per state, and little more", () => {
    const random = new RandomStreams(4).stream("sweeps");
    for (const states of [50_000, 200_000]) {
      const mdp = garnet({ states, actions: 4, branching: 5 }, random);
      const problem = { mdp, logPrior: logPrior(new Float64Array(4 * states)), tau: 0.1, gamma: 0.9 };
      const { bytes } = sweepsFrom(problem, stateValues(new Float64Array(states)), "jacobi");
      const stated = 12 * 20 * states + 12 * 4 * states + 17 * states;
      expect(bytes).toBeGreaterThan(0.9 * stated);
      expect(bytes).toBeLessThan(stated + 2 ** 20);
    }
  });
});
