import { drawAgent, gridCanvas, gridCell, type Picture } from "../canvas.js";
import { type Outcome, TabularEnvironment } from "./tabular.js";

export interface TaxiOptions {
  /** The time limit; by default 200, as in Gymnasium. */
  readonly maxEpisodeSteps?: number;
}

const side = 5;
/** The stops where passengers wait and travel to: row, column and colour in a picture. */
const stops = [
  [0, 0, 0xe0645c],
  [0, 4, 0x6cc07a],
  [4, 0, 0xe5cf5a],
  [4, 3, 0x6b8fe0],
] as const;
/** The passenger's place while in the taxi; the places before it are the stops. */
const inTaxi = stops.length;
/** Cells with a wall on their right side: "row,column". */
const walls = ["0,1", "1,1", "3,0", "4,0", "3,2", "4,2"];

const states = side * side * (stops.length + 1) * stops.length;
const [south, north, east, west, pickUp] = [0, 1, 2, 3, 4];
const actions = 6;

/** The components of state ((row · 5 + column) · 5 + passenger's place) · 4 + destination. */
interface TaxiState {
  readonly row: number;
  readonly column: number;
  readonly passenger: number;
  readonly destination: number;
}

/**
 * S taxis that pick up a passenger at one of four stops and drop them off at another: Gymnasium 1.3.0's Taxi-v4 as a
 * table of 500 states, without the options for rain and fickle passengers.
 *
 * The observation is the state as a one-hot vector. The actions are south, north, east, west, pick up and drop off. The
 * reward is −1 per step, −10 for an illegal pick-up or drop-off, and 20 for dropping the passenger off at the
 * destination, which terminates the episode. The limit of 200 steps truncates it.
 */
export function taxi(size: number, options: TaxiOptions = {}): TabularEnvironment {
  const starts = Array.from({ length: states }, (_, s) => {
    const { passenger, destination } = decoded(s);
    return passenger !== inTaxi && passenger !== destination;
  });
  const count = starts.filter(Boolean).length;
  return new TabularEnvironment(
    {
      id: "Taxi-v4",
      states,
      actions,
      initial: starts.map((isStart) => (isStart ? 1 / count : 0)),
      maxEpisodeSteps: options.maxEpisodeSteps ?? 200,
      outcomes: (s, a) => [outcome(decoded(s), a)],
      paint: paintTaxi,
    },
    size,
  );
}

function outcome(state: TaxiState, a: number): Outcome {
  const { row, column, passenger, destination } = state;
  const to = (change: Partial<TaxiState>, reward: number, ended = false): Outcome => ({
    probability: 1,
    next: encoded({ ...state, ...change }),
    reward,
    ended,
  });
  if (a === south) return to({ row: Math.min(row + 1, side - 1) }, -1);
  if (a === north) return to({ row: Math.max(row - 1, 0) }, -1);
  if (a === east) return to(openToTheRight(row, column) ? { column: column + 1 } : {}, -1);
  if (a === west) return to(openToTheRight(row, column - 1) ? { column: column - 1 } : {}, -1);
  const stop = stops.findIndex(([stopRow, stopColumn]) => stopRow === row && stopColumn === column);
  if (a === pickUp) return stop >= 0 && stop === passenger ? to({ passenger: inTaxi }, -1) : to({}, -10);
  if (passenger !== inTaxi || stop < 0) return to({}, -10);
  return stop === destination ? to({ passenger: stop }, 20, true) : to({ passenger: stop }, -1);
}

function openToTheRight(row: number, column: number): boolean {
  return column >= 0 && column < side - 1 && !walls.includes(`${row},${column}`);
}

function encoded({ row, column, passenger, destination }: TaxiState): number {
  return ((row * side + column) * (stops.length + 1) + passenger) * stops.length + destination;
}

function decoded(s: number): TaxiState {
  const place = Math.floor(s / stops.length);
  const cell = Math.floor(place / (stops.length + 1));
  return {
    row: Math.floor(cell / side),
    column: cell % side,
    passenger: place % (stops.length + 1),
    destination: s % stops.length,
  };
}

/** Draws the stops in their colours, a frame around the destination, the taxi as a disc, the passenger as a dot. */
function paintTaxi(s: number): Picture {
  const { row, column, passenger, destination } = decoded(s);
  const colours = new Array<number>(side * side).fill(0xf4f5f7);
  for (const [stopRow, stopColumn, colour] of stops) colours[stopRow * side + stopColumn] = colour;
  const canvas = gridCanvas(side, side, colours);
  for (const wall of walls) {
    const [wallRow, wallColumn] = wall.split(",").map(Number);
    canvas.rectangle((wallColumn + 1) * gridCell - 2, wallRow * gridCell, 4, gridCell, 0x2b3038);
  }
  const [toRow, toColumn, toColour] = stops[destination];
  canvas.rectangle(toColumn * gridCell + 1, toRow * gridCell + 1, gridCell - 2, gridCell - 2, 0x2b3038);
  canvas.rectangle(toColumn * gridCell + 4, toRow * gridCell + 4, gridCell - 8, gridCell - 8, toColour);
  drawAgent(canvas, row, column);
  const [fromRow, fromColumn] = passenger === inTaxi ? [row, column] : stops[passenger];
  canvas.disc((fromColumn + 0.5) * gridCell, (fromRow + 0.5) * gridCell, gridCell * 0.15, 0x8a2f86);
  return canvas;
}
