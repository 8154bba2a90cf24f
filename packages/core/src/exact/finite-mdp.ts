import { fail, requireInteger, requireLength } from "../base/errors.js";

/**
 * A finite Markov decision process as plain arrays: what the exact solvers take and a grid world hands out.
 *
 * S is the number of states, A the number of actions; S' is again S. Nothing is discounted here.
 */
export interface FiniteMdp {
  /** S */
  readonly states: number;
  /** A */
  readonly actions: number;
  /** P(s' | s, a): [S, A, S'], row-major; each row over s' sums to one. */
  readonly transitions: Float64Array;
  /** r̄(s, a) = E[r | s, a]: [S, A]. */
  readonly rewards: Float64Array;
  /**
   * [S], 1 where a state ends the episode: it is worth nothing, and its rows of `transitions` and `rewards` are
   * not read (they must be valid all the same; loop to itself with reward 0).
   */
  readonly terminal: Uint8Array;
  /** P(s_0 = s): [S], sums to one. */
  readonly initial: Float64Array;
}

/** How far a row of probabilities may be from a sum of one. */
const rowTolerance = 1e-9;

/**
 * Throws unless every size fits, every number is finite, and every row of probabilities is non-negative and sums
 * to one within 1e-9; the message names the state and the action of the row that is wrong.
 */
export function validateFiniteMdp(mdp: FiniteMdp, where = "FiniteMdp"): void {
  const { states, actions } = mdp;
  requireInteger(where, "states", states, 1);
  requireInteger(where, "actions", actions, 1);
  requireLength(where, "transitions", mdp.transitions.length, states * actions * states, "it is [S, A, S']");
  requireLength(where, "rewards", mdp.rewards.length, states * actions, "it is [S, A]");
  requireLength(where, "terminal", mdp.terminal.length, states, "it is [S]");
  requireLength(where, "initial", mdp.initial.length, states, "it is [S]");
  for (let s = 0; s < states; s++) {
    for (let a = 0; a < actions; a++) {
      const row = s * actions + a;
      requireDistribution(
        where,
        `transitions of state ${s}, action ${a}`,
        mdp.transitions,
        row * states,
        states,
      );
      if (!Number.isFinite(mdp.rewards[row])) {
        fail(where, `rewards of state ${s}, action ${a} is not finite`, { got: String(mdp.rewards[row]) });
      }
    }
    if (mdp.terminal[s] !== 0 && mdp.terminal[s] !== 1) {
      fail(where, `terminal of state ${s} is no flag`, { expected: "0 or 1", got: String(mdp.terminal[s]) });
    }
  }
  requireDistribution(where, "initial", mdp.initial, 0, states);
}

function requireDistribution(
  where: string,
  name: string,
  numbers: Float64Array,
  offset: number,
  length: number,
): void {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const probability = numbers[offset + i];
    if (!(probability >= 0 && probability < Infinity)) {
      fail(where, `${name} holds no probability at state ${i}`, {
        expected: "a finite number of at least 0",
        got: String(probability),
      });
    }
    sum += probability;
  }
  if (!(Math.abs(sum - 1) <= rowTolerance)) {
    fail(where, `${name} does not sum to one`, { expected: `1 within ${rowTolerance}`, got: String(sum) });
  }
}
