import { fail } from "../base/errors.js";
import { integerSetting } from "../base/settings.js";

/** The settings of algorithms that pass over a rollout several times, in minibatches; their defaults are CleanRL's for PPO. */
export const minibatchSettings = {
  epochs: integerSetting({
    about: "passes over each rollout, in minibatches drawn anew, towards the same targets",
    low: 1,
    high: 1000,
    default: 4,
    source: "CleanRL's ppo.py",
  }),
  minibatches: integerSetting({
    about: "steps of the optimiser per epoch; divides the rollout's steps, all environments together",
    low: 1,
    high: 65536,
    default: 4,
    source: "CleanRL's ppo.py",
  }),
};

/** @throws SoftrlError unless the samples of a rollout can be divided into minibatches of one size. */
export function requireMinibatches(minibatches: number, horizon: number, size: number): void {
  if ((horizon * size) % minibatches === 0) return;
  fail("algorithm.minibatches", "the minibatches do not divide a rollout", {
    expected: `a divisor of ${horizon} steps · ${size} environments = ${horizon * size}`,
    got: String(minibatches),
    remedy: "change minibatches, horizon or the number of environments",
    setting: "minibatches",
  });
}
