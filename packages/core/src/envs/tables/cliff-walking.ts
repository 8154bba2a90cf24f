import { drawAgent, gridCanvas, type Picture } from "../canvas.js";
import { type Outcome, TabularEnvironment } from "./tabular.js";

export interface CliffWalkingOptions {
  /** Whether a move goes in the intended direction only one time in three, and else to one side; default false. */
  readonly slippery?: boolean;
  /** The time limit; no limit by default, as in Gymnasium. */
  readonly maxEpisodeSteps?: number;
}

const rows = 4;
const columns = 12;
const start = (rows - 1) * columns;
const goal = rows * columns - 1;

/** Row and column steps of the actions: up, right, down, left. */
const moves = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
] as const;

/** The lowest row except its two ends. */
const isCliff = (s: number): boolean => s > start && s < goal;

/**
 * S cliff-walking environments: Gymnasium 1.3.0's CliffWalking-v1 as a table of 4 × 12 cells.
 *
 * The observation is the cell, numbered row by row, as a one-hot vector. The actions are up, right, down and left. The
 * reward is −1 per step and −100 for a step over the cliff, which leads back to the start. The goal at the right end of
 * the cliff terminates the episode.
 */
export function cliffWalking(size: number, options: CliffWalkingOptions = {}): TabularEnvironment {
  const { slippery = false, maxEpisodeSteps = Infinity } = options;
  const moved = (s: number, a: number, probability: number): Outcome => {
    const [rowStep, columnStep] = moves[a];
    const row = Math.min(Math.max(Math.floor(s / columns) + rowStep, 0), rows - 1);
    const column = Math.min(Math.max((s % columns) + columnStep, 0), columns - 1);
    const next = row * columns + column;
    if (isCliff(next)) return { probability, next: start, reward: -100, ended: false };
    return { probability, next, reward: -1, ended: next === goal };
  };
  return new TabularEnvironment(
    {
      id: "CliffWalking-v1",
      states: rows * columns,
      actions: moves.length,
      initial: Array.from({ length: rows * columns }, (_, s) => (s === start ? 1 : 0)),
      maxEpisodeSteps,
      outcomes: (s, a) =>
        slippery ? [(a + 3) % 4, a, (a + 1) % 4].map((taken) => moved(s, taken, 1 / 3)) : [moved(s, a, 1)],
      paint: paintCliff,
    },
    size,
  );
}

function paintCliff(s: number): Picture {
  const colours = Array.from({ length: rows * columns }, (_, cell) => {
    if (cell === goal) return 0x57b86b;
    return isCliff(cell) ? 0x5a4038 : 0xe8dcc4;
  });
  const canvas = gridCanvas(rows, columns, colours);
  drawAgent(canvas, Math.floor(s / columns), s % columns);
  return canvas;
}
