import { type StateValues, stateValues } from "../math/units.js";
import { compiledSweeps } from "./compiled-sweep.js";
import { type SparseSoftMdp, type SweepOrder, type Sweeps, sweepInto } from "./sweep.js";

/** With fewer transitions than this, a copy into WebAssembly does not pay off. */
const fewTransitions = 4096;

/**
 * Sweeps that start from a V [S], which must be 0 at terminal states. Uses WebAssembly where it is available
 * and pays off, otherwise {@link plainSweeps}.
 */
export function sweepsFrom(problem: SparseSoftMdp, start: StateValues, order: SweepOrder): Sweeps {
  const compiled =
    problem.mdp.successors.length < fewTransitions ? null : compiledSweeps(problem, start, order);
  return compiled ?? plainSweeps(problem, start, order);
}

/** Sweeps by {@link sweepInto}: the reference implementation that the compiled one is checked against. */
export function plainSweeps(problem: SparseSoftMdp, start: StateValues, order: SweepOrder): Sweeps {
  let v = stateValues(start.slice());
  let next = order === "jacobi" ? stateValues(new Float64Array(v.length)) : v;
  return {
    bytes: v.byteLength + (next === v ? 0 : next.byteLength),
    get v() {
      return v;
    },
    sweep() {
      const change = sweepInto(problem, v, next);
      [v, next] = [next, v];
      return change;
    },
  };
}
