import { type Snapshot, snapshotArray } from "../../base/snapshot.js";
import { smallCosine, smallSine } from "../../math/small-angle.js";
import { ArrayEnvironment } from "../array-environment.js";
import { Canvas, type Picture } from "../canvas.js";
import type { Observations } from "../environment.js";
import { UNBOUNDED } from "../spaces.js";

const gravity = 9.8;
const poleMass = 0.1;
const totalMass = 1 + poleMass;
const halfLength = 0.5;
const poleMoment = poleMass * halfLength;
const force = 10;
const timeStep = 0.02;
const farthestPosition = 2.4;
const farthestAngle = (12 * 2 * Math.PI) / 360;
const startRange = 0.05;

export interface CartPoleOptions {
  /** The time limit; by default 500, as in Gymnasium. */
  readonly maxEpisodeSteps?: number;
}

/**
 * S carts that balance a pole, stepped together over typed arrays. Reimplements Gymnasium 1.3.0's CartPole-v1.
 *
 * The state (x m, ẋ m/s, θ rad, θ̇ rad/s) is float64; the observation is the state rounded to float32. Actions push
 * left (0) or right (1). The reward is 1 per step. The episode terminates if the pole falls (|x| > 2.4 or |θ| > 12°)
 * and is truncated after 500 steps; if the pole falls on the last step, both flags are set.
 *
 * One step from the same state gives Gymnasium's observation (a test compares 1,400 transitions). Start states are
 * U(−0.05, 0.05) as in Gymnasium, but drawn from this library's random streams. A difference in the last bit of a sine,
 * which depends on NumPy's build and the processor, grows over an episode, so replaying an episode's actions can drift
 * away from Gymnasium's trajectory.
 */
export class CartPole extends ArrayEnvironment<Float32Array> {
  readonly #states: Float64Array;

  /** @param size the number of environments S. */
  constructor(size: number, options: CartPoleOptions = {}) {
    super(
      {
        id: "CartPole-v1",
        size,
        observationSpace: {
          kind: "box",
          shape: [4],
          dtype: "float32",
          low: [-2 * farthestPosition, -UNBOUNDED, -2 * farthestAngle, -UNBOUNDED].map(Math.fround),
          high: [2 * farthestPosition, UNBOUNDED, 2 * farthestAngle, UNBOUNDED].map(Math.fround),
        },
        actions: 2,
        maxEpisodeSteps: options.maxEpisodeSteps ?? 500,
      },
      (length) => new Float32Array(length),
    );
    this.#states = new Float64Array(size * 4);
  }

  /** Starts a new episode of environment i in the given state [4]. */
  setState(i: number, state: ArrayLike<number>): void {
    this.takeState(i, state, this.#states);
    this.observations.set(state, i * 4);
  }

  /** Draws the cart on its track and the pole, 300 × 200 pixels. */
  paint(observation: Observations): Picture {
    const [position, , angle] = observation;
    const canvas = new Canvas(300, 200);
    const x = 150 + (position / farthestPosition) * 125;
    const y = 150;
    canvas.rectangle(0, y + 9, 300, 2, 0x9aa1ab);
    canvas.rectangle(x - 20, y - 10, 40, 20, 0x2b3038);
    canvas.line(x, y - 8, x + 104 * Math.sin(angle), y - 8 - 104 * Math.cos(angle), 7, 0xc98a4b);
    canvas.disc(x, y - 8, 4, 0x6f8fc9);
    return canvas;
  }

  protected advance(actions: Int32Array): void {
    const { observations } = this;
    const states = this.#states;
    for (let i = 0, at = 0; i < actions.length; i++, at += 4) {
      const position = states[at];
      const velocity = states[at + 1];
      const angle = states[at + 2];
      const spin = states[at + 3];
      const cosine = smallCosine(angle);
      const sine = smallSine(angle);
      const push = actions[i] * (2 * force) - force;
      const pull = (push + poleMoment * (spin * spin) * sine) / totalMass;
      const angular =
        (gravity * sine - cosine * pull) /
        (halfLength * (4 / 3 - (poleMass * (cosine * cosine)) / totalMass));
      const linear = pull - (poleMoment * angular * cosine) / totalMass;
      const nextPosition = position + timeStep * velocity;
      const nextVelocity = velocity + timeStep * linear;
      const nextAngle = angle + timeStep * spin;
      const nextSpin = spin + timeStep * angular;
      states[at] = observations[at] = nextPosition;
      states[at + 1] = observations[at + 1] = nextVelocity;
      states[at + 2] = observations[at + 2] = nextAngle;
      states[at + 3] = observations[at + 3] = nextSpin;
      const fallen = Math.abs(nextPosition) > farthestPosition || Math.abs(nextAngle) > farthestAngle;
      this.settle(i, 1, fallen);
    }
  }

  protected start(i: number): void {
    const random = this.random(i);
    for (let at = i * 4; at < i * 4 + 4; at++) {
      this.#states[at] = random.uniform(-startRange, startRange);
      this.observations[at] = this.#states[at];
    }
  }

  protected saveStates(): Snapshot {
    return { states: this.#states.slice() };
  }

  protected restoreStates(where: string, snapshot: Snapshot): void {
    this.#states.set(snapshotArray(where, snapshot, "states", "float64", this.size * 4));
    this.observations.set(this.#states);
  }
}
