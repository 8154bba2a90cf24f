import { fail, requireInteger, requireLength } from "../base/errors.js";

/**
 * A finite Markov decision process as plain arrays. The exact solvers take it, and tabular environments
 * provide it.
 *
 * S is the number of states, A the number of actions; S' equals S. The discount is not part of the process.
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
   * [S], 1 where a state ends the episode. A terminal state has value 0; its rows of `transitions` and
   * `rewards` are not read but must be valid (for example, a loop to itself with reward 0).
   */
  readonly terminal: Uint8Array;
  /** P(s_0 = s): [S], sums to one. */
  readonly initial: Float64Array;
}

/** How far the sum of a row of probabilities may be from one. */
const rowTolerance = 1e-9;

/**
 * Throws unless every size fits, every number is finite, and every row of probabilities is non-negative and
 * sums to one within 1e-9. The message names the state and the action of the invalid row.
 */
export function validateFiniteMdp(mdp: FiniteMdp, where = "FiniteMdp"): void {
  const { states, actions } = mdp;
  requireInteger(where, "states", states, 1);
  requireInteger(where, "actions", actions, 1);
  requireLength(
    where,
    "transitions",
    mdp.transitions.length,
    states * actions * states,
    "its shape is [S, A, S']",
  );
  requireLength(where, "rewards", mdp.rewards.length, states * actions, "its shape is [S, A]");
  requireLength(where, "terminal", mdp.terminal.length, states, "its shape is [S]");
  requireLength(where, "initial", mdp.initial.length, states, "its shape is [S]");
  for (let s = 0; s < states; s++) {
    for (let a = 0; a < actions; a++) {
      const row = s * actions + a;
      const name = () => `transitions of state ${s}, action ${a}`;
      requireDistribution(where, name, mdp.transitions, row * states, states);
      requireReward(where, mdp, row);
    }
    requireFlag(where, mdp.terminal, s);
  }
  requireDistribution(where, () => "initial", mdp.initial, 0, states);
}

/** Throws unless the reward of a row is finite. */
export function requireReward(
  where: string,
  { rewards, actions }: { readonly rewards: Float64Array; readonly actions: number },
  row: number,
): void {
  if (!Number.isFinite(rewards[row])) {
    fail(where, `rewards of state ${Math.floor(row / actions)}, action ${row % actions} is not finite`, {
      got: String(rewards[row]),
    });
  }
}

/** Throws unless the terminal flag of a state is 0 or 1. */
export function requireFlag(where: string, terminal: Uint8Array, s: number): void {
  if (terminal[s] !== 0 && terminal[s] !== 1) {
    fail(where, `terminal of state ${s} is not a flag`, { expected: "0 or 1", got: String(terminal[s]) });
  }
}

/** Throws unless `length` numbers from `offset` are probabilities that sum to one within 1e-9. */
export function requireDistribution(
  where: string,
  name: () => string,
  numbers: Float64Array,
  offset: number,
  length: number,
  place: (at: number) => string = (at) => `state ${at - offset}`,
): void {
  let sum = 0;
  for (let i = offset; i < offset + length; i++) {
    const probability = numbers[i];
    if (!(probability >= 0 && probability < Infinity)) {
      fail(where, `${name()} has an invalid probability at ${place(i)}`, {
        expected: "a finite non-negative number",
        got: String(probability),
      });
    }
    sum += probability;
  }
  if (!(Math.abs(sum - 1) <= rowTolerance)) {
    fail(where, `${name()} does not sum to one`, { expected: `1 within ${rowTolerance}`, got: String(sum) });
  }
}

/** A process as nested arrays. */
export interface MdpArrays {
  /** transitions[s][a][s'] = P(s' | s, a) */
  readonly transitions: readonly (readonly (readonly number[])[])[];
  /** rewards[s][a] = r̄(s, a) */
  readonly rewards: readonly (readonly number[])[];
  /** terminal[s]; defaults to false everywhere. */
  readonly terminal?: readonly boolean[];
  /** initial[s] = P(s_0 = s); defaults to state 0. */
  readonly initial?: readonly number[];
}

/**
 * Builds a validated process from nested arrays.
 * @throws SoftrlError that names the row that is invalid or has the wrong length.
 */
export function finiteMdp({ transitions, rewards, terminal, initial }: MdpArrays): FiniteMdp {
  const where = "finiteMdp";
  const states = transitions.length;
  requireInteger(where, "the number of states", states, 1);
  const actions = transitions[0].length;
  requireInteger(where, "the number of actions", actions, 1);
  requireLength(where, "rewards", rewards.length, states, "one row per state");
  transitions.forEach((rows, s) => {
    requireLength(where, `transitions of state ${s}`, rows.length, actions, "one row per action");
    requireLength(where, `rewards of state ${s}`, rewards[s].length, actions, "one number per action");
    rows.forEach((row, a) => {
      const name = `transitions of state ${s}, action ${a}`;
      requireLength(where, name, row.length, states, "one probability per state");
    });
  });
  const mdp: FiniteMdp = {
    states,
    actions,
    transitions: Float64Array.from(transitions.flat(2)),
    rewards: Float64Array.from(rewards.flat()),
    terminal: terminal === undefined ? new Uint8Array(states) : Uint8Array.from(terminal, Number),
    initial: Float64Array.from(initial ?? transitions.map((_, s) => (s === 0 ? 1 : 0))),
  };
  validateFiniteMdp(mdp, where);
  return mdp;
}
