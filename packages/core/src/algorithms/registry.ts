import type { RandomStreams } from "../base/random.js";
import type { VectorEnvironment } from "../envs/environment.js";
import type { PolicyValueNetwork } from "../nn/heads.js";
import type { Executor } from "../tensor/executor.js";
import { A2c, type A2cOptions } from "./a2c.js";
import type { Algorithm } from "./algorithm.js";
import { NaturalPolicyGradient, type TrustRegion } from "./natural-policy-gradient.js";
import { SoftQLearning, type SoftQLearningOptions } from "./soft-q-learning.js";

/** The name of an algorithm on the command line. */
export type AlgorithmName = "a2c" | "soft-q" | "npg";

/** What the algorithms take, together: each reads what is its own. */
export type AlgorithmOptions = A2cOptions & Pick<SoftQLearningOptions, "variation"> & TrustRegion;

interface Entry {
  /** The name for legends and tables. */
  readonly title: string;
  /** One line for people. */
  readonly about: string;
  make(
    environment: VectorEnvironment,
    network: PolicyValueNetwork,
    executor: Executor,
    streams: RandomStreams,
    options: AlgorithmOptions,
  ): Algorithm;
}

/** An entry makes an algorithm a choice of the command; docs/algorithms.md and a test must know it too. */
const entries: Readonly<Record<AlgorithmName, Entry>> = {
  a2c: {
    title: "A2C",
    about: "policy gradient with n-step advantages",
    make: (...parts) => new A2c(...parts),
  },
  "soft-q": {
    title: "soft Q-learning",
    about: "online n-step soft Q-learning in the form Q = V + τ log π",
    make: (environment, network, executor, streams, { entropyBonus: _, ...options }) =>
      new SoftQLearning(environment, network, executor, streams, options),
  },
  npg: {
    title: "natural policy gradient",
    about: "policy gradient times the inverse Fisher matrix, by conjugate gradients",
    make: (...parts) => new NaturalPolicyGradient(...parts),
  },
};

/** The names of all algorithms. */
export const algorithmNames: readonly AlgorithmName[] = Object.keys(entries).filter(isAlgorithmName);

/** The algorithm of a name. */
export const algorithmEntry = (name: AlgorithmName): Entry => entries[name];

/** The algorithm's name for people: `soft Q-learning`. */
export const algorithmTitle = (name: AlgorithmName): string => entries[name].title;

/** One line about an algorithm. */
export const algorithmAbout = (name: AlgorithmName): string => entries[name].about;

function isAlgorithmName(name: string): name is AlgorithmName {
  return Object.hasOwn(entries, name);
}
