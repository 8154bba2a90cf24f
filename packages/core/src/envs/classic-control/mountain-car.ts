import { type Snapshot, snapshotArray } from "../../base/snapshot.js";
import { cosine } from "../../math/trigonometric.js";
import { ArrayEnvironment } from "../array-environment.js";
import { Canvas, type Picture } from "../canvas.js";
import type { Observations } from "../environment.js";

const farthestLeft = -1.2;
const farthestRight = 0.6;
const fastest = 0.07;
const goal = 0.5;
const force = 0.001;
const gravity = 0.0025;

export interface MountainCarOptions {
  /** The time limit; by default 200, as in Gymnasium. */
  readonly maxEpisodeSteps?: number;
}

/**
 * S cars in a valley, too weak to climb out without momentum, stepped together over typed arrays. Reimplements
 * Gymnasium 1.3.0's MountainCar-v0.
 *
 * The state (position, velocity) is float64; the observation is the state rounded to float32. Actions push left (0),
 * not at all (1) or right (2). The reward is −1 per step. Reaching position 0.5 terminates the episode; the limit of
 * 200 steps truncates it. A cosine may differ from Gymnasium's in the last bit, and so may the observations.
 */
export class MountainCar extends ArrayEnvironment<Float32Array> {
  readonly #states: Float64Array;

  /** @param size the number of environments S. */
  constructor(size: number, options: MountainCarOptions = {}) {
    super(
      {
        id: "MountainCar-v0",
        size,
        observationSpace: {
          kind: "box",
          shape: [2],
          dtype: "float32",
          low: [farthestLeft, -fastest].map(Math.fround),
          high: [farthestRight, fastest].map(Math.fround),
        },
        actions: 3,
        maxEpisodeSteps: options.maxEpisodeSteps ?? 200,
      },
      (length) => new Float32Array(length),
    );
    this.#states = new Float64Array(size * 2);
  }

  /** Starts a new episode of environment i in the given state [2]. */
  setState(i: number, state: ArrayLike<number>): void {
    this.takeState(i, state, this.#states);
    this.observations.set(state, i * 2);
  }

  /** Draws the valley, the car and the flag at the goal, 300 × 200 pixels. */
  paint(observation: Observations): Picture {
    const canvas = new Canvas(300, 200);
    const x = (position: number) => ((position - farthestLeft) / (farthestRight - farthestLeft)) * 300;
    const y = (position: number) => 190 - (Math.sin(3 * position) * 0.45 + 0.55) * 150;
    for (let column = 0; column < 300; column++) {
      const position = farthestLeft + (column / 300) * (farthestRight - farthestLeft);
      canvas.rectangle(column, y(position), 1, 200, 0xd7dbe1);
    }
    canvas.rectangle(x(goal), y(goal) - 30, 2, 30, 0x2b3038);
    canvas.rectangle(x(goal) + 2, y(goal) - 30, 14, 9, 0xc4473d);
    const [position] = observation;
    canvas.disc(x(position), y(position) - 8, 8, 0x3b6ea8);
    return canvas;
  }

  protected advance(actions: Int32Array): void {
    const { observations } = this;
    const states = this.#states;
    for (let i = 0, at = 0; i < actions.length; i++, at += 2) {
      let velocity = states[at + 1] + ((actions[i] - 1) * force + cosine(3 * states[at]) * -gravity);
      velocity = Math.min(Math.max(velocity, -fastest), fastest);
      const position = Math.min(Math.max(states[at] + velocity, farthestLeft), farthestRight);
      if (position === farthestLeft && velocity < 0) velocity = 0;
      states[at] = position;
      states[at + 1] = velocity;
      observations[at] = position;
      observations[at + 1] = velocity;
      this.settle(i, -1, position >= goal && velocity >= 0);
    }
  }

  protected start(i: number): void {
    const position = this.random(i).uniform(-0.6, -0.4);
    this.#states[i * 2] = position;
    this.#states[i * 2 + 1] = 0;
    this.observations[i * 2] = position;
    this.observations[i * 2 + 1] = 0;
  }

  protected saveStates(): Snapshot {
    return { states: this.#states.slice() };
  }

  protected restoreStates(where: string, snapshot: Snapshot): void {
    this.#states.set(snapshotArray(where, snapshot, "states", "float64", this.size * 2));
    this.observations.set(this.#states);
  }
}
