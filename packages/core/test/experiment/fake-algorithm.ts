import type { Algorithm, IterationReport, OnStep } from "../../src/algorithms/algorithm.js";
import { type Random, RandomStreams } from "../../src/base/random.js";
import { type Snapshot, snapshotArray } from "../../src/base/snapshot.js";
import type { VectorEnvironment } from "../../src/envs/environment.js";
import { actionCount } from "../../src/envs/spaces.js";
import { mlp } from "../../src/nn/body.js";
import { policyValueNetwork } from "../../src/nn/heads.js";

/** Acts at random and "learns" one number from all that it sees, so that any difference in its past shows. */
export class FakeAlgorithm implements Algorithm {
  readonly name = "fake";
  readonly stepsPerIteration: number;
  readonly network = policyValueNetwork(mlp([]), [4], 2);
  readonly parameters = new Float64Array(1);
  /** Called before each report, to change it. */
  spoil: (report: { steps: number; losses: Record<string, number> }, iteration: number) => void = () => {};
  iterations = 0;
  readonly #environment: VectorEnvironment;
  readonly #random: Random;
  readonly #horizon: number;

  constructor(environment: VectorEnvironment, seed = 1, horizon = 5) {
    this.#environment = environment;
    this.#random = new RandomStreams(seed).stream("actions");
    this.#horizon = horizon;
    this.stepsPerIteration = horizon * environment.size;
  }

  async iterate(onStep: OnStep): Promise<IterationReport> {
    const actions = new Int32Array(this.#environment.size);
    for (let t = 0; t < this.#horizon; t++) {
      this.act(this.#environment.observations, actions);
      await this.#environment.step(actions);
      onStep(t, this.#environment, 0);
      for (const x of this.#environment.observations) {
        this.parameters[0] = Math.sin(this.parameters[0] * 1.1 + x);
      }
    }
    this.iterations++;
    const report = { steps: this.stepsPerIteration, losses: { loss: this.parameters[0] } };
    this.spoil(report, this.iterations);
    return report;
  }

  act(_observations: unknown, actions: Int32Array): void {
    const n = actionCount(this.#environment.actionSpace);
    for (let i = 0; i < actions.length; i++) actions[i] = this.#random.integer(n);
  }

  theta(): Float64Array {
    return this.parameters.slice();
  }

  adopt(theta: ArrayLike<number>): void {
    this.parameters.set(theta);
  }

  save(): Snapshot {
    return { parameters: this.parameters.slice(), random: this.#random.save() };
  }

  restore(snapshot: Snapshot): void {
    this.parameters.set(snapshotArray("FakeAlgorithm", snapshot, "parameters", "float64", 1));
    this.#random.restore(snapshotArray("FakeAlgorithm", snapshot, "random", "uint32", 4));
  }
}
