import { requireMemory } from "../base/allocation.js";
import { fail, requireInteger, requireLength } from "../base/errors.js";
import {
  type FiniteMdp,
  requireDistribution,
  requireFlag,
  requireReward,
  validateFiniteMdp,
} from "./finite-mdp.js";

/**
 * A finite Markov decision process with a list of successors for each row (s, a): compressed sparse rows.
 *
 * Row i = s · A + a consists of the entries rowStarts[i] … rowStarts[i + 1] − 1 of `successors` and
 * `probabilities`. It takes 12 bytes per transition and 12 per row, plus V: a million states with 4 actions
 * and 5 successors take 290 MB.
 */
export interface SparseMdp {
  /** S */
  readonly states: number;
  /** A */
  readonly actions: number;
  /** [S · A + 1], increasing from 0 to the number of transitions. */
  readonly rowStarts: Int32Array;
  /** s' of each transition. */
  readonly successors: Int32Array;
  /** P(s' | s, a) of each transition; those of one row sum to one. */
  readonly probabilities: Float64Array;
  /** r̄(s, a): [S, A]. */
  readonly rewards: Float64Array;
  /** [S], 1 where a state ends the episode; its rows are not read but must be valid. */
  readonly terminal: Uint8Array;
  /** P(s_0 = s): [S], sums to one. */
  readonly initial: Float64Array;
}

/** A finite process in dense or sparse form. */
export type Mdp = FiniteMdp | SparseMdp;

/**
 * Throws under the same conditions as {@link validateFiniteMdp}, and when a successor is out of range or a
 * list is not in order. The message names the row.
 */
export function validateSparseMdp(mdp: SparseMdp, where = "SparseMdp"): void {
  const { states, actions, rowStarts, successors, probabilities } = mdp;
  requireInteger(where, "states", states, 1);
  requireInteger(where, "actions", actions, 1);
  const rows = states * actions;
  const count = successors.length;
  requireLength(where, "rowStarts", rowStarts.length, rows + 1, "its shape is [S · A + 1]");
  requireLength(where, "probabilities", probabilities.length, count, "one per successor");
  requireLength(where, "rewards", mdp.rewards.length, rows, "its shape is [S, A]");
  requireLength(where, "terminal", mdp.terminal.length, states, "its shape is [S]");
  requireLength(where, "initial", mdp.initial.length, states, "its shape is [S]");
  if (rowStarts[0] !== 0 || rowStarts[rows] !== count) {
    fail(where, "rowStarts does not span the transitions", {
      expected: `0 first and ${count} last`,
      got: `${rowStarts[0]} and ${rowStarts[rows]}`,
    });
  }
  for (let row = 0; row < rows; row++) {
    const from = rowStarts[row];
    const to = rowStarts[row + 1];
    if (!(to > from))
      fail(where, `${nameOfRow(mdp, row)} has no successors`, { got: `${to - from} entries` });
    for (let k = from; k < to; k++) {
      if (!(successors[k] >= 0 && successors[k] < states)) {
        fail(where, `${nameOfRow(mdp, row)} has a successor out of range`, {
          expected: `a state in [0, ${states})`,
          got: String(successors[k]),
        });
      }
    }
    const named = (k: number) => `successor ${successors[k]}`;
    requireDistribution(where, () => nameOfRow(mdp, row), probabilities, from, to - from, named);
    requireReward(where, mdp, row);
  }
  for (let s = 0; s < states; s++) requireFlag(where, mdp.terminal, s);
  requireDistribution(where, () => "initial", mdp.initial, 0, states);
}

/** Throws unless a process of either form is valid. */
export function validateMdp(mdp: Mdp, where = "Mdp"): void {
  if (isSparse(mdp)) validateSparseMdp(mdp, where);
  else validateFiniteMdp(mdp, where);
}

/** Whether a process is in the sparse form. */
export function isSparse(mdp: Mdp): mdp is SparseMdp {
  return "successors" in mdp;
}

/** The same process in sparse form; returns its argument if it is sparse already. */
export function sparseMdp(mdp: Mdp): SparseMdp {
  if (isSparse(mdp)) return mdp;
  const { states, actions, transitions } = mdp;
  const rows = states * actions;
  const rowStarts = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    let count = 0;
    for (let s = 0; s < states; s++) if (transitions[row * states + s] !== 0) count++;
    rowStarts[row + 1] = rowStarts[row] + count;
  }
  const successors = new Int32Array(rowStarts[rows]);
  const probabilities = new Float64Array(rowStarts[rows]);
  let k = 0;
  for (let i = 0; i < transitions.length; i++) {
    if (transitions[i] === 0) continue;
    successors[k] = i % states;
    probabilities[k++] = transitions[i];
  }
  const { rewards, terminal, initial } = mdp;
  return { states, actions, rowStarts, successors, probabilities, rewards, terminal, initial };
}

/**
 * The same process in dense form: a full row over s' for each (s, a), S² A numbers. Returns its argument if
 * it is dense already.
 */
export function denseMdp(mdp: Mdp): FiniteMdp {
  if (!isSparse(mdp)) return mdp;
  const { states, actions, rowStarts, successors, probabilities } = mdp;
  requireMemory("denseMdp", 8 * states * actions * states, "use a solver that takes the sparse form");
  const transitions = new Float64Array(states * actions * states);
  for (let row = 0; row < states * actions; row++) {
    for (let k = rowStarts[row]; k < rowStarts[row + 1]; k++) {
      transitions[row * states + successors[k]] += probabilities[k];
    }
  }
  const { rewards, terminal, initial } = mdp;
  return { states, actions, transitions, rewards, terminal, initial };
}

/**
 * Σ P(s'|s,a) x(s') for each row, where x counts as 0 at terminal s'; 0 in the rows of terminal states. [S,
 * A]
 */
export function successorMeans(mdp: Mdp, x: Float64Array): Float64Array {
  const { states, actions, terminal } = mdp;
  const means = new Float64Array(states * actions);
  for (let row = 0; row < means.length; row++) {
    if (terminal[Math.floor(row / actions)]) continue;
    let mean = 0;
    if (isSparse(mdp)) {
      for (let k = mdp.rowStarts[row]; k < mdp.rowStarts[row + 1]; k++) {
        const next = mdp.successors[k];
        if (!terminal[next]) mean += mdp.probabilities[k] * x[next];
      }
    } else {
      const { transitions } = mdp;
      for (let s = 0; s < states; s++) if (!terminal[s]) mean += transitions[row * states + s] * x[s];
    }
    means[row] = mean;
  }
  return means;
}

/** Σ_a weight(s,a) P(s'|s,a) between non-terminal states: [S, S'] row-major, 0 elsewhere. */
export function weightedTransitions(mdp: Mdp, weights: Float64Array): Float64Array {
  const { states, actions, terminal } = mdp;
  requireMemory("weightedTransitions", 8 * states * states, "use fewer states");
  const matrix = new Float64Array(states * states);
  for (let row = 0; row < states * actions; row++) {
    const s = Math.floor(row / actions);
    if (terminal[s]) continue;
    if (isSparse(mdp)) {
      for (let k = mdp.rowStarts[row]; k < mdp.rowStarts[row + 1]; k++) {
        const next = mdp.successors[k];
        if (!terminal[next]) matrix[s * states + next] += weights[row] * mdp.probabilities[k];
      }
    } else {
      for (let next = 0; next < states; next++) {
        if (!terminal[next]) {
          matrix[s * states + next] += weights[row] * mdp.transitions[row * states + next];
        }
      }
    }
  }
  return matrix;
}

/** The first state from which no sequence of actions in `allowed` [S, A] reaches a terminal state, or −1. */
export function stateWithoutEnd(mdp: Mdp, allowed: (row: number) => boolean): number {
  const { states, actions, terminal } = mdp;
  const ends = Uint8Array.from(terminal);
  // Propagates backwards until nothing changes: at most S passes, and on most processes only a few.
  for (let changed = true; changed; ) {
    changed = false;
    for (let s = states - 1; s >= 0; s--) {
      if (ends[s]) continue;
      for (let row = s * actions; row < (s + 1) * actions && !ends[s]; row++) {
        if (allowed(row) && leadsInto(mdp, row, ends)) {
          ends[s] = 1;
          changed = true;
        }
      }
    }
  }
  return ends.indexOf(0);
}

function leadsInto(mdp: Mdp, row: number, set: Uint8Array): boolean {
  if (isSparse(mdp)) {
    for (let k = mdp.rowStarts[row]; k < mdp.rowStarts[row + 1]; k++) {
      if (mdp.probabilities[k] > 0 && set[mdp.successors[k]]) return true;
    }
    return false;
  }
  for (let s = 0; s < mdp.states; s++) {
    if (set[s] && mdp.transitions[row * mdp.states + s] > 0) return true;
  }
  return false;
}

function nameOfRow({ actions }: Mdp, row: number): string {
  return `transitions of state ${Math.floor(row / actions)}, action ${row % actions}`;
}
