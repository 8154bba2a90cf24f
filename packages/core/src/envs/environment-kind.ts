import { describeValue, fail } from "../base/errors.js";
import { suggestion } from "../base/near-match.js";
import type { EnvironmentFamily, NamedScalars } from "../base/settings.js";
import type { VectorEnvironment } from "./environment.js";

/** Options of an environment by name, each a number, a boolean or a text. */
export type OptionKinds = Readonly<Record<string, "number" | "boolean" | "text">>;

/** The values of options; whatever is left out has the environment's default. */
export type OptionValues<Options extends OptionKinds> = {
  readonly [Name in keyof Options]?: OptionValue<Options[Name]>;
};

type OptionValue<Kind> = Kind extends "number" ? number : Kind extends "boolean" ? boolean : string;

/** An environment that a run can choose by value, or by the file that exports it. */
export interface EnvironmentKind<Options extends OptionKinds = OptionKinds> {
  /** The id that runs and checkpoints name it by, for instance `Corridor-v0`. */
  readonly id: string;
  /** A one-line description for users. */
  readonly about: string;
  /** The options that {@link make} reads. */
  readonly options: Options;
  /**
   * Whose defaults a run takes: `table` for states as one-hot vectors, `atari` for frames of at least 36 × 36, `minatar`
   * for small boards; else `vector`.
   */
  readonly family?: EnvironmentFamily;
  /** Makes `size` of them, ready to be reset. */
  make(size: number, options: OptionValues<Options>): VectorEnvironment;
}

/** Defines an environment: its options are typed in {@link EnvironmentKind.make}. */
export const environmentKind = <const Options extends OptionKinds>(
  definition: EnvironmentKind<Options>,
): EnvironmentKind<Options> => definition;

/**
 * Makes `size` environments of this kind, from options that are not checked yet.
 * @param where what an error names
 * @throws SoftrlError for an option that the environment does not have, or a value of the wrong kind.
 */
export function makeOfKind(
  where: string,
  kind: EnvironmentKind,
  size: number,
  given: NamedScalars,
): VectorEnvironment {
  for (const [name, value] of Object.entries(given)) {
    const expected = Object.hasOwn(kind.options, name) ? kind.options[name] : undefined;
    if (expected === undefined) {
      const names = Object.keys(kind.options);
      fail(where, `${kind.id} has no option ${name}`, {
        expected: names.length === 0 ? "no options" : names.join(" or "),
        got: name,
        remedy: names.length === 0 ? "leave it out" : suggestion(name, names),
      });
    }
    if (typeof value !== (expected === "text" ? "string" : expected)) {
      fail(where, `invalid value of ${name}`, { expected: `a ${expected}`, got: describeValue(value) });
    }
  }
  return withOptions(kind.make(size, given), given);
}

/** The environment, which says what it was made with. */
export function withOptions(environment: VectorEnvironment, options: NamedScalars): VectorEnvironment {
  return Object.defineProperty(environment, "options", { value: { ...options }, configurable: true });
}
