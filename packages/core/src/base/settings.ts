/** Settings: typed values with a description, a default and a check. Options, config files and docs are made from them. */

import { describeValue, fail } from "./errors.js";
import { nearMatch } from "./near-match.js";
import { isRecord } from "./record.js";
import { type LiveNumber, type NumberSchedule, scheduleText } from "./schedule.js";

/**
 * Groups of environments with defaults of their own: vectors of a few numbers, tables whose states are one-hot vectors,
 * Atari's frames, MinAtar's boards.
 */
export const environmentFamilies = ["vector", "table", "atari", "minatar"] as const;
export type EnvironmentFamily = (typeof environmentFamilies)[number];

/** Values by name: JSON scalars. */
export type NamedScalars = Readonly<Record<string, string | number | boolean>>;

/** What a setting may hold; all of it is JSON. */
export type SettingValue = LiveNumber | string | boolean | readonly number[] | NamedScalars;

/** One setting: its meaning, its range, and its default in each family of environments. */
export interface Setting<Value extends SettingValue = SettingValue> {
  /** One sentence for help and documentation. */
  readonly about: string;
  /** What the option takes, for help: `number`, `count`, `name`. */
  readonly placeholder: string;
  readonly defaults: Readonly<Record<EnvironmentFamily, Value>>;
  /** Where the default comes from: a section of the paper, a repository, a measurement. */
  readonly source: string | null;
  /** The option's name without dashes, where it is not the setting's own name in kebab case. */
  readonly option: string | null;
  /** Whether it is a number that may follow a schedule, and change during a run. */
  readonly live: boolean;
  /**
   * Whether the default is that of the environment's family, because it depends on what observations are: images of an
   * environment of no known family are otherwise learned from as Atari's are.
   */
  readonly ofObservations: boolean;
  /**
   * The value, checked.
   * @param where what an error names, for instance `--tau` or `config.json: algorithm.tau`
   * @throws SoftrlError when the type or the range is wrong.
   */
  check(where: string, value: unknown): Value;
  /** Parses the text of a command line option; `check` validates the result. */
  fromText(text: string): unknown;
  /** The value as text that `fromText` reads. */
  toText(value: Value): string;
}

/** A number that may follow a schedule, and change during a run. */
export interface LiveSetting extends Setting<LiveNumber> {
  readonly live: true;
}

/** Settings by name. */
export type Settings = Readonly<Record<string, Setting>>;

/** The values of settings, as a configuration holds them. */
export type ValuesOf<S extends Settings> = {
  readonly [Name in keyof S]: ReturnType<S[Name]["check"]>;
};

/** The values of settings at one moment of a run: the live ones are plain numbers. */
export type CurrentValues<S extends Settings> = {
  readonly [Name in keyof S]: S[Name] extends LiveSetting ? number : ReturnType<S[Name]["check"]>;
};

/** The parts that every maker of settings takes. */
export interface SettingDescription<Value> {
  readonly about: string;
  readonly source?: string;
  readonly option?: string;
  readonly placeholder?: string;
  /** The default everywhere. */
  readonly default?: Value;
  /** Or one for each family; tables take the vectors' and MinAtar takes Atari's if they have none. */
  readonly defaults?: {
    readonly vector: Value;
    readonly table?: Value;
    readonly atari: Value;
    readonly minatar?: Value;
  };
  /** Whether the default depends on what observations are, not on how they are learned from. */
  readonly ofObservations?: boolean;
}

/** A range of numbers: [low, high]; `above` and `below` exclude the end. */
export interface NumberRange {
  readonly low?: number;
  readonly above?: number;
  readonly high?: number;
  readonly below?: number;
}

/** A number in a range. */
export function numberSetting(described: SettingDescription<number> & NumberRange): Setting<number> {
  return {
    ...base(described, "number"),
    check: (where, value) => requireInRange(where, value, described),
    fromText: numberFromText,
    toText: String,
  };
}

/** A number in a range that may follow a schedule and change during a run. */
export function liveSetting(described: SettingDescription<LiveNumber> & NumberRange): LiveSetting {
  const expected = `a number in ${rangeText(described)}, or a schedule: 0.1:0.01 as an option, {"from": 0.1, "to": 0.01} in JSON`;
  const isValid = (value: unknown): value is number => typeof value === "number" && inRange(value, described);
  return {
    ...base<LiveNumber>(described, "number|schedule"),
    live: true,
    check(where, value) {
      if (typeof value === "number") return requireInRange(where, value, described);
      if (isRecord(value) && Object.keys(value).every((key) => linearParts.includes(key))) {
        const { from, to, over } = value;
        if (isValid(from) && isValid(to)) {
          if (over === undefined) return { from, to };
          if (typeof over === "number" && over > 0 && over < 1) return { from, to, over };
        }
      }
      if (isRecord(value) && Object.keys(value).length === 1) {
        const steps = schedulePoints(value.steps, isValid);
        if (steps !== null) return { steps };
      }
      return refuse(where, expected, value);
    },
    fromText: liveNumberFromText,
    toText: scheduleText,
  };
}

/** The parts of a linear schedule. */
const linearParts: readonly string[] = ["from", "to", "over"];

/** An integer in [low, high]. */
export function integerSetting(
  described: SettingDescription<number> & { readonly low: number; readonly high?: number },
): Setting<number> {
  const { low, high = Number.MAX_SAFE_INTEGER } = described;
  const range = (value: unknown) => {
    if (high !== Number.MAX_SAFE_INTEGER) return `in [${low}, ${high}]`;
    const isTooLarge = (typeof value === "number" || typeof value === "string") && Number(value) > high;
    return isTooLarge ? `in [${low}, 2^53 − 1 = ${high}]` : `of at least ${low}`;
  };
  return {
    ...base(described, "integer"),
    check: (where, value) =>
      typeof value === "number" && Number.isSafeInteger(value) && value >= low && value <= high
        ? value
        : refuse(where, `an integer ${range(value)}`, value),
    fromText: integerFromText,
    toText: String,
  };
}

/** One of a few words. */
export function choiceSetting<const Choice extends string>(
  choices: readonly Choice[],
  described: SettingDescription<NoInfer<Choice>>,
): Setting<Choice> {
  return {
    ...base(described, choices.join("|")),
    check: (where, value) => {
      const choice = choices.find((candidate) => candidate === value);
      if (choice !== undefined) return choice;
      const near = typeof value === "string" ? nearMatch(value, choices) : null;
      const remedy = near === null ? undefined : `did you mean ${near}?`;
      return refuse(where, choices.map((name) => JSON.stringify(name)).join(" or "), value, remedy);
    },
    fromText: (text) => text,
    toText: (value) => value,
  };
}

/** True or false: `--layer-norm true`. */
export function flagSetting(described: SettingDescription<boolean>): Setting<boolean> {
  return {
    ...base(described, "true|false"),
    check: (where, value) => (typeof value === "boolean" ? value : refuse(where, "true or false", value)),
    fromText: (text) => (text === "true" ? true : text === "false" ? false : text),
    toText: String,
  };
}

/** Any text that is not empty. */
export function textSetting(described: SettingDescription<string>): Setting<string> {
  return {
    ...base(described, "text"),
    check: (where, value) =>
      typeof value === "string" && value.trim() !== "" ? value : refuse(where, "a text", value),
    fromText: (text) => text,
    toText: (value) => value,
  };
}

/** A list of integers, written `64,64` or `none` on the command line; of at most `longest` where given. */
export function integersSetting(
  described: SettingDescription<readonly number[]> & { readonly low: number; readonly longest?: number },
): Setting<readonly number[]> {
  const { low, longest = Number.POSITIVE_INFINITY } = described;
  const isElement = (element: unknown): element is number =>
    typeof element === "number" && Number.isSafeInteger(element) && element >= low;
  return {
    ...base(described, "list"),
    check: (where, value) => {
      if (Array.isArray(value) && value.length > longest) {
        return fail(where, "the list is too long", {
          expected: `at most ${longest} integers`,
          got: String(value.length),
        });
      }
      return Array.isArray(value) && Array.from(value).every(isElement)
        ? value.slice()
        : refuse(where, `a list of integers of at least ${low}`, value);
    },
    fromText: (text) => (/^\s*(none)?\s*$/.test(text) ? [] : text.split(",").map(numberFromText)),
    toText: (value) => value.join(","),
  };
}

/** Scalars by name, none by default; written `slip=0.2,ramping=false` on the command line. */
export function namedScalarsSetting(
  described: Omit<SettingDescription<NamedScalars>, "default" | "defaults">,
): Setting<NamedScalars> {
  const isScalar = (value: unknown) =>
    typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
  const isNamedScalars = (value: unknown): value is NamedScalars =>
    isRecord(value) && Object.values(value).every(isScalar);
  return {
    ...base<NamedScalars>({ ...described, default: {} }, "list"),
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
    toText: (value) =>
      Object.entries(value)
        .map(([name, scalar]) => `${name}=${scalar}`)
        .join(","),
  };
}

/** The option of a setting, with its dashes: `--value-coefficient`. */
export function optionName(name: string, { option }: Pick<Setting, "option">): string {
  return `--${option ?? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * @param where the kind that has the settings
 * @param taken names of settings that all kinds of this sort have
 * @throws SoftrlError for a name that a section of a configuration needs for itself.
 */
export function requireSettingNames(where: string, settings: Settings, taken: readonly string[] = []): void {
  for (const name of ["name", "module", "__proto__", ...taken]) {
    if (!Object.hasOwn(settings, name)) continue;
    fail(where, `a setting cannot be named ${name}`, {
      expected: "another name",
      remedy: taken.includes(name)
        ? "rename it: every kind of this sort has a setting of this name"
        : "rename it: a configuration holds the kind's own name and file under these names",
    });
  }
}

/** A setting's default for help and documentation: `0.99`, or that of vectors, then the others': `8; Atari and MinAtar: 16`. */
export function defaultText({ defaults, toText }: Pick<Setting, "defaults" | "toText">): string {
  const text = (family: EnvironmentFamily) => toText(defaults[family]) || "none";
  return familiesText(text);
}

/** A text for each family, in one line: that of vectors, then of the families whose text differs, together where equal. */
export function familiesText(text: (family: EnvironmentFamily) => string): string {
  const vector = text("vector");
  const others = new Map<string, string[]>();
  for (const [family, name] of Object.entries(familyNames)) {
    const own = text(family as keyof typeof familyNames);
    if (own !== vector) others.set(own, [...(others.get(own) ?? []), name]);
  }
  const groups = [...others].map(([own, names]) => {
    const last = names.pop();
    return `${names.length === 0 ? last : `${names.join(", ")} and ${last}`}: ${own}`;
  });
  return [vector, ...groups].join("; ");
}

const familyNames = { table: "tables", atari: "Atari", minatar: "MinAtar" } as const;

function base<Value extends SettingValue>(
  { about, source, option, placeholder, ofObservations, ...given }: SettingDescription<Value>,
  standard: string,
) {
  const everywhere = given.default;
  const byFamily: Partial<Record<EnvironmentFamily, Value>> = given.defaults ?? {};
  const { vector = everywhere, atari = everywhere, table = vector, minatar = atari } = byFamily;
  if (vector === undefined || atari === undefined || table === undefined || minatar === undefined) {
    return fail("setting", `"${about}" has no default`, { remedy: "give default, or defaults by family" });
  }
  return {
    about,
    placeholder: placeholder ?? standard,
    source: source ?? null,
    option: option ?? null,
    live: false,
    ofObservations: ofObservations ?? false,
    defaults: { vector, table, atari, minatar },
  };
}

const inRange = (value: number, { low, above, high, below }: NumberRange): boolean =>
  Number.isFinite(value) &&
  (below === undefined ? value <= (high ?? Number.POSITIVE_INFINITY) : value < below) &&
  (above === undefined ? value >= (low ?? Number.NEGATIVE_INFINITY) : value > above);

function rangeText({ low, above, high, below }: NumberRange): string {
  const opening = above === undefined ? `[${low ?? "-∞"}` : `(${above}`;
  const closing = below === undefined ? (high === undefined ? "∞)" : `${high}]`) : `${below})`;
  return `${opening}, ${closing}`;
}

function requireInRange(where: string, value: unknown, range: NumberRange): number {
  return typeof value === "number" && inRange(value, range)
    ? value
    : refuse(where, `a number in ${rangeText(range)}`, value);
}

/** [step, value] pairs that begin at step 0 and ascend, or null. */
function schedulePoints(
  points: unknown,
  isValid: (value: unknown) => value is number,
): readonly (readonly [number, number])[] | null {
  if (!Array.isArray(points) || points.length === 0) return null;
  const checked: [number, number][] = [];
  for (const point of points) {
    if (!Array.isArray(point) || point.length !== 2) return null;
    const [step, value]: unknown[] = point;
    const last = checked.at(-1)?.[0] ?? -1;
    if (typeof step !== "number" || !Number.isSafeInteger(step) || step <= last || !isValid(value))
      return null;
    checked.push([step, value]);
  }
  return checked[0][0] === 0 ? checked : null;
}

function liveNumberFromText(text: string): number | NumberSchedule | string {
  if (text.includes("@")) {
    const points = text.split(",").map((entry) => entry.split("@").map((part) => decimal(part)));
    if (points.some((point) => point.length !== 2 || point.some(Number.isNaN))) return text;
    return { steps: points.map(([value, step]) => [step, value] as const) };
  }
  const ends = text.split(":").map(numberFromText);
  if (ends.length === 2 || ends.length === 3) {
    const [from, to, over] = ends;
    if (typeof from !== "number" || typeof to !== "number" || typeof over === "string") return text;
    return over === undefined ? { from, to } : { from, to, over };
  }
  return numberFromText(text);
}

function numberFromText(text: string): number | string {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? text : value;
}

/** The number that a text writes in decimal digits; NaN for any other text. */
const decimal = (text: string): number =>
  /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) ? Number(text) : Number.NaN;

/** An integer beyond 2^53 stays text: as a number it would be another one. */
function integerFromText(text: string): number | string {
  const value = numberFromText(text);
  return typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER ? text : value;
}

function refuse(where: string, expected: string, value: unknown, remedy?: string): never {
  const got = typeof value === "number" ? String(value) : describeValue(value);
  return fail(where, "invalid value", { expected, got, ...(remedy === undefined ? {} : { remedy }) });
}
