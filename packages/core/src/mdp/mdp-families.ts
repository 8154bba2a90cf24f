/** Example processes: a random family, and two classic exploration problems. */
import { requireMemory } from "../base/allocation.js";
import { fail, requireInteger, requireNumber } from "../base/errors.js";
import type { Random } from "../base/random.js";
import type { FiniteMdp } from "./finite-mdp.js";
import { type Mdp, type SparseMdp, validateMdp } from "./sparse-mdp.js";

/** The parameters of a Garnet. */
export interface GarnetOptions {
  /** S */
  readonly states: number;
  /** A */
  readonly actions: number;
  /** b: the number of different successors of each (s, a), at most S. */
  readonly branching: number;
  /** The fraction of states, counted from the last one, that end the episode; defaults to 0. */
  readonly terminal?: number;
}

/**
 * A Garnet (Archibald, McKinnon and Thomas 1995). Each (s, a) has b different successors, drawn uniformly;
 * their probabilities are the lengths of the pieces that b − 1 uniform cuts make of [0, 1]. Rewards are
 * uniform in [−1, 1), and state 0 is the initial state.
 */
export function garnet(options: GarnetOptions, random: Random): SparseMdp {
  const { states, actions, branching, terminal: ending = 0 } = options;
  requireInteger("garnet", "states", states, 1);
  requireInteger("garnet", "actions", actions, 1);
  requireInteger("garnet", "branching", branching, 1);
  requireNumber("garnet", "terminal", ending, 0, 1);
  if (!(branching <= states)) {
    fail("garnet", "branching is out of range", {
      expected: `at most ${states} states`,
      got: String(branching),
    });
  }
  const rows = states * actions;
  requireMemory("garnet", 12 * rows * branching + 12 * rows + 9 * states, "use fewer states or successors");
  const rowStarts = Int32Array.from({ length: rows + 1 }, (_, row) => row * branching);
  const successors = new Int32Array(rows * branching);
  const probabilities = new Float64Array(rows * branching);
  const rewards = new Float64Array(rows);
  const cuts = new Float64Array(branching + 1);
  for (let row = 0; row < rows; row++) {
    const from = row * branching;
    drawDifferentInto(successors.subarray(from, from + branching), states, random);
    for (let k = 1; k < branching; k++) cuts[k] = random.float();
    cuts[0] = 0;
    cuts[branching] = 1;
    cuts.sort();
    for (let k = 0; k < branching; k++) probabilities[from + k] = cuts[k + 1] - cuts[k];
    rewards[row] = random.uniform(-1, 1);
  }
  const terminal = new Uint8Array(states);
  terminal.fill(1, states - Math.floor(ending * states));
  const initial = new Float64Array(states);
  initial[0] = 1;
  return { states, actions, rowStarts, successors, probabilities, rewards, terminal, initial };
}

/** The parameters of the chain. The defaults are the usual values. */
export interface ChainOptions {
  /** Number of states; defaults to 5. */
  readonly length?: number;
  /** Probability that the other action is taken; defaults to 0.2. */
  readonly slip?: number;
  /** Reward for returning to the start; defaults to 2. */
  readonly small?: number;
  /** Reward for moving forward at the last state; defaults to 10. */
  readonly large?: number;
}

/**
 * The chain (Strens 2000). Action 0 moves forward for no reward; at the last state it stays there and earns
 * `large`. Action 1 returns to the start and earns `small`. Episodes never end.
 */
export function chain({ length = 5, slip = 0.2, small = 2, large = 10 }: ChainOptions = {}): FiniteMdp {
  requireInteger("chain", "length", length, 2);
  requireNumber("chain", "slip", slip, 0, 1);
  const mdp = endlessMdp("chain", length, 2);
  for (let s = 0; s < length; s++) {
    for (const a of [0, 1]) {
      for (const move of [0, 1]) {
        const p = move === a ? 1 - slip : slip;
        const next = move === 0 ? Math.min(s + 1, length - 1) : 0;
        mdp.transitions[(s * 2 + a) * length + next] += p;
        mdp.rewards[s * 2 + a] += p * (move === 1 ? small : s === length - 1 ? large : 0);
      }
    }
  }
  validateMdp(mdp, "chain");
  return mdp;
}

/**
 * River swim (Strehl and Littman 2008). Action 0 swims left, with the current, and earns 0.005 at the bank.
 * Action 1 swims right, against the current (forward with probability 0.35, no progress 0.6, back 0.05), and
 * earns 1 at the far end. Episodes never end.
 */
export function riverSwim(length = 6): FiniteMdp {
  requireInteger("riverSwim", "length", length, 3);
  const mdp = endlessMdp("riverSwim", length, 2);
  const { transitions, rewards } = mdp;
  const last = length - 1;
  for (let s = 0; s < length; s++) {
    transitions[s * 2 * length + Math.max(s - 1, 0)] = 1;
    const right = (s * 2 + 1) * length;
    if (s === 0) {
      transitions[right] = 0.4;
      transitions[right + 1] = 0.6;
    } else if (s === last) {
      transitions[right + last - 1] = 0.4;
      transitions[right + last] = 0.6;
    } else {
      transitions[right + s - 1] = 0.05;
      transitions[right + s] = 0.6;
      transitions[right + s + 1] = 0.35;
    }
  }
  rewards[0] = 0.005;
  rewards[last * 2 + 1] = 1;
  validateMdp(mdp, "riverSwim");
  return mdp;
}

/**
 * The validated process of an environment that provides it as `mdp`, such as `GridWorld`.
 * @throws SoftrlError when the environment has no process, or a malformed one.
 */
export function mdpOf(environment: object): Mdp {
  const where = `mdpOf ${environment.constructor.name}`;
  if (!hasMdp(environment)) {
    return fail(where, "this environment has no exact process", {
      expected: "a property named mdp",
      remedy: "use a tabular environment such as GridWorld, or define the process with finiteMdp",
    });
  }
  validateMdp(environment.mdp, where);
  return environment.mdp;
}

function hasMdp(environment: object): environment is { readonly mdp: Mdp } {
  return "mdp" in environment && typeof environment.mdp === "object" && environment.mdp !== null;
}

function endlessMdp(where: string, states: number, actions: number): FiniteMdp {
  requireMemory(where, 8 * states * actions * states, "use fewer states");
  const initial = new Float64Array(states);
  initial[0] = 1;
  return {
    states,
    actions,
    transitions: new Float64Array(states * actions * states),
    rewards: new Float64Array(states * actions),
    terminal: new Uint8Array(states),
    initial,
  };
}

/** Different integers in [0, n), every subset equally likely (Floyd's algorithm). */
function drawDifferentInto(numbers: Int32Array, n: number, random: Random): void {
  const count = numbers.length;
  for (let k = 0; k < count; k++) {
    const high = n - count + k;
    const draw = random.integer(high + 1);
    let taken = false;
    for (let j = 0; j < k && !taken; j++) taken = numbers[j] === draw;
    numbers[k] = taken ? high : draw;
  }
}
