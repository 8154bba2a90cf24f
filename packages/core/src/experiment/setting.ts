import { fail } from "../base/errors.js";
import { suggestion } from "../base/near-match.js";

/**
 * Kinds of environment that want different hyper-parameters: vectors of a few numbers, Atari's frames, or MinAtar's
 * boards.
 */
export type EnvironmentFamily = "vector" | "atari" | "minatar";

/** One value a family; MinAtar takes Atari's unless it has its own. */
type Defaults<Value> = Readonly<Record<"vector" | "atari", Value>> & { readonly minatar?: Value };

/** One setting of an experiment: what it means, what it may be, and what it is when nobody says. */
export interface Setting<Value> {
  /** The command line option, in commander's notation: `--tau <number>`. */
  readonly option: string;
  /** One sentence for the help text and the documentation. */
  readonly description: string;
  readonly defaults: Readonly<Record<EnvironmentFamily, Value>>;
  /**
   * The value, if it is one.
   * @param where what an error names, for instance `--tau` or `run.json: tau`.
   * @throws SoftrlError when the type or the range is wrong.
   */
  check(where: string, value: unknown): Value;
  /** What text on the command line means, not yet checked. */
  fromText(text: string): unknown;
}

/** A setting's default in words, for help and documentation: `0.99`, or `8; Atari and MinAtar: 16`. */
export function defaultInWords({ defaults }: { readonly defaults: Setting<unknown>["defaults"] }): string {
  const words = (value: unknown) =>
    typeof value === "object" && value !== null && Object.keys(value).length === 0 ? "none" : String(value);
  const [vector, atari, minatar] = [defaults.vector, defaults.atari, defaults.minatar].map(words);
  const others = [
    ...(atari === minatar ? [] : [`Atari: ${atari}`, `MinAtar: ${minatar}`]),
    ...(atari === minatar && atari !== vector ? [`Atari and MinAtar: ${atari}`] : []),
  ];
  return [vector, ...others].join("; ");
}

/** What every maker of settings takes. */
interface Description<Value> {
  readonly option: string;
  readonly description: string;
  readonly defaults: Value | Defaults<Value>;
}

type Scalar = number | string;

/** A number in [low, high], or in (low, high] where `above` is given instead of `low`. */
export function numberSetting(
  described: Description<number> & { readonly low?: number; readonly above?: number; readonly high?: number },
): Setting<number> {
  const { low, above, high = Number.POSITIVE_INFINITY } = described;
  const opening = above === undefined ? `[${low ?? "-∞"}` : `(${above}`;
  const closing = Number.isFinite(high) ? `${high}]` : "∞)";
  const inRange = (value: number): boolean =>
    Number.isFinite(value) &&
    value <= high &&
    (above === undefined ? value >= (low ?? Number.NEGATIVE_INFINITY) : value > above);
  return {
    ...base(described),
    check: (where, value) =>
      typeof value === "number" && inRange(value)
        ? value
        : refuse(where, `a number in ${opening}, ${closing}`, value),
    fromText: numberFromText,
  };
}

/** A whole number in [low, high]. */
export function integerSetting(
  described: Description<number> & { readonly low: number; readonly high?: number },
): Setting<number> {
  const { low, high = Number.MAX_SAFE_INTEGER } = described;
  const range = (value: unknown) => {
    if (high !== Number.MAX_SAFE_INTEGER) return `in [${low}, ${high}]`;
    return Number(value) > high ? `in [${low}, 2^53 − 1 = ${high}]` : `of at least ${low}`;
  };
  return {
    ...base(described),
    check: (where, value) =>
      typeof value === "number" && Number.isSafeInteger(value) && value >= low && value <= high
        ? value
        : refuse(where, `an integer ${range(value)}`, value),
    fromText: integerFromText,
  };
}

/** One of a few words. */
export function choiceSetting<const Choice extends string>(
  described: Description<NoInfer<Choice>> & { readonly choices: readonly Choice[] },
): Setting<Choice> {
  const { choices } = described;
  return {
    ...base(described),
    check: (where, value) => {
      const choice = choices.find((candidate) => candidate === value);
      if (choice !== undefined) return choice;
      const remedy = typeof value === "string" ? suggestion(value, choices) : undefined;
      return refuse(where, choices.map((name) => JSON.stringify(name)).join(" or "), value, remedy);
    },
    fromText: (text) => text,
  };
}

/** Any text that is not empty. */
export function textSetting(described: Description<string>): Setting<string> {
  return {
    ...base(described),
    check: (where, value) =>
      typeof value === "string" && value.trim() !== "" ? value : refuse(where, "a text", value),
    fromText: (text) => text,
  };
}

/** A list of whole numbers, written `64,64` on the command line. */
export function integerListSetting(described: {
  readonly option: string;
  readonly description: string;
  readonly defaults: Defaults<readonly number[]>;
  readonly low: number;
}): Setting<readonly number[]> {
  const { option, description, defaults, low } = described;
  const isElement = (element: unknown): element is number =>
    typeof element === "number" && Number.isSafeInteger(element) && element >= low;
  return {
    option,
    description,
    defaults: { minatar: defaults.atari, ...defaults },
    check: (where, value) =>
      Array.isArray(value) && value.every(isElement)
        ? value.slice()
        : refuse(where, `a list of integers of at least ${low}`, value),
    fromText: (text) => (text.trim() === "" ? [] : text.split(",").map(numberFromText)),
  };
}

/** Values by name: JSON scalars. */
export type NamedScalars = Readonly<Record<string, string | number | boolean>>;

/** Values by name, by default none; written `slip=0.2,ramping=false` on the command line. */
export function namedScalarsSetting({
  option,
  description,
}: {
  readonly option: string;
  readonly description: string;
}): Setting<NamedScalars> {
  const isScalar = (value: unknown) =>
    typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  const isNamedScalars = (value: unknown): value is NamedScalars =>
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isScalar);
  return {
    option,
    description,
    defaults: { vector: {}, atari: {}, minatar: {} },
    check: (where, value) =>
      isNamedScalars(value) ? { ...value } : refuse(where, "values by name, as in slip=0.2", value),
    fromText: (text) => {
      const entries = text.split(",").map((entry) => /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(entry));
      const named = new Map<string, unknown>();
      for (const entry of entries) {
        if (entry === null || named.has(entry[1])) return text;
        const [, name, value] = entry;
        named.set(name, value === "true" ? true : value === "false" ? false : numberFromText(value));
      }
      return Object.fromEntries(named);
    },
  };
}

/** The parts of a setting that do not depend on its kind. */
function base<Value extends Scalar>({ option, description, defaults }: Description<Value>) {
  return {
    option,
    description,
    defaults:
      typeof defaults === "object"
        ? { minatar: defaults.atari, ...defaults }
        : { vector: defaults, atari: defaults, minatar: defaults },
  };
}

function numberFromText(text: string): unknown {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? text : value;
}

/** An integer beyond 2^53 stays text: as a number it would be another one. */
function integerFromText(text: string): unknown {
  const value = numberFromText(text);
  return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER ? text : value;
}

function refuse(where: string, expected: string, value: unknown, remedy?: string): never {
  const got = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return fail(where, "not a valid value", { expected, got, ...(remedy === undefined ? {} : { remedy }) });
}
