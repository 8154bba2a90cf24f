import { fail, requireInteger, requireLength } from "../base/errors.js";
import { Random, type RandomStreams } from "../base/random.js";
import { type Snapshot, snapshotArray } from "../base/snapshot.js";
import { type Terminated, type Truncated, terminatedFlags, truncatedFlags } from "../math/endings.js";
import type { VectorEnvironment } from "./environment.js";
import { type Box, type Discrete, UNBOUNDED } from "./spaces.js";

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
  /** The time limit; 500 as in Gymnasium. */
  readonly maxEpisodeSteps?: number;
}

/**
 * S carts that balance a pole: the twin of Gymnasium 1.3.0's CartPole-v1, stepped together over typed arrays.
 *
 * The state (x m, ẋ m/s, θ rad, θ̇ rad/s) is float64, the observation its float32 rounding; actions push left (0)
 * or right (1); every step is worth 1. Falling (|x| > 2.4 or |θ| > 12°) is a termination, the limit of 500 steps a
 * truncation; both are set where the pole falls at the last step. Only the numbers that start an episode differ
 * from Gymnasium's: U(−0.05, 0.05) of this library's streams.
 */
export class CartPole implements VectorEnvironment {
  readonly id = "CartPole-v1";
  readonly size: number;
  readonly observationSpace: Box = {
    kind: "box",
    shape: [4],
    dtype: "float32",
    low: [-2 * farthestPosition, -UNBOUNDED, -2 * farthestAngle, -UNBOUNDED].map(Math.fround),
    high: [2 * farthestPosition, UNBOUNDED, 2 * farthestAngle, UNBOUNDED].map(Math.fround),
  };
  readonly actionSpace: Discrete = { kind: "discrete", n: 2 };
  readonly observations: Float32Array;
  readonly finalObservations: Float32Array;
  readonly rewards: Float64Array;
  readonly episodeReturns: Float64Array;
  readonly episodeLengths: Int32Array;
  readonly episodeEnded: Uint8Array;
  readonly terminated: Terminated;
  readonly truncated: Truncated;
  readonly #limit: number;
  readonly #states: Float64Array;
  readonly #steps: Int32Array;
  #randoms: Random[] = [];
  #closed = false;

  /** @param size the number of environments S. */
  constructor(size: number, options: CartPoleOptions = {}) {
    requireInteger("CartPole", "size", size, 1);
    this.#limit = options.maxEpisodeSteps ?? 500;
    requireInteger("CartPole", "maxEpisodeSteps", this.#limit, 1);
    this.size = size;
    this.observations = new Float32Array(size * 4);
    this.finalObservations = new Float32Array(size * 4);
    this.rewards = new Float64Array(size);
    this.episodeReturns = new Float64Array(size);
    this.episodeLengths = new Int32Array(size);
    this.episodeEnded = new Uint8Array(size);
    this.terminated = terminatedFlags(size);
    this.truncated = truncatedFlags(size);
    this.#states = new Float64Array(size * 4);
    this.#steps = new Int32Array(size);
  }

  reset(streams: RandomStreams): void {
    this.#requireOpen("reset");
    this.#randoms = Array.from({ length: this.size }, (_, i) => streams.stream("environment", i));
    for (let i = 0; i < this.size; i++) this.#start(i);
    this.#clearOutcomes();
  }

  step(actions: Int32Array): void {
    this.#requireStarted("step");
    requireLength("CartPole-v1", "actions", actions.length, this.size, "give one action an environment");
    this.#requireActions(actions);
    const { observations, rewards, terminated, truncated, episodeEnded } = this;
    const states = this.#states;
    const steps = this.#steps;
    for (let i = 0, at = 0; i < actions.length; i++, at += 4) {
      const position = states[at];
      const velocity = states[at + 1];
      const angle = states[at + 2];
      const spin = states[at + 3];
      const cosine = Math.cos(angle);
      const sine = Math.sin(angle);
      const push = actions[i] === 1 ? force : -force;
      const pull = (push + poleMoment * (spin * spin) * sine) / totalMass;
      const angular =
        (gravity * sine - cosine * pull) /
        (halfLength * (4 / 3 - (poleMass * (cosine * cosine)) / totalMass));
      const linear = pull - (poleMoment * angular * cosine) / totalMass;
      const nextPosition = position + timeStep * velocity;
      const nextAngle = angle + timeStep * spin;
      states[at] = nextPosition;
      states[at + 1] = velocity + timeStep * linear;
      states[at + 2] = nextAngle;
      states[at + 3] = spin + timeStep * angular;
      observations[at] = states[at];
      observations[at + 1] = states[at + 1];
      observations[at + 2] = states[at + 2];
      observations[at + 3] = states[at + 3];
      const fallen =
        nextPosition < -farthestPosition ||
        nextPosition > farthestPosition ||
        nextAngle < -farthestAngle ||
        nextAngle > farthestAngle;
      const late = ++steps[i] >= this.#limit;
      rewards[i] = 1;
      terminated[i] = fallen ? 1 : 0;
      truncated[i] = late ? 1 : 0;
      episodeEnded[i] = fallen || late ? 1 : 0;
      if (fallen || late) this.#end(i);
    }
  }

  /** Puts environment i into a state [4] at the beginning of an episode. */
  setState(i: number, state: ArrayLike<number>): void {
    this.#requireStarted("setState");
    requireInteger("CartPole.setState", "i", i, 0);
    if (i >= this.size) fail("CartPole.setState", "no such environment", { got: `${i} of ${this.size}` });
    requireLength("CartPole.setState", "state", state.length, 4);
    for (let j = 0; j < 4; j++) {
      if (!Number.isFinite(state[j])) {
        fail("CartPole.setState", `state[${j}] is not finite`, { got: String(state[j]) });
      }
    }
    this.#states.set(state, i * 4);
    this.observations.set(state, i * 4);
    this.#steps[i] = 0;
  }

  save(): Snapshot {
    this.#requireStarted("save");
    const randoms = new Uint32Array(this.size * 4);
    this.#randoms.forEach((random, i) => {
      randoms.set(random.save(), i * 4);
    });
    return { randoms, states: this.#states.slice(), steps: this.#steps.slice() };
  }

  restore(snapshot: Snapshot): void {
    this.#requireOpen("restore");
    const where = "CartPole-v1 restore";
    const randoms = snapshotArray(where, snapshot, "randoms", "uint32", this.size * 4);
    const states = snapshotArray(where, snapshot, "states", "float64", this.size * 4);
    const steps = snapshotArray(where, snapshot, "steps", "int32", this.size);
    this.#randoms = Array.from(
      { length: this.size },
      (_, i) => new Random(randoms.subarray(i * 4, i * 4 + 4)),
    );
    this.#states.set(states);
    this.#steps.set(steps);
    this.observations.set(states);
    this.#clearOutcomes();
  }

  close(): void {
    this.#closed = true;
  }

  #start(i: number): void {
    const random = this.#randoms[i];
    for (let at = i * 4; at < i * 4 + 4; at++) {
      this.#states[at] = random.uniform(-startRange, startRange);
      this.observations[at] = this.#states[at];
    }
    this.#steps[i] = 0;
  }

  #end(i: number): void {
    for (let at = i * 4; at < i * 4 + 4; at++) this.finalObservations[at] = this.observations[at];
    this.episodeReturns[i] = this.#steps[i];
    this.episodeLengths[i] = this.#steps[i];
    this.#start(i);
  }

  #clearOutcomes(): void {
    this.rewards.fill(0);
    this.terminated.fill(0);
    this.truncated.fill(0);
    this.episodeEnded.fill(0);
  }

  /** Before any state changes, so that a wrong action leaves no half-made step. */
  #requireActions(actions: Int32Array): void {
    for (let i = 0; i < actions.length; i++) {
      if (actions[i] !== 0 && actions[i] !== 1) {
        fail(`CartPole-v1 environment ${i}, step ${this.#steps[i] + 1}`, "the action is out of range", {
          expected: "0 or 1",
          got: String(actions[i]),
        });
      }
    }
  }

  #requireOpen(what: string): void {
    if (this.#closed) fail(`CartPole-v1 ${what}`, "the environment is closed", { remedy: "make a new one" });
  }

  #requireStarted(what: string): void {
    this.#requireOpen(what);
    if (this.#randoms.length === 0) {
      fail(`CartPole-v1 ${what}`, "no episode has begun", { remedy: "call reset(streams) first" });
    }
  }
}
