import { type StateValues, stateValues } from "../math/units.js";
import { compiledSweeps } from "./compiled-sweep.js";
import { type SparseSoftMdp, type SweepOrder, type Sweeps, sweepInto } from "./sweep.js";

/** Below so many transitions a copy into WebAssembly is not worth its while. */
const fewTransitions = 4096;

/**
 * Sweeps from a first V [S], which must be 0 at terminal states: in WebAssembly where that pays and can be had, else
 * {@link plainSweeps}.
 */
export function sweepsFrom(problem: SparseSoftMdp, start: StateValues, order: SweepOrder): Sweeps {
  const compiled =
    problem.mdp.successors.length < fewTransitions ? null : compiledSweeps(problem, start, order);
  return compiled ?? plainSweeps(problem, start, order);
}

/** Sweeps by {@link sweepInto}: the reference that the compiled ones are held to. */
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
