import { requireMemory } from "../../base/allocation.js";
import { describeValue, fail, requireNumber } from "../../base/errors.js";
import type { Random } from "../../base/random.js";
import { type Snapshot, snapshotNumber } from "../../base/snapshot.js";
import { type FiniteMdp, validateFiniteMdp } from "../../mdp/finite-mdp.js";
import { drawAgent, gridCanvas, type Picture } from "../canvas.js";
import type { Environment, Observations, StepOutcome } from "../environment.js";
import { type Box, type Discrete, oneHotSpace } from "../spaces.js";

export interface GridWorldOptions {
  /**
   * Rows of equal length: `S` start (drawn uniformly if there are several), `G` goal and `X` pit (both terminate the
   * episode), `#` wall, `.` free cell.
   */
  readonly layout?: readonly string[];
  /** Probability that a move goes to one side instead, half to each side; default 0.1. */
  readonly slip?: number;
  /** Reward of every step; default −0.02. */
  readonly stepReward?: number;
  /** Added when a step enters a goal; default 1. */
  readonly goalReward?: number;
  /** Added when a step enters a pit; default −1. */
  readonly pitReward?: number;
}

const defaultLayout = ["...G", ".#.X", "S..."];

/** Row and column steps of the actions: up, right, down, left. */
const moves = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
] as const;

const colours: Readonly<Record<string, number>> = { "#": 0x4a4f59, G: 0x57b86b, X: 0xc4473d };

/** The actions in clockwise order: a ± 1 (mod 4) are the moves to either side of action a. */
export const gridActions = ["up", "right", "down", "left"] as const;

/**
 * A small maze with its exact Markov decision process ({@link GridWorld.mdp}). The observation is a one-hot vector over
 * the cells, without walls, in reading order.
 *
 * A move into a wall or over the edge leaves the agent where it is. A goal or a pit terminates the episode.
 */
export class GridWorld implements Environment {
  readonly observationSpace: Box;
  readonly actionSpace: Discrete = { kind: "discrete", n: moves.length };
  readonly #layout: readonly string[];
  readonly #starts: readonly number[];
  /** [S], 1 where a cell ends the episode. */
  readonly #terminal: Uint8Array;
  readonly #slip: number;
  /** [S, A]: the cell that a move leads to. */
  readonly #targets: Int32Array;
  /** [S']: the reward of a step that enters a cell. */
  readonly #entering: Float64Array;
  #mdp: FiniteMdp | null = null;
  #random: Random | null = null;
  #cell = 0;

  constructor(options: GridWorldOptions = {}) {
    const { layout = defaultLayout, slip = 0.1 } = options;
    const { stepReward = -0.02, goalReward = 1, pitReward = -1 } = options;
    requireNumber("GridWorld", "slip", slip, 0, 1);
    requireNumber("GridWorld", "stepReward", stepReward, -Number.MAX_VALUE, Number.MAX_VALUE);
    requireNumber("GridWorld", "goalReward", goalReward, -Number.MAX_VALUE, Number.MAX_VALUE);
    requireNumber("GridWorld", "pitReward", pitReward, -Number.MAX_VALUE, Number.MAX_VALUE);
    const { letters, targets } = cellsOf(layout);
    const cells = letters.length;
    this.#layout = layout;
    this.#slip = slip;
    this.#targets = targets;
    this.#starts = letters.flatMap((letter, cell) => (letter === "S" ? [cell] : []));
    this.#entering = Float64Array.from(letters, (letter) => {
      if (letter === "G") return stepReward + goalReward;
      return letter === "X" ? stepReward + pitReward : stepReward;
    });
    this.observationSpace = oneHotSpace(cells);
    this.#terminal = Uint8Array.from(letters, (letter) => (letter === "G" || letter === "X" ? 1 : 0));
  }

  /**
   * The exact process: states are the cells, numbered as in the observation. Made when it is first read.
   * @throws SoftrlError with the code `out-of-memory` for a maze whose S² A probabilities do not fit.
   */
  get mdp(): FiniteMdp {
    this.#mdp ??= this.#process();
    return this.#mdp;
  }

  reset(random: Random, observation: Observations): void {
    this.#random = random;
    this.#cell = this.#starts[random.integer(this.#starts.length)];
    this.#observe(observation);
  }

  step(action: number, observation: Observations): StepOutcome {
    const random = this.#random;
    if (random === null)
      return fail("GridWorld.step", "no episode has begun", { remedy: "call reset first" });
    if (this.#terminal[this.#cell]) {
      fail("GridWorld.step", "the episode has ended", { remedy: "call reset first" });
    }
    if (!(Number.isInteger(action) && action >= 0 && action < moves.length)) {
      fail("GridWorld.step", "the action is out of range", {
        expected: "an integer in [0, 3]",
        got: String(action),
      });
    }
    this.#cell = this.#targets[this.#cell * moves.length + this.#taken(action, random)];
    this.#observe(observation);
    return {
      reward: this.#entering[this.#cell],
      terminated: this.#terminal[this.#cell] === 1,
      truncated: false,
    };
  }

  /** Draws the maze: dark walls, green goals, red pits and the agent as a disc. */
  paint(observation: Observations): Picture {
    const columns = this.#layout[0].length;
    const letters = [...this.#layout.join("")];
    const canvas = gridCanvas(
      this.#layout.length,
      columns,
      letters.map((letter) => colours[letter] ?? 0xf4f5f7),
    );
    let cell = observation.indexOf(1);
    const at = letters.findIndex((letter) => letter !== "#" && cell-- === 0);
    drawAgent(canvas, Math.floor(at / columns), at % columns);
    return canvas;
  }

  save(): Snapshot {
    return { cell: this.#cell };
  }

  restore(snapshot: Snapshot): void {
    const cell = snapshotNumber("GridWorld.restore", snapshot, "cell");
    if (!(Number.isInteger(cell) && cell >= 0 && cell < this.#terminal.length)) {
      fail("GridWorld.restore", "no such cell", {
        expected: `an integer in [0, ${this.#terminal.length - 1}]`,
        got: String(cell),
        remedy: "restore a snapshot of a grid world with the same layout",
      });
    }
    this.#cell = cell;
  }

  /** The move that is actually made. Draws one random number per step, even if slip is 0. */
  #taken(action: number, random: Random): number {
    const draw = random.float();
    if (draw >= this.#slip) return action;
    return (action + (draw < this.#slip / 2 ? 1 : moves.length - 1)) % moves.length;
  }

  #observe(observation: Observations): void {
    observation.fill(0);
    observation[this.#cell] = 1;
  }

  #process(): FiniteMdp {
    const terminal = this.#terminal;
    const states = terminal.length;
    const actions = moves.length;
    requireMemory(
      "GridWorld",
      states * actions * states * Float64Array.BYTES_PER_ELEMENT,
      "use a smaller layout: the exact process has a number for each pair of cells and move",
    );
    const transitions = new Float64Array(states * actions * states);
    const rewards = new Float64Array(states * actions);
    for (let s = 0; s < states; s++) {
      for (let a = 0; a < actions; a++) {
        const row = s * actions + a;
        if (terminal[s]) {
          transitions[row * states + s] = 1;
          continue;
        }
        for (const [turn, probability] of this.#turns()) {
          const next = this.#targets[s * actions + ((a + turn) % actions)];
          transitions[row * states + next] += probability;
          rewards[row] += probability * this.#entering[next];
        }
      }
    }
    const initial = new Float64Array(states);
    for (const start of this.#starts) initial[start] = 1 / this.#starts.length;
    const mdp = { states, actions, transitions, rewards, terminal, initial };
    validateFiniteMdp(mdp, "GridWorld");
    return mdp;
  }

  #turns(): readonly (readonly [turn: number, probability: number])[] {
    return [
      [0, 1 - this.#slip],
      [1, this.#slip / 2],
      [moves.length - 1, this.#slip / 2],
    ];
  }
}

/** The letters of a layout's cells in reading order, without walls, and targets [S, A]: where each move leads. */
function cellsOf(layout: readonly string[]): { letters: string[]; targets: Int32Array } {
  const width = layout[0]?.length ?? 0;
  if (width === 0) fail("GridWorld", "the layout is empty", { expected: 'rows such as "S..G"' });
  const letters: string[] = [];
  /** The cell at each place, row after row; −1 for a wall. */
  const cellAt = new Int32Array(layout.length * width).fill(-1);
  layout.forEach((line, row) => {
    if (line.length !== width) {
      fail("GridWorld", `row ${row} of the layout has a different length`, {
        expected: String(width),
        got: `${line.length} ("${line}")`,
      });
    }
    [...line].forEach((letter, column) => {
      if (!"S.GX#".includes(letter)) {
        fail("GridWorld", `the layout has an unknown letter in row ${row}, column ${column}`, {
          expected: "one of S . G X #",
          got: describeValue(letter),
        });
      }
      if (letter === "#") return;
      cellAt[row * width + column] = letters.length;
      letters.push(letter);
    });
  });
  if (!letters.includes("S")) {
    fail("GridWorld", "the layout has no start", { remedy: "mark at least one cell with S" });
  }
  const targets = new Int32Array(letters.length * moves.length);
  cellAt.forEach((cell, place) => {
    if (cell === -1) return;
    const [row, column] = [Math.floor(place / width), place % width];
    moves.forEach(([down, right], action) => {
      const [below, beside] = [row + down, column + right];
      const isInside = below >= 0 && below < layout.length && beside >= 0 && beside < width;
      const target = isInside ? cellAt[below * width + beside] : -1;
      targets[cell * moves.length + action] = target === -1 ? cell : target;
    });
  });
  return { letters, targets };
}
