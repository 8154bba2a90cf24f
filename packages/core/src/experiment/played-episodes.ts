import type { Policy } from "../algorithms/policy.js";
import { requireInteger } from "../base/errors.js";
import { type Random, RandomStreams } from "../base/random.js";
import { rgbaPicture } from "../envs/canvas.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { observationPicture } from "../envs/picture.js";
import { exp } from "../math/logspace.js";
import type { PlayedFrame } from "./control-messages.js";

/** Episodes that a policy plays to be watched, in one environment of its own: they decide nothing of a training. */
export class PlayedEpisodes {
  readonly environment: VectorEnvironment;
  readonly #streams: RandomStreams;
  readonly #random: Random;
  readonly #action = new Int32Array(1);
  #started = false;
  #led: number | null = null;
  #return = 0;
  #length = 0;
  #lastReturn: number | null = null;

  /** @param environment a single one */
  constructor(environment: VectorEnvironment, seed: number) {
    this.environment = environment;
    this.#streams = new RandomStreams(seed);
    this.#random = this.#streams.stream("play");
  }

  /** Starts the first episode, unless that is done. */
  async begin(): Promise<void> {
    if (this.#started) return;
    await this.environment.reset(this.#streams);
    this.#started = true;
  }

  /** Takes a step with the policy's action, or with the given one. @throws SoftrlError for an action out of range. */
  async step(policy: Policy, action: number | null): Promise<void> {
    const { environment } = this;
    if (action === null) policy.act(environment.observations, this.#action, "sample", this.#random);
    else {
      requireInteger("play", "action", action, 0);
      this.#action[0] = action;
    }
    await environment.step(this.#action);
    this.#return += environment.rewards[0];
    this.#length++;
    this.#led = this.#action[0];
    if (environment.terminated[0] === 0 && environment.truncated[0] === 0) return;
    this.#lastReturn = environment.episodeEnded[0] === 1 ? environment.episodeReturns[0] : this.#return;
    this.#return = 0;
    this.#length = 0;
    this.#led = null;
  }

  /** The present moment. */
  frame(policy: Policy): PlayedFrame {
    const { environment } = this;
    const observation = environment.observations.slice();
    const { logPi, v, q } = policy.evaluate(observation);
    const picture =
      environment.paint?.(observation) ?? observationPicture(environment.observationSpace, observation);
    return {
      observation,
      picture: rgbaPicture(picture),
      probabilities: Float64Array.from(logPi, (logP) => exp(logP)),
      v: v === null ? null : v[0],
      q: q === null ? null : Float64Array.from(q),
      action: this.#led,
      return: this.#return,
      length: this.#length,
      lastReturn: this.#lastReturn,
    };
  }
}
