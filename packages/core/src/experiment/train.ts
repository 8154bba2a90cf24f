import type { AlgorithmKind } from "../algorithms/algorithm.js";
import type { Policy } from "../algorithms/policy.js";
import { describeValue, fail } from "../base/errors.js";
import { suggestion } from "../base/near-match.js";
import { inPart } from "../base/part-fault.js";
import type { EnvironmentFamily } from "../base/settings.js";
import type { VectorEnvironment } from "../envs/environment.js";
import { builtInNetworks, type NetworkKind } from "../nn/network-kind.js";
import { builtInOptimisers, type OptimiserKind } from "../optim/optimiser-kind.js";
import type { Executor } from "../tensor/executor.js";
import { holdEnvironments } from "./environment-claim.js";
import { checkedClock, type Host } from "./host.js";
import {
  type ChosenSettings,
  defaultNetwork,
  defaultOptimiser,
  environmentFamily,
  isImage,
  networkForSpace,
  runConfig,
} from "./run-config.js";
import type { TrainResult } from "./train-result.js";
import { Trainer } from "./trainer.js";
import type { TrainerParts } from "./trainer-parts.js";

/** A run by value: everything that is left out has the default of the algorithm and the environment. */
export interface TrainChoice
  extends Pick<TrainerParts, "store" | "oracle" | "evaluation" | "provenance" | "workers"> {
  readonly algorithm: AlgorithmKind;
  /** The environments to train on. The trainer does not close them. */
  readonly environment: VectorEnvironment;
  readonly executor: Executor;
  /** A network, or the name of a built-in one. */
  readonly network?: NetworkKind | string;
  /** An optimiser, or the name of a built-in one. */
  readonly optimiser?: OptimiserKind | string;
  /** Settings by section: `{ run: { steps: 50_000 }, algorithm: { tau: 0.01 } }`. */
  readonly settings?: ChosenSettings;
}

/** A trained policy, and how the training went. */
export interface Trained {
  readonly policy: Policy;
  readonly result: TrainResult;
}

const SECONDS_BETWEEN_PAUSES = 0.1;

/**
 * A trainer of these parts, ready to start.
 * @throws SoftrlError for a setting that the parts do not have, or a value out of range.
 */
export function createTrainer(given: TrainChoice & Host): Trainer {
  const choice = readChoice(given);
  const { algorithm, environment, executor, settings = {} } = choice;
  const family = environmentFamily(environment.id);
  const network = named("network", builtInNetworks, choice.network ?? defaultNetworkOf(choice, family));
  const optimiser = named(
    "optimiser",
    builtInOptimisers,
    choice.optimiser ?? defaultOptimiser(algorithm, family, network),
  );
  const kinds = { algorithm, network, optimiser };
  const { size: count, options, atariProtocol } = environment;
  // What an environment does not say about itself, the settings may.
  const made = {
    count,
    ...(options === undefined ? {} : { options }),
    ...(atariProtocol === undefined || family !== "atari" ? {} : { atariProtocol }),
  };
  requireEnvironment(made, settings.environment ?? {});
  const config = runConfig({
    kinds,
    environment: environment.id,
    executor,
    chosen: { ...settings, environment: { ...settings.environment, ...made } },
  });
  return new Trainer({ ...choice, config, kinds });
}

/** The algorithm's default network for the environment's family, or the one that reads its images. */
function defaultNetworkOf({ algorithm, environment }: TrainChoice, family: EnvironmentFamily): string {
  const { observationSpace } = environment;
  return family === "vector" && isImage(observationSpace)
    ? networkForSpace(observationSpace)
    : defaultNetwork(algorithm, family);
}

/**
 * Trains from the seed to the last step, or until the signal.
 * @throws SoftrlError when a setting is not valid, or an observation, a reward, a figure or a parameter is not finite.
 */
export async function train(choice: TrainChoice & Host): Promise<Trained> {
  const trainer = createTrainer(choice);
  const { algorithm } = trainer;
  try {
    await trainer.start();
    await iterateTogether([trainer], choice);
    const result = await trainer.finish();
    return { policy: algorithm.policy, result };
  } finally {
    await algorithm.close?.();
  }
}

/**
 * Iterates started trainers in turn, until each is done or the signal stops them all.
 * @param onRound called when each has made an iteration
 */
export function iterateTogether(
  trainers: readonly Trainer[],
  host: Host,
  onRound?: () => void,
): Promise<void> {
  const environments = trainers.map(({ environment }) => environment);
  return holdEnvironments(environments, () => iterateAll(trainers, host, onRound));
}

async function iterateAll(
  trainers: readonly Trainer[],
  { clock: given, signal, pause, onProgress }: Host,
  onRound?: () => void,
): Promise<void> {
  const clock = checkedClock(given);
  const report = () => onProgress?.(trainers.map((trainer) => trainer.progress));
  let paused = clock?.() ?? 0;
  while (!signal?.aborted && trainers.some((trainer) => !trainer.done)) {
    for (const trainer of trainers) if (!trainer.done) await trainer.iterate();
    onRound?.();
    if (clock !== null && clock() - paused >= SECONDS_BETWEEN_PAUSES) {
      report();
      await pause?.();
      paused = clock();
    }
  }
  report();
}

const choiceKeys = [
  "algorithm",
  "environment",
  "executor",
  "network",
  "optimiser",
  "settings",
  "store",
  "oracle",
  "evaluation",
  "provenance",
  "workers",
  "clock",
  "signal",
  "pause",
  "onProgress",
] as const satisfies readonly (keyof (TrainChoice & Host))[];

/**
 * A choice, each of its keys read once, with the checks that TypeScript makes for other callers.
 * @throws SoftrlError that names the key.
 */
function readChoice(given: TrainChoice & Host): TrainChoice & Host {
  const keys = inPart("train", "reading the keys", () => Object.keys(given));
  const entries = keys.map((key) => [key, inPart("train", `reading ${key}`, () => Reflect.get(given, key))]);
  const choice: TrainChoice & Host = Object.fromEntries(entries);
  requireChoice(choice);
  return choice;
}

function requireChoice(choice: TrainChoice & Host): void {
  for (const key of Object.keys(choice)) {
    if (choiceKeys.some((known) => known === key)) continue;
    fail("train", `unknown key ${JSON.stringify(key)}`, { remedy: suggestion(key, choiceKeys) });
  }
  const { algorithm, environment, executor, evaluation } = choice;
  if (typeof algorithm?.make !== "function") {
    fail("train", "algorithm is not an algorithm", {
      expected: "a value such as a2c or softQLearning",
      got: typeof algorithm === "string" ? `the name ${JSON.stringify(algorithm)}` : typeof algorithm,
    });
  }
  requireEnvironments("environment", environment);
  if (evaluation !== undefined) requireEnvironments("evaluation", evaluation);
  if (typeof executor?.load !== "function") {
    fail("train", "executor is not an executor", {
      expected: "an executor such as await createWasmExecutor()",
      got: executor instanceof Promise ? "a promise: await it" : typeof executor,
    });
  }
}

/** @throws SoftrlError unless the value of this key is a vector of environments. */
function requireEnvironments(key: "environment" | "evaluation", environment: VectorEnvironment): void {
  const seen: unknown = inPart("train", `reading ${key}`, () => {
    if (typeof environment !== "object" || environment === null) return undefined;
    // Whatever is read later is read once here, where an error can name it.
    for (const name of ["id", "size", "options", "observationSpace", "actionSpace"])
      Reflect.get(environment, name);
    return environment.observations;
  });
  if (seen !== undefined) return;
  fail("train", `${key} is not a vector of environments`, {
    expected: 'environments such as makeEnvironment("CartPole-v1", 8), or kind.make(8, {})',
    got: typeof environment === "string" ? `the name ${JSON.stringify(environment)}` : typeof environment,
  });
}

/** @throws SoftrlError where settings describe another environment than the one that is passed. */
function requireEnvironment(
  given: Readonly<Record<string, unknown>>,
  chosen: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of Object.entries(given)) {
    if (chosen[name] === undefined || describeValue(chosen[name]) === describeValue(value)) continue;
    fail(`environment.${name}`, "the setting is not that of the environment", {
      expected: describeValue(value),
      got: describeValue(chosen[name]),
      remedy: "leave it out: an environment by value brings its own",
    });
  }
}

/** A kind as it is, or the built-in one of a name. */
export function named<Kind extends { readonly name: string }>(
  where: string,
  kinds: readonly Kind[],
  wanted: Kind | string,
): Kind {
  if (typeof wanted !== "string") return wanted;
  const names = kinds.map(({ name }) => name);
  return (
    kinds.find(({ name }) => name === wanted) ??
    fail(where, "unknown name", {
      expected: names.join(", "),
      got: describeValue(wanted),
      remedy: suggestion(wanted, names),
    })
  );
}
