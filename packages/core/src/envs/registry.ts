import { fail } from "../base/errors.js";
import { nearMatch, suggestion } from "../base/near-match.js";
import { CartPole, type CartPoleOptions } from "./cart-pole.js";
import type { VectorEnvironment } from "./environment.js";
import { GridWorld, type GridWorldOptions } from "./grid-world.js";
import { type VectorizeOptions, vectorize } from "./vectorize.js";

/** The ids of the environments that core brings along. */
export type EnvironmentId = "CartPole-v1" | "GridWorld-v0";

/** Options of the built-in environments; {@link environmentOptions} says which belongs to which. */
export interface EnvironmentOptions extends CartPoleOptions, GridWorldOptions, VectorizeOptions {}

interface Entry {
  /** One line for people. */
  readonly about: string;
  /** The options that {@link make} reads. */
  readonly options: readonly (keyof EnvironmentOptions)[];
  make(size: number, options: EnvironmentOptions): VectorEnvironment;
}

const entries: Readonly<Record<EnvironmentId, Entry>> = {
  "CartPole-v1": {
    about: "balance a pole on a cart; Gymnasium's twin, 500 steps",
    options: ["maxEpisodeSteps"],
    make: (size, options) => new CartPole(size, options),
  },
  "GridWorld-v0": {
    about: "walk to the goal past a pit in a small, slippery maze; 100 steps",
    options: ["layout", "slip", "stepReward", "goalReward", "pitReward", "maxEpisodeSteps"],
    make: (size, options) =>
      vectorize("GridWorld-v0", () => new GridWorld(options), size, {
        maxEpisodeSteps: options.maxEpisodeSteps ?? 100,
      }),
  },
};

/** The ids of the built-in environments. */
export const environmentIds: readonly EnvironmentId[] = Object.keys(entries).filter(isBuiltIn);

/** Whether core itself makes this environment; any other id is Gymnasium's, made by `@softrl/gymnasium`. */
export function isBuiltIn(id: string): id is EnvironmentId {
  return Object.hasOwn(entries, id);
}

/** One line about a built-in environment, for people. */
export const environmentAbout = (id: EnvironmentId): string => entries[id].about;

/** The options that {@link makeEnvironment} takes for a built-in environment. */
export const environmentOptions = (id: EnvironmentId): readonly (keyof EnvironmentOptions)[] =>
  entries[id].options;

/**
 * S built-in environments of this id, ready to be reset.
 * @throws SoftrlError for an id that is not built in ({@link isBuiltIn}), an option that the environment does not
 * have, or a value out of range.
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
    });
  }
  const { options: known, make } = entries[id];
  for (const option of Object.keys(options)) {
    if (!known.some((name) => name === option)) {
      fail(`makeEnvironment ${id}`, "this environment has no such option", {
        expected: known.join(" or "),
        got: `"${option}"`,
        remedy: suggestion(option, known),
      });
    }
  }
  return make(size, options);
}

function unknownRemedy(id: string): string {
  const near = nearMatch(id, environmentIds);
  const bridge =
    "Gymnasium's environments, ALE/ among them, come with @softrl/gymnasium (softrl setup gymnasium installs them)";
  return near === null || id.startsWith("ALE/") ? bridge : `did you mean ${near}? ${bridge}`;
}
