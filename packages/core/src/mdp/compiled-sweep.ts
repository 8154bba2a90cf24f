import { bytesOfText } from "../base/byte-text.js";
import { type StateValues, stateValues } from "../math/units.js";
import type { SparseMdp } from "./sparse-mdp.js";
import type { SparseSoftMdp, SweepOrder, Sweeps } from "./sweep.js";
import { sweepText } from "./sweep-wasm.js";

// The part of the WebAssembly interface that is used here; the standard library of TypeScript has no types
// for it without the DOM.
interface SweepExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly __heap_base: { readonly value: number };
  readonly sweep: (problem: number, v: number, next: number) => number;
}
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  readonly Instance: new (module: WasmModule) => WasmInstance;
};
type WasmInstance = { readonly exports: SweepExports };
type WasmModule = { readonly wasmModule: unique symbol };

/** States that are stored together in Q and in the rewards, so that a pair of them forms one vector. */
const group = 64;
/** log2 of the successors in a range: 32 KiB of V. */
const rangeBits = 12;
/**
 * Q of one block has at most 2^16 numbers (half a megabyte), so 16 bits address the entry that a transition
 * adds to.
 */
const blockNumbers = 2 ** 16;
/**
 * From this number of states on, V does not fit in a typical L2 cache, and transitions are sorted by range of
 * successors.
 */
const manyStates = 2 ** 17;
/** For a smaller τ, 1/τ overflows or nearly does. */
const minTau = 1e-300;
const pageBytes = 65536;
const maxBytes = 2 ** 31;

/** The module, compiled on first use; null if this runtime cannot compile it. */
let compiled: WasmModule | null | undefined;

/**
 * Sweeps in WebAssembly, on a copy of the process in separate memory: 12 bytes per transition, 12 per row and
 * 17 per state. The means equal those of the reference up to the order of additions; exp and log are accurate
 * to one unit in the last place.
 *
 * With more than 2^17 states, reading V at random would miss the cache. Therefore the transitions of a block
 * of states are sorted by range of successors: one range of V and the Q of the block fit in the cache.
 *
 * @returns null when WebAssembly SIMD or enough memory is not available, or τ is below 1e-300.
 */
export function compiledSweeps(
  { mdp, logPrior, tau, gamma }: SparseSoftMdp,
  start: StateValues,
  order: SweepOrder,
): Sweeps | null {
  compiled ??= compiledModule();
  if (compiled === null || (tau > 0 && tau < minTau)) return null;
  const { states, actions } = mdp;
  const groups = Math.ceil(states / group);
  const groupNumbers = group * actions;
  const count = mdp.successors.length;
  const inPlace = order === "gauss-seidel";
  const ranged = !inPlace && states > manyStates && groupNumbers <= blockNumbers;
  const ranges = ranged ? Math.ceil(states / 2 ** rangeBits) : 0;
  const blockGroups = ranged ? Math.floor(blockNumbers / groupNumbers) : 0;
  const blocks = ranged ? Math.ceil(groups / blockGroups) : 0;

  const instance = instanceOf(compiled);
  if (instance === null) return null;
  const { memory, sweep, __heap_base } = instance.exports;
  let end = __heap_base.value;
  const place = (bytes: number) => {
    const at = Math.ceil(end / 64) * 64;
    end = at + bytes;
    return at;
  };
  const problem = place(80);
  const starts = place(4 * (ranged ? blocks * ranges + 1 : mdp.rowStarts.length));
  const rows = place(ranged ? 2 * count : 0);
  const successors = place((ranged ? 2 : 4) * count);
  const probabilities = place(8 * count);
  const rewards = place(8 * groups * groupNumbers);
  const terminal = place(states);
  const q = place(8 * groupNumbers * Math.max(1, blockGroups));
  let now = place(8 * states);
  let next = inPlace ? now : place(8 * states);
  if (end > maxBytes) return null;
  try {
    memory.grow(Math.max(0, Math.ceil((end - memory.buffer.byteLength) / pageBytes)));
  } catch {
    return null;
  }

  const { buffer } = memory;
  if (ranged) {
    byRangesInto(mdp, blockGroups, ranges, {
      starts: new Int32Array(buffer, starts, blocks * ranges + 1),
      rows: new Uint16Array(buffer, rows, count),
      offsets: new Uint16Array(buffer, successors, count),
      probabilities: new Float64Array(buffer, probabilities, count),
    });
  } else {
    new Int32Array(buffer, starts).set(mdp.rowStarts);
    const offsets = new Int32Array(buffer, successors, count);
    // In bytes from the start of V.
    for (let k = 0; k < count; k++) offsets[k] = 8 * mdp.successors[k];
    new Float64Array(buffer, probabilities).set(mdp.probabilities);
  }
  const gains = new Float64Array(buffer, rewards, groups * groupNumbers);
  for (let row = 0, s = 0; row < logPrior.length; s++) {
    for (let a = 0; a < actions; a++, row++) {
      // −∞ must remain −∞ for τ = 0 too.
      const bonus = logPrior[row] === Number.NEGATIVE_INFINITY ? logPrior[row] : tau * logPrior[row];
      gains[slot(s, a, actions)] = mdp.rewards[row] + bonus;
    }
  }
  new Uint8Array(buffer, terminal, states).set(mdp.terminal);
  new Float64Array(buffer, now, states).set(start);
  new Int32Array(buffer, problem, 14).set([
    states,
    actions,
    inPlace ? 1 : 0,
    blockGroups,
    ranges,
    ranged ? 0 : fanoutOf(mdp),
    starts,
    rows,
    successors,
    probabilities,
    rewards,
    terminal,
    q,
  ]);
  new Float64Array(buffer, problem + 56, 2).set([tau, gamma]);
  return {
    bytes: buffer.byteLength,
    get v() {
      return stateValues(new Float64Array(buffer, now, states));
    },
    sweep() {
      const change = sweep(problem, now, next);
      [now, next] = [next, now];
      return change;
    },
  };
}

function compiledModule(): WasmModule | null {
  if (typeof WebAssembly === "undefined") return null;
  try {
    return new WebAssembly.Module(bytesOfText(sweepText));
  } catch {
    return null;
  }
}

/**
 * Null when the runtime cannot create another instance: each one reserves gigabytes of address space until it
 * is collected.
 */
function instanceOf(module: WasmModule): WasmInstance | null {
  try {
    return new WebAssembly.Instance(module);
  } catch {
    return null;
  }
}

/** The index of (s, a) in an array of groups [⌈S/64⌉, A, 64]. */
function slot(s: number, a: number, actions: number): number {
  return ((s >> 6) * actions + a) * group + (s & (group - 1));
}

/** The number of successors of every row, or 0 if rows differ. */
function fanoutOf({ rowStarts }: SparseMdp): number {
  const fanout = rowStarts[1];
  for (let row = 1; row < rowStarts.length; row++) if (rowStarts[row] !== row * fanout) return 0;
  return fanout;
}

/** Sorts transitions by block of states, then by range of successors, then by row. */
function byRangesInto(
  { states, actions, rowStarts, successors, probabilities: p }: SparseMdp,
  blockGroups: number,
  ranges: number,
  out: {
    readonly starts: Int32Array;
    readonly rows: Uint16Array;
    readonly offsets: Uint16Array;
    readonly probabilities: Float64Array;
  },
): void {
  const { starts, rows, offsets, probabilities } = out;
  const blockStates = blockGroups * group;
  const mask = 2 ** rangeBits - 1;
  const places = new Int32Array(ranges);
  let index = 0;
  for (let from = 0; from < states; from += blockStates) {
    const to = Math.min(states, from + blockStates);
    const first = rowStarts[from * actions];
    const last = rowStarts[to * actions];
    places.fill(0);
    for (let k = first; k < last; k++) places[successors[k] >> rangeBits]++;
    let at = first;
    for (let range = 0; range < ranges; range++) {
      starts[index++] = at;
      const length = places[range];
      places[range] = at;
      at += length;
    }
    let k = first;
    for (let row = from * actions; row < to * actions; row++) {
      const where = slot(Math.floor(row / actions) - from, row % actions, actions);
      for (const end = rowStarts[row + 1]; k < end; k++) {
        const here = places[successors[k] >> rangeBits]++;
        rows[here] = where;
        offsets[here] = successors[k] & mask;
        probabilities[here] = p[k];
      }
    }
  }
  starts[index] = successors.length;
}
