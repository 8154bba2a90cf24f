/** The maze of two figures: its process, and its cells as a picture. */
import { type FiniteMdp, GridWorld, gridActions, type LogPrior, logPrior } from "softrl";
import { drawn } from "../drawing/drawn.js";

/** S start, G goal, X pit, # wall. */
const LAYOUT = ["...G", ".#.X", "S..."] as const;
export const COLUMNS = LAYOUT[0].length;
export const ROWS = LAYOUT.length;

export const maze: FiniteMdp = new GridWorld({ layout: LAYOUT }).mdp;
/** The uniform reference policy of every cell: [S, A] log π̄. */
export const uniformPrior: LogPrior = logPrior(
  new Float64Array(maze.states * maze.actions).fill(Math.log(1 / maze.actions)),
);

/** A unit step of each action in a picture, y downwards, in the order of `gridActions`. */
export const directions = gridActions.map((name) => ({
  name,
  sign: { up: "↑", right: "→", down: "↓", left: "←" }[name],
  x: { up: 0, right: 1, down: 0, left: -1 }[name],
  y: { up: -1, right: 0, down: 1, left: 0 }[name],
}));

/** A cell that is not a wall. */
export interface Cell {
  /** Its state in the process. */
  readonly state: number;
  readonly row: number;
  readonly column: number;
  readonly letter: string;
}

/** The cells in the order of the states. */
export const cells: readonly Cell[] = LAYOUT.flatMap((line, row) =>
  [...line].flatMap((letter, column) => (letter === "#" ? [] : [{ row, column, letter }])),
).map((cell, state) => ({ ...cell, state }));

/** The cell in which an episode begins. */
export const startCell: Cell = cells.find(({ letter }) => letter === "S") ?? cells[0];

/** `row 1, column 2` */
export const cellName = ({ row, column }: Cell): string => `row ${row + 1}, column ${column + 1}`;

/** Where the middle of a cell is in a picture with cells of this size. */
export function centreOf(
  { row, column }: { readonly row: number; readonly column: number },
  size: number,
  edge = 2,
) {
  return { x: edge + (column + 0.5) * size, y: edge + (row + 0.5) * size };
}

/** Draws the squares of the maze: walls, goal and pit, with a letter at the start; returns the squares by state. */
export function drawMaze(svg: SVGElement, size: number, edge = 2): readonly SVGElement[] {
  const squares: SVGElement[] = [];
  LAYOUT.forEach((line, row) => {
    [...line].forEach((letter, column) => {
      const at = {
        x: edge + column * size + 1,
        y: edge + row * size + 1,
        width: size - 2,
        height: size - 2,
        rx: 3,
      };
      const kind = { "#": "wall", G: "goal", X: "pit" }[letter] ?? "free";
      const square = drawn(svg, "rect", { class: `cell ${kind}`, ...at });
      if (letter === "#") return;
      squares.push(square);
      const { x, y } = centreOf({ row, column }, size, edge);
      const word = { G: "goal +1", X: "pit −1" }[letter];
      if (word !== undefined)
        drawn(
          svg,
          "text",
          { class: `cell-word${size < 90 ? " small" : ""}`, x, y: y + 5, "text-anchor": "middle" },
          word,
        );
      if (letter === "S")
        drawn(svg, "text", { class: "cell-start", x: at.x + 6, y: at.y + at.height - 7 }, "S");
    });
  });
  return squares;
}

/** The shade of a value between the lowest and the highest: an opacity. */
export const shade = (v: number): number => Math.min(0.34, Math.max(0, (v + 0.25) * 0.27));
