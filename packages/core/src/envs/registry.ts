import { describeValue, fail } from "../base/errors.js";
import { nearMatch, suggestion } from "../base/near-match.js";
import { Acrobot, type AcrobotOptions } from "./classic-control/acrobot.js";
import { CartPole, type CartPoleOptions } from "./classic-control/cart-pole.js";
import { MountainCar, type MountainCarOptions } from "./classic-control/mountain-car.js";
import type { VectorEnvironment } from "./environment.js";
import { withOptions } from "./environment-kind.js";
import { MinAtar, type MinAtarGame, type MinAtarOptions } from "./minatar/min-atar.js";
import { type CliffWalkingOptions, cliffWalking } from "./tables/cliff-walking.js";
import { type FrozenLakeOptions, frozenLake } from "./tables/frozen-lake.js";
import { GridWorld, type GridWorldOptions } from "./tables/grid-world.js";
import { isTable } from "./tables/table-ids.js";
import { type TaxiOptions, taxi } from "./tables/taxi.js";
import { type VectorizeOptions, vectorize } from "./vectorize.js";

/** The ids of the environments built into core. */
export type EnvironmentId =
  | "CartPole-v1"
  | "Acrobot-v1"
  | "MountainCar-v0"
  | "GridWorld-v0"
  | "FrozenLake-v1"
  | "FrozenLake8x8-v1"
  | "CliffWalking-v1"
  | "Taxi-v4"
  | `MinAtar/${MinAtarGame}-v1`;

/** Options of all built-in environments; {@link environmentOptions} lists those of one environment. */
export interface EnvironmentOptions
  extends CartPoleOptions,
    AcrobotOptions,
    MountainCarOptions,
    GridWorldOptions,
    FrozenLakeOptions,
    CliffWalkingOptions,
    TaxiOptions,
    MinAtarOptions,
    VectorizeOptions {}

interface Entry {
  /** A one-line description for users. */
  readonly about: string;
  /** The options that {@link make} reads. */
  readonly options: readonly (keyof EnvironmentOptions)[];
  make(size: number, options: EnvironmentOptions): VectorEnvironment;
}

function minAtar(game: MinAtarGame, about: string): Entry {
  return {
    about: `${about}; MinAtar, 10 × 10 cells, sticky actions`,
    options: ["stickyProbability", "ramping", "maxEpisodeSteps"],
    make: (size, options) => new MinAtar(game, size, options),
  };
}

const entries: Readonly<Record<EnvironmentId, Entry>> = {
  "CartPole-v1": {
    about: "balance a pole on a cart; as in Gymnasium, 500 steps",
    options: ["maxEpisodeSteps"],
    make: (size, options) => new CartPole(size, options),
  },
  "Acrobot-v1": {
    about: "swing up a two-link pendulum; as in Gymnasium, 500 steps",
    options: ["maxEpisodeSteps"],
    make: (size, options) => new Acrobot(size, options),
  },
  "MountainCar-v0": {
    about: "drive an underpowered car out of a valley; as in Gymnasium, 200 steps",
    options: ["maxEpisodeSteps"],
    make: (size, options) => new MountainCar(size, options),
  },
  "GridWorld-v0": {
    about: "reach the goal and avoid the pit in a small, slippery maze; 100 steps",
    options: ["layout", "slip", "stepReward", "goalReward", "pitReward", "maxEpisodeSteps"],
    make: (size, options) =>
      vectorize("GridWorld-v0", () => new GridWorld(options), size, {
        maxEpisodeSteps: options.maxEpisodeSteps ?? 100,
      }),
  },
  "FrozenLake-v1": {
    about: "cross slippery ice between four holes; as in Gymnasium, 16 states, 100 steps",
    options: ["slippery", "maxEpisodeSteps"],
    make: (size, options) => frozenLake("4x4", size, options),
  },
  "FrozenLake8x8-v1": {
    about: "cross a larger lake; as in Gymnasium, 64 states, 200 steps",
    options: ["slippery", "maxEpisodeSteps"],
    make: (size, options) => frozenLake("8x8", size, options),
  },
  "CliffWalking-v1": {
    about: "reach the goal at the far end of a cliff; as in Gymnasium, 48 states, no time limit",
    options: ["slippery", "maxEpisodeSteps"],
    make: (size, options) => cliffWalking(size, options),
  },
  "Taxi-v4": {
    about: "pick up a passenger and drop them off; as in Gymnasium, 500 states, 200 steps",
    options: ["maxEpisodeSteps"],
    make: (size, options) => taxi(size, options),
  },
  "MinAtar/Asterix-v1": minAtar("Asterix", "collect gold and avoid enemies"),
  "MinAtar/Breakout-v1": minAtar("Breakout", "bounce a ball into a wall of bricks"),
  "MinAtar/Freeway-v1": minAtar("Freeway", "cross eight lanes of traffic"),
  "MinAtar/Seaquest-v1": minAtar("Seaquest", "rescue divers among submarines"),
  "MinAtar/SpaceInvaders-v1": minAtar("SpaceInvaders", "shoot the aliens before they land"),
};

/** The ids of the built-in environments. */
export const environmentIds: readonly EnvironmentId[] = Object.keys(entries).filter(isBuiltIn);

/** Whether this environment is built in; `@softrl/gymnasium` makes all others. */
export function isBuiltIn(id: string): id is EnvironmentId {
  return Object.hasOwn(entries, id);
}

/** The ids of the built-in environments whose exact process is available: `makeEnvironment(id, 1).mdp`. */
export const exactEnvironmentIds: readonly EnvironmentId[] = environmentIds.filter(isTable);

/** A one-line description of a built-in environment for users. */
export const environmentAbout = (id: EnvironmentId): string => entries[id].about;

/** The options that {@link makeEnvironment} takes for a built-in environment. */
export const environmentOptions = (id: EnvironmentId): readonly (keyof EnvironmentOptions)[] =>
  entries[id].options;

/** The kind of value that each option takes as a setting; the rows of a layout are separated by `/`. */
const optionKinds: Readonly<Record<keyof EnvironmentOptions, "number" | "boolean" | "rows">> = {
  maxEpisodeSteps: "number",
  layout: "rows",
  slip: "number",
  stepReward: "number",
  goalReward: "number",
  pitReward: "number",
  slippery: "boolean",
  stickyProbability: "number",
  ramping: "boolean",
};

/**
 * Reads the options of a built-in environment from scalar settings such as `{ ramping: false }`.
 * {@link makeEnvironment} checks their ranges.
 * @throws SoftrlError about the setting `environmentOptions`, for an option that the environment does not have (with the
 * code `unknown-setting`) or a value of the wrong kind.
 */
export function readEnvironmentOptions(
  where: string,
  id: EnvironmentId,
  given: Readonly<Record<string, string | number | boolean>>,
): EnvironmentOptions {
  const known = entries[id].options;
  let options: EnvironmentOptions = {};
  for (const [word, value] of Object.entries(given)) {
    const name = known.find((option) => option === word);
    if (name === undefined) {
      return fail(where, `${id} has no option ${word}`, {
        expected: known.join(" or "),
        got: word,
        remedy: suggestion(word, known),
        code: "unknown-setting",
        setting: "environmentOptions",
      });
    }
    const kind = optionKinds[name];
    const rows = kind === "rows" && typeof value === "string";
    if (!rows && typeof value !== kind) {
      return fail(where, `invalid value of ${name}`, {
        expected: { number: "a number", boolean: "true or false", rows: "rows separated by /" }[kind],
        got: describeValue(value),
        setting: "environmentOptions",
      });
    }
    options = { ...options, [name]: rows ? value.split("/") : value };
  }
  return options;
}

/**
 * Makes S built-in environments with this id. Call `reset` before the first step.
 * @throws SoftrlError for an id that is not built in ({@link isBuiltIn}; code `unknown-environment`), an option that the
 * environment does not have (code `unknown-setting`), or a value that is out of range.
 */
export function makeEnvironment(
  id: string,
  size: number,
  options: EnvironmentOptions = {},
): VectorEnvironment {
  if (!isBuiltIn(id)) {
    return fail("makeEnvironment", "this environment is not built in", {
      expected: environmentIds.join(" or "),
      got: `"${id}"`,
      remedy: unknownRemedy(id),
      code: "unknown-environment",
    });
  }
  const { options: known, make } = entries[id];
  for (const option of Object.keys(options)) {
    if (!known.some((name) => name === option)) {
      fail(`makeEnvironment ${id}`, "this environment has no such option", {
        expected: known.join(" or "),
        got: `"${option}"`,
        remedy: suggestion(option, known),
        code: "unknown-setting",
      });
    }
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const scalars = given.map(([name, value]) => [name, Array.isArray(value) ? value.join("/") : value]);
  const environment = withOptions(make(size, options), Object.fromEntries(scalars));
  madeByName.add(environment);
  return environment;
}

const madeByName = new WeakSet<VectorEnvironment>();

/** Whether {@link makeEnvironment} has made these environments: their id and options describe them completely. */
export const isMadeByName = (environment: VectorEnvironment): boolean => madeByName.has(environment);

function unknownRemedy(id: string): string {
  const near = nearMatch(id, environmentIds);
  const bridge =
    "Gymnasium's environments, including ALE/, need @softrl/gymnasium (run `softrl setup gymnasium`)";
  return near === null || id.startsWith("ALE/") ? bridge : `did you mean ${near}? ${bridge}`;
}
