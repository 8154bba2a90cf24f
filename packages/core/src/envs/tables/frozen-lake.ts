import { drawAgent, gridCanvas, type Picture } from "../canvas.js";
import { type Outcome, TabularEnvironment } from "./tabular.js";

export interface FrozenLakeOptions {
  /** Whether a move goes in the intended direction only one time in three, and else to one side; default true. */
  readonly slippery?: boolean;
  /** The time limit; by default 100 for the small lake and 200 for the large one, as in Gymnasium. */
  readonly maxEpisodeSteps?: number;
}

/** `S` start, `F` ice, `H` hole, `G` goal. */
const lakes = {
  "4x4": {
    id: "FrozenLake-v1",
    maxEpisodeSteps: 100,
    map: ["SFFF", "FHFH", "FFFH", "HFFG"],
  },
  "8x8": {
    id: "FrozenLake8x8-v1",
    maxEpisodeSteps: 200,
    map: ["SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF", "FFFHFFFG"],
  },
};

/** Row and column steps of the actions: left, down, right, up. */
const moves = [
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
] as const;

const colours: Readonly<Record<string, number>> = { S: 0xcfe8f5, F: 0xe3f2fa, H: 0x2f4f66, G: 0x57b86b };

/**
 * S frozen lakes: Gymnasium 1.3.0's FrozenLake-v1 (`4x4`) and FrozenLake8x8-v1 (`8x8`) as tables.
 *
 * The observation is the cell, numbered row by row, as a one-hot vector. The actions are left, down, right and up. The
 * reward is 1 at the goal and 0 elsewhere. The goal and the holes terminate the episode; the time limit truncates it.
 */
export function frozenLake(
  lake: keyof typeof lakes,
  size: number,
  options: FrozenLakeOptions = {},
): TabularEnvironment {
  const { id, map } = lakes[lake];
  const { slippery = true, maxEpisodeSteps = lakes[lake].maxEpisodeSteps } = options;
  const side = map.length;
  const letters = map.join("");
  const moved = (s: number, a: number, probability: number): Outcome => {
    const [rowStep, columnStep] = moves[a];
    const row = Math.min(Math.max(Math.floor(s / side) + rowStep, 0), side - 1);
    const column = Math.min(Math.max((s % side) + columnStep, 0), side - 1);
    const next = row * side + column;
    const ended = letters[next] === "G" || letters[next] === "H";
    return { probability, next, reward: letters[next] === "G" ? 1 : 0, ended };
  };
  return new TabularEnvironment(
    {
      id,
      states: letters.length,
      actions: moves.length,
      initial: [...letters].map((letter) => (letter === "S" ? 1 : 0)),
      maxEpisodeSteps,
      outcomes: (s, a) => {
        if (letters[s] === "G" || letters[s] === "H") {
          return [{ probability: 1, next: s, reward: 0, ended: true }];
        }
        if (!slippery) return [moved(s, a, 1)];
        // Computed as in Gymnasium: the two probabilities differ in the last bit.
        const meant = 1 / 3;
        const astray = (1 - meant) / 2;
        return [moved(s, (a + 3) % 4, astray), moved(s, a, meant), moved(s, (a + 1) % 4, astray)];
      },
      paint: (s) => paintLake(letters, side, s),
    },
    size,
  );
}

function paintLake(letters: string, side: number, s: number): Picture {
  const canvas = gridCanvas(
    side,
    side,
    [...letters].map((letter) => colours[letter]),
  );
  drawAgent(canvas, Math.floor(s / side), s % side);
  return canvas;
}
