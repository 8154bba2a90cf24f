import { type Snapshot, snapshotArray } from "../../base/snapshot.js";
import { cosine, sine } from "../../math/trigonometric.js";
import { ArrayEnvironment } from "../array-environment.js";
import { Canvas, type Picture } from "../canvas.js";
import type { Observations } from "../environment.js";

// Each link is 1 m long, weighs 1 kg, has its centre of mass in the middle and a moment of inertia of 1 kg m².
const gravity = 9.8;
const timeStep = 0.2;
const fastest1 = 4 * Math.PI;
const fastest2 = 9 * Math.PI;
const startRange = 0.1;

export interface AcrobotOptions {
  /** The time limit; by default 500, as in Gymnasium. */
  readonly maxEpisodeSteps?: number;
}

/** The derivatives of the four Runge–Kutta stages of a step, four numbers each. */
const slopes = new Float64Array(16);

/**
 * S two-link pendulums driven at the joint between the links, stepped together over typed arrays. Reimplements
 * Gymnasium 1.3.0's Acrobot-v1 (the equations of Sutton and Barto's book, one Runge–Kutta step of 0.2 s).
 *
 * The state (θ₁, θ₂ rad, θ̇₁, θ̇₂ rad/s) is float64. The observation is [cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ̇₁, θ̇₂],
 * rounded to float32. Actions 0, 1, 2 apply −1, 0, 1 N m. The reward is −1 per step and 0 on the step that swings the
 * tip above one link's length (−cos θ₁ − cos(θ₁ + θ₂) > 1), which terminates the episode. The limit of 500 steps
 * truncates it.
 *
 * One step from the same state gives Gymnasium's observation, except that a few numbers differ in the last bit, because
 * JavaScript's and NumPy's sines do. The dynamics amplify such differences, so replaying an episode's actions can
 * drift away from Gymnasium's trajectory.
 */
export class Acrobot extends ArrayEnvironment<Float32Array> {
  readonly #states: Float64Array;

  /** @param size the number of environments S. */
  constructor(size: number, options: AcrobotOptions = {}) {
    const high = [1, 1, 1, 1, fastest1, fastest2].map(Math.fround);
    super(
      {
        id: "Acrobot-v1",
        size,
        observationSpace: { kind: "box", shape: [6], dtype: "float32", low: high.map((x) => -x), high },
        actions: 3,
        maxEpisodeSteps: options.maxEpisodeSteps ?? 500,
      },
      (length) => new Float32Array(length),
    );
    this.#states = new Float64Array(size * 4);
  }

  /** Starts a new episode of environment i in the given state [4]. */
  setState(i: number, state: ArrayLike<number>): void {
    this.takeState(i, state, this.#states);
    this.#observe(i);
  }

  /** Draws both links and the line that the tip has to reach, 200 × 200 pixels. */
  paint(observation: Observations): Picture {
    const [cosine1, sine1, cosine2, sine2] = observation;
    const scale = 44;
    const canvas = new Canvas(200, 200);
    canvas.rectangle(0, 100 - scale, 200, 1, 0x2b3038);
    const jointX = 100 + scale * sine1;
    const jointY = 100 + scale * cosine1;
    const tipX = jointX + scale * (sine1 * cosine2 + cosine1 * sine2);
    const tipY = jointY + scale * (cosine1 * cosine2 - sine1 * sine2);
    canvas.line(100, 100, jointX, jointY, 8, 0x4f8fc9);
    canvas.line(jointX, jointY, tipX, tipY, 8, 0x5fb0c9);
    canvas.disc(100, 100, 5, 0xc9b02e);
    canvas.disc(jointX, jointY, 5, 0xc9b02e);
    return canvas;
  }

  protected advance(actions: Int32Array): void {
    const states = this.#states;
    const half = timeStep / 2;
    const sixth = timeStep / 6;
    const k = slopes;
    for (let i = 0, at = 0; i < actions.length; i++, at += 4) {
      const torque = actions[i] - 1;
      const angle1 = states[at];
      const angle2 = states[at + 1];
      const speed1 = states[at + 2];
      const speed2 = states[at + 3];
      slopeInto(0, angle1, angle2, speed1, speed2, torque);
      for (let stage = 4; stage < 16; stage += 4) {
        const step = stage === 12 ? timeStep : half;
        slopeInto(
          stage,
          angle1 + step * k[stage - 4],
          angle2 + step * k[stage - 3],
          speed1 + step * k[stage - 2],
          speed2 + step * k[stage - 1],
          torque,
        );
      }
      const next1 = wrapped(angle1 + sixth * (k[0] + 2 * k[4] + 2 * k[8] + k[12]));
      const next2 = wrapped(angle2 + sixth * (k[1] + 2 * k[5] + 2 * k[9] + k[13]));
      const nextSpeed1 = speed1 + sixth * (k[2] + 2 * k[6] + 2 * k[10] + k[14]);
      const nextSpeed2 = speed2 + sixth * (k[3] + 2 * k[7] + 2 * k[11] + k[15]);
      states[at] = next1;
      states[at + 1] = next2;
      states[at + 2] = Math.min(Math.max(nextSpeed1, -fastest1), fastest1);
      states[at + 3] = Math.min(Math.max(nextSpeed2, -fastest2), fastest2);
      this.#observe(i);
      const up = -cosine(next1) - cosine(next2 + next1) > 1;
      this.settle(i, up ? 0 : -1, up);
    }
  }

  protected start(i: number): void {
    const random = this.random(i);
    for (let at = i * 4; at < i * 4 + 4; at++) {
      this.#states[at] = Math.fround(random.uniform(-startRange, startRange));
    }
    this.#observe(i);
  }

  protected saveStates(): Snapshot {
    return { states: this.#states.slice() };
  }

  protected restoreStates(where: string, snapshot: Snapshot): void {
    this.#states.set(snapshotArray(where, snapshot, "states", "float64", this.size * 4));
    for (let i = 0; i < this.size; i++) this.#observe(i);
  }

  #observe(i: number): void {
    const { observations } = this;
    const states = this.#states;
    const from = i * 4;
    const to = i * 6;
    observations[to] = cosine(states[from]);
    observations[to + 1] = sine(states[from]);
    observations[to + 2] = cosine(states[from + 1]);
    observations[to + 3] = sine(states[from + 1]);
    observations[to + 4] = states[from + 2];
    observations[to + 5] = states[from + 3];
  }
}

/** Writes the time derivative of a state into {@link slopes}, in Gymnasium's order of operations. */
function slopeInto(
  at: number,
  angle1: number,
  angle2: number,
  speed1: number,
  speed2: number,
  torque: number,
): void {
  const cosine2 = cosine(angle2);
  const sine2 = sine(angle2);
  const d1 = 0.25 + (1.25 + cosine2) + 1 + 1;
  const d2 = 0.25 + 0.5 * cosine2 + 1;
  const phi2 = 0.5 * gravity * cosine(angle1 + angle2 - Math.PI / 2);
  const phi1 =
    -0.5 * (speed2 * speed2) * sine2 -
    speed2 * speed1 * sine2 +
    1.5 * gravity * cosine(angle1 - Math.PI / 2) +
    phi2;
  const acceleration2 =
    (torque + (d2 / d1) * phi1 - 0.5 * (speed1 * speed1) * sine2 - phi2) / (1.25 - (d2 * d2) / d1);
  slopes[at] = speed1;
  slopes[at + 1] = speed2;
  slopes[at + 2] = -(d2 * acceleration2 + phi1) / d1;
  slopes[at + 3] = acceleration2;
}

/** The equivalent angle in [−π, π]. */
function wrapped(angle: number): number {
  let x = angle;
  while (x > Math.PI) x -= 2 * Math.PI;
  while (x < -Math.PI) x += 2 * Math.PI;
  return x;
}
