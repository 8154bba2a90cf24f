/** One iteration of PPO in plain loops: no tensor, no gradient and no formula of the library. */
import { type Random, RandomStreams } from "softrl";

/** The settings of an iteration. */
export interface Settings {
  readonly seed: number;
  /** Environment steps of the whole run, over which the learning rate falls to 0. */
  readonly steps: number;
  readonly learningRate: number;
  readonly maxGradientNorm: number;
  readonly gamma: number;
  readonly lambda: number;
  readonly tau: number;
  readonly reference: "entropy" | "uniform";
  readonly valueCoefficient: number;
  readonly entropyBonus: "naive" | "proper";
  readonly epochs: number;
  readonly minibatches: number;
  readonly surrogate: "clipped" | "penalised";
  readonly clipRange: number;
  readonly penalty: number;
  readonly normaliseAdvantages: boolean;
  readonly clipValues: boolean;
  readonly targetKl: number;
}

/** One step of one environment. */
export interface Sample {
  readonly observation: readonly number[];
  readonly action: number;
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated: boolean;
  /** The observation that followed: the final one where an episode ended. */
  readonly next: readonly number[];
}

type Arrays = Record<string, Float64Array>;
interface Outputs {
  readonly hidden: readonly [policy: number[], value: number[]];
  readonly logPi: number[];
  readonly v: number;
}

/** What a sample contributes to the loss of its minibatch. */
interface Prepared extends Sample {
  readonly oldLogPi: readonly number[];
  readonly oldV: number;
  readonly advantage: number;
  readonly target: number;
}

/** How often the branches of the loss were taken: a test of few of them would show little. */
export const branches = {
  clipped: 0,
  free: 0,
  valueClipped: 0,
  valueFree: 0,
  stopped: 0,
  shortened: 0,
  whole: 0,
};

/** A network with one hidden layer of tanh units, and PPO's update of it. */
export class PpoByHand {
  readonly parameters: Arrays;
  readonly #first: Arrays = {};
  readonly #second: Arrays = {};
  readonly #random: Random;
  readonly #prefixes: {
    readonly bodies: readonly [string, string];
    readonly heads: readonly [string, string];
  };
  #updates = 0;
  #step = 0;

  /** @param parameters by name, copied */
  constructor(
    readonly settings: Settings,
    parameters: Readonly<Arrays>,
  ) {
    this.parameters = {};
    for (const [name, values] of Object.entries(parameters)) {
      this.parameters[name] = values.slice();
      this.#first[name] = new Float64Array(values.length);
      this.#second[name] = new Float64Array(values.length);
    }
    this.#prefixes =
      "policy.head.weight" in parameters
        ? { bodies: ["policy.body.1", "value.body.1"], heads: ["policy.head", "value.head"] }
        : { bodies: ["body.1", "body.1"], heads: ["policy", "value"] };
    this.#random = new RandomStreams(settings.seed).stream("minibatches");
  }

  /** y_j = b_j + Σ_i x_i W_ij. */
  #dense(name: string, x: readonly number[]): number[] {
    const weight = this.parameters[`${name}.weight`];
    const bias = this.parameters[`${name}.bias`];
    return [...bias].map((b, j) => x.reduce((y, xi, i) => y + xi * weight[i * bias.length + j], b));
  }

  #outputs(observation: readonly number[]): Outputs {
    const { bodies, heads } = this.#prefixes;
    const hidden = bodies.map((name) => this.#dense(name, observation).map(Math.tanh));
    const z = this.#dense(heads[0], hidden[0]);
    const largest = Math.max(...z);
    const logSum = largest + Math.log(z.reduce((sum, x) => sum + Math.exp(x - largest), 0));
    const [v] = this.#dense(heads[1], hidden[1]);
    return { hidden: [hidden[0], hidden[1]], logPi: z.map((x) => x - logSum), v };
  }

  /** Learns from a rollout, samples[t][s]. */
  iterate(samples: readonly (readonly Sample[])[]): void {
    const batch = this.#prepare(samples);
    const { epochs, minibatches, targetKl } = this.settings;
    const size = batch.length / minibatches;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order: number[] = [];
      // One minibatch needs no order.
      for (let i = 0; i < (minibatches === 1 ? 0 : batch.length); i++) {
        const j = this.#random.integer(i + 1);
        order[i] = order[j];
        order[j] = i;
      }
      const ordered = minibatches === 1 ? batch : order.map((i) => batch[i]);
      let kl = 0;
      for (let first = 0; first < ordered.length; first += size) {
        kl = this.#update(ordered.slice(first, first + size));
      }
      if (targetKl > 0 && kl > targetKl) {
        if (epoch < epochs - 1) branches.stopped++;
        break;
      }
    }
    this.#step += batch.length;
  }

  #prepare(samples: readonly (readonly Sample[])[]): Prepared[] {
    const { gamma, lambda, tau, entropyBonus } = this.settings;
    const steps = samples.length;
    const prepared: Prepared[][] = samples.map(() => []);
    for (let s = 0; s < samples[0].length; s++) {
      let following = 0;
      for (let t = steps - 1; t >= 0; t--) {
        const sample = samples[t][s];
        const { logPi, v } = this.#outputs(sample.observation);
        const bonus = entropyBonus === "proper" ? tau * this.#kl(logPi, this.#prior(logPi.length)) : 0;
        const successor = sample.terminated ? 0 : this.#outputs(sample.next).v;
        const delta = sample.reward - bonus + gamma * successor - v;
        const goesOn = t < steps - 1 && !sample.terminated && !sample.truncated;
        following = delta + (goesOn ? gamma * lambda * following : 0);
        prepared[t][s] = { ...sample, oldLogPi: logPi, oldV: v, advantage: following, target: v + following };
      }
    }
    return prepared.flat();
  }

  #prior(actions: number): number[] {
    return new Array(actions).fill(this.settings.reference === "uniform" ? -Math.log(actions) : 0);
  }

  #kl(logPi: readonly number[], logPrior: readonly number[]): number {
    return logPi.reduce((sum, logP, a) => sum + Math.exp(logP) * (logP - logPrior[a]), 0);
  }

  /** One step of the optimiser. Returns the mean KL[π_old ‖ π] before it. */
  #update(batch: readonly Prepared[]): number {
    const { settings } = this;
    const M = batch.length;
    const mean = batch.reduce((sum, { advantage }) => sum + advantage, 0) / M;
    const squares = batch.reduce((sum, { advantage }) => sum + (advantage - mean) ** 2, 0);
    const scale = settings.normaliseAdvantages ? Math.sqrt(squares / (M - 1)) + 1e-8 : 1;
    const centre = settings.normaliseAdvantages ? mean : 0;
    const tau = settings.entropyBonus === "proper" ? settings.tau / scale : settings.tau;
    const gradient: Arrays = {};
    for (const [name, values] of Object.entries(this.parameters))
      gradient[name] = new Float64Array(values.length);
    let klFromOld = 0;
    for (const sample of batch) {
      const outputs = this.#outputs(sample.observation);
      const { logPi, v } = outputs;
      const pi = logPi.map(Math.exp);
      klFromOld += this.#kl(sample.oldLogPi, logPi) / M;
      const advantage = (sample.advantage - centre) / scale;
      const dz = this.#surrogateSlope(sample, logPi, advantage);
      // ∂KL/∂z_k = π_k (log π_k − log π̄_k − KL).
      const addKl = (weight: number, prior: readonly number[]) => {
        const kl = this.#kl(logPi, prior);
        for (let k = 0; k < pi.length; k++) dz[k] += weight * pi[k] * (logPi[k] - prior[k] - kl);
      };
      addKl(tau, this.#prior(pi.length));
      if (settings.surrogate === "penalised") addKl(settings.penalty, sample.oldLogPi);
      const dv = settings.valueCoefficient * this.#valueSlope(sample, v);
      this.#backpropagate(
        sample.observation,
        outputs,
        dz.map((x) => x / M),
        [dv / M],
        gradient,
      );
    }
    this.#adam(gradient);
    return klFromOld;
  }

  /** ∂/∂z of −min(ρΔ, clip(ρ)Δ), or of −ρΔ. */
  #surrogateSlope({ action, oldLogPi }: Prepared, logPi: readonly number[], advantage: number): number[] {
    const { surrogate, clipRange } = this.settings;
    const ratio = Math.exp(logPi[action] - oldLogPi[action]);
    const isClipped =
      surrogate === "clipped" && (advantage > 0 ? ratio > 1 + clipRange : ratio < 1 - clipRange);
    if (surrogate === "clipped") branches[isClipped ? "clipped" : "free"]++;
    const slope = isClipped ? 0 : -ratio * advantage;
    return logPi.map((logP, k) => slope * ((k === action ? 1 : 0) - Math.exp(logP)));
  }

  /** ∂/∂V of ½ max((V − V̂)², (V_old + clip(V − V_old, ±ε) − V̂)²), or of ½ (V − V̂)². */
  #valueSlope({ oldV, target }: Prepared, v: number): number {
    const { clipValues, clipRange } = this.settings;
    if (!clipValues) return v - target;
    const change = v - oldV;
    const clipped = oldV + Math.min(Math.max(change, -clipRange), clipRange);
    const counts = (v - target) ** 2 >= (clipped - target) ** 2;
    branches[counts ? "valueFree" : "valueClipped"]++;
    // Where the clipped error is larger, V has moved beyond the clip, which is constant there.
    return counts ? v - target : 0;
  }

  #backpropagate(
    observation: readonly number[],
    { hidden }: Outputs,
    dz: readonly number[],
    dv: readonly number[],
    gradient: Arrays,
  ): void {
    const { bodies, heads } = this.#prefixes;
    [dz, dv].forEach((slope, head) => {
      const h = hidden[head];
      const weight = this.parameters[`${heads[head]}.weight`];
      const dh = h.map((y, i) => {
        let sum = 0;
        slope.forEach((d, j) => {
          gradient[`${heads[head]}.weight`][i * slope.length + j] += y * d;
          sum += weight[i * slope.length + j] * d;
        });
        return sum * (1 - y * y);
      });
      slope.forEach((d, j) => {
        gradient[`${heads[head]}.bias`][j] += d;
      });
      dh.forEach((d, j) => {
        gradient[`${bodies[head]}.bias`][j] += d;
        observation.forEach((x, i) => {
          gradient[`${bodies[head]}.weight`][i * dh.length + j] += x * d;
        });
      });
    });
  }

  /** Clips the global norm, and steps as Kingma and Ba (2015). */
  #adam(gradient: Arrays): void {
    const { learningRate, steps, maxGradientNorm } = this.settings;
    const all = Object.values(gradient).flatMap((values) => [...values]);
    const norm = Math.sqrt(all.reduce((sum, x) => sum + x * x, 0));
    branches[norm > maxGradientNorm ? "shortened" : "whole"]++;
    const factor = norm > maxGradientNorm ? maxGradientNorm / norm : 1;
    const rate = learningRate * (1 - this.#step / steps);
    this.#updates++;
    for (const [name, values] of Object.entries(this.parameters)) {
      for (let i = 0; i < values.length; i++) {
        const g = gradient[name][i] * factor;
        const m = 0.9 * this.#first[name][i] + (1 - 0.9) * g;
        const v = 0.999 * this.#second[name][i] + (1 - 0.999) * g * g;
        this.#first[name][i] = m;
        this.#second[name][i] = v;
        const unbiased = m / (1 - 0.9 ** this.#updates);
        values[i] -= (rate * unbiased) / (Math.sqrt(v / (1 - 0.999 ** this.#updates)) + 1e-5);
      }
    }
  }
}
