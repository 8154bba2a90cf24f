import { fail } from "../base/errors.js";
import type { EnvironmentRows, Observations, VectorEnvironment } from "../envs/environment.js";
import { EnvironmentParts } from "../envs/environment-parts.js";
import { type StateValues, stateValues, type Vector } from "../math/units.js";
import { Rollout, type RolloutStep } from "./rollout.js";

/**
 * Called after each step of each part of the environments, before the part steps again, so that the caller can read
 * episode ends: `rows` have made step `t` of this rollout, from 0; the first of them is environment `first`.
 */
export type OnStep = (t: number, rows: EnvironmentRows, first: number) => void;

/** The policy and the value that a {@link Collector} steps environments with. */
export interface Actor {
  /** Chooses the actions of step `t` of part `p`: writes a_t, V(s_t) and KL(s_t) [S/P] into `step`. */
  act(t: number, p: number, observations: Observations, step: RolloutStep): void;
  /** V(s) [S/P] of a part's observations; overwritten by the next call. */
  values(observations: Observations): StateValues<Vector>;
}

/**
 * Collects rollouts: T steps of S environments, their rewards and endings, and the values to bootstrap from.
 *
 * Where the environments step in parts, one part is acted for while another steps. The result does not depend on the
 * parts.
 */
export class Collector {
  /** The newest rollout; overwritten by the next. */
  readonly rollout: Rollout;
  readonly #parts: EnvironmentParts;
  readonly #lastValues: StateValues;
  #collecting = false;

  /** @param steps T */
  constructor(environment: VectorEnvironment, steps: number) {
    this.#parts = new EnvironmentParts(environment);
    this.rollout = new Rollout(steps, environment.size, this.#parts.all.length);
    this.#lastValues = stateValues(new Float64Array(environment.size));
  }

  /** The number of parts P that the environments step in. */
  get parts(): number {
    return this.#parts.all.length;
  }

  /**
   * Fills {@link rollout}. If a step fails, all pending steps are awaited first.
   * @throws SoftrlError while it is collecting: two calls at once would mix their steps in one rollout.
   */
  async collect(actor: Actor, onStep: OnStep): Promise<void> {
    if (this.#collecting) {
      fail("Collector.collect", "called while the rollout before is being collected", {
        remedy: "await each iteration",
      });
    }
    this.#collecting = true;
    try {
      await this.#parts.forEachStep(this.rollout.steps, (t, p) => {
        if (t > 0) this.#record(t - 1, p, actor, onStep);
        this.#act(t, p, actor);
      });
    } finally {
      this.#collecting = false;
    }
    this.rollout.bootstrap(this.#lastValues);
  }

  /** Starts the next step of part p; after the last step, only its values are needed. */
  #act(t: number, p: number, actor: Actor): void {
    const part = this.#parts.all[p];
    if (t === this.rollout.steps) {
      this.#lastValues.set(actor.values(part.observations), p * part.size);
      return;
    }
    const step = this.rollout.at(t, p);
    actor.act(t, p, part.observations, step);
    this.#parts.step(p, step.actions);
  }

  /** Records the outcome of step t of part p. */
  #record(t: number, p: number, actor: Actor, onStep: OnStep): void {
    const part = this.#parts.all[p];
    this.rollout.record(t, part, p);
    if (this.rollout.truncatedAt(t, p)) {
      this.rollout.recordFinalValues(t, actor.values(part.finalObservations), p);
    }
    onStep(t, part, p * part.size);
  }
}
